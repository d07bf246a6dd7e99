"""Run the tools of promptvision on a Ray cluster."""
