"""Pad elongated images, which models shrink too far or cannot read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["pad_aspect"]


def pad_aspect(image: Image.Image, most: float) -> Image.Image:
    """An RGB image that is at most ``most`` times as long as wide, padded with white below or on the right.

    Pixel coordinates do not change, so clip detections in the padding to the size of the original. An image
    within the limit is returned unchanged.

    Args:
        image: mode RGB.
        most: maximum ratio of the longer to the shorter side.
    """
    width, height = image.size
    size = max(width, round(height / most)), max(height, round(width / most))
    if size == image.size:
        return image
    from PIL import Image

    padded = Image.new("RGB", size, "white")
    padded.paste(image)
    return padded
