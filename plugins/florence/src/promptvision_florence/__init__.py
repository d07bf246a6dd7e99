"""Captions, detection and OCR (Florence-2) for promptvision."""
