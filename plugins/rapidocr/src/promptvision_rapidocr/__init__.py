"""Text in images (RapidOCR) for promptvision."""
