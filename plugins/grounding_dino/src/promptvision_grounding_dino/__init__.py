"""Zero-shot object detection (Grounding DINO) for promptvision."""
