"""Inpainting in a few steps (Stable Diffusion 1.5 with LCM) for promptvision."""
