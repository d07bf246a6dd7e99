"""Text in pictures (Tesseract OCR) for promptvision."""
