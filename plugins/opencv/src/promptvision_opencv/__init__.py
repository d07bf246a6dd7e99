"""Zero-download vision tools (OpenCV, scikit-image) for promptvision."""
