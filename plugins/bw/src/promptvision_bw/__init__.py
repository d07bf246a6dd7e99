"""Black and white conversion for promptvision."""
