"""Modules that a plugin must not import when it is loaded."""

from __future__ import annotations

__all__ = ["HEAVY_MODULES"]

HEAVY_MODULES = (
    *("torch", "torchvision", "transformers", "diffusers", "ultralytics", "cv2", "skimage", "scipy", "numpy"),
    *("onnxruntime", "tensorflow", "jax", "openai", "groq", "sqlalchemy", "starlette", "httpx", "requests"),
)
"""Each takes long to import. Commands that run tools import every plugin."""
