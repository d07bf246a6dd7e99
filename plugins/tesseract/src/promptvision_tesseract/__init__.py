"""Text in images (Tesseract OCR) for promptvision."""
