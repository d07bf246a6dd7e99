"""Hook implementations of promptvision-tesseract."""

PLUGIN_API = 1
