"""Convert between images and arrays, and scale images down."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from promptvision.plugin import Box, flat_rgb

__all__ = ["Array", "clip_box", "rgb_array", "shrink"]

Array = NDArray[np.uint8]


def rgb_array(image: Image.Image) -> Array:
    """The image as H x W x 3 uint8, with transparent parts in white."""
    return np.array(flat_rgb(image))


def shrink(rgb: Array, longest: int) -> tuple[Array, float]:
    """Reduce an image so that its longer side has at most ``longest`` pixels.

    Returns:
        The image, and the factor from its coordinates to those of the original.
    """
    height, width = rgb.shape[:2]
    factor = max(height, width) / longest
    if factor <= 1:
        return rgb, 1.0
    size = max(1, round(width / factor)), max(1, round(height / factor))
    return cv2.resize(rgb, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False), factor


def clip_box(box: Box, width: int, height: int) -> Box | None:
    """The part of a box inside the image, in whole pixels; None if it is less than one pixel."""
    x1, y1 = max(0, int(np.floor(box.x1))), max(0, int(np.floor(box.y1)))
    x2, y2 = min(width, int(np.ceil(box.x2))), min(height, int(np.ceil(box.y2)))
    return Box(x1, y1, x2, y2) if x1 < x2 and y1 < y2 else None
