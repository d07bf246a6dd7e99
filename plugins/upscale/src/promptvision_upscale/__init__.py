"""Super-resolution (Swin2SR as ONNX) for promptvision."""
