"""Inpainting (SDXL base and refiner) for promptvision."""
