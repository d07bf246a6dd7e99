"""Segmentation (SAM 2.1) for promptvision."""
