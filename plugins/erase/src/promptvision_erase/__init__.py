"""Object removal (MI-GAN and LaMa as ONNX) for promptvision."""
