"""The web page of promptvision."""
