"""Model weights: specs, location on disk, download, and the pool of loaded models."""
