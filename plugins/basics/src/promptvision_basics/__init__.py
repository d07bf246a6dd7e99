"""Everyday image tools for promptvision, in Pillow."""
