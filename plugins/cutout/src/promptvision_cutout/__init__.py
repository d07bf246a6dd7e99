"""Background removal (BiRefNet and IS-Net as ONNX) for promptvision."""
