"""Questions about images (SmolVLM) for promptvision."""
