"""Fill a masked object from its surroundings.

Sources: A. Telea, An image inpainting technique based on the fast marching method, 2004; M. Bertalmio, A.
Bertozzi, G. Sapiro, Navier-Stokes, fluid dynamics, and image and video inpainting, CVPR 2001; both as
implemented in OpenCV.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from promptvision_opencv.arrays import Array
from promptvision_opencv.patches import fill_by_patches

__all__ = ["remove"]

_THIN = 8.0
"""Half width in pixels up to which Telea's method continues lines; above it draws streaks."""


def remove(rgb: Array, mask: Array, check: Callable[[], None] = lambda: None) -> Array:
    """Fill the masked area from its surroundings.

    Thin masks (scratches, letters, wires) are filled by Telea's method, wide ones with patches of the
    surroundings. If these contain no whole patch, Navier-Stokes gives a smooth filling.

    Args:
        rgb: H x W x 3 uint8.
        mask: H x W uint8, 255 where to fill; not empty.
        check: called regularly; may raise to stop.

    Returns:
        H x W x 3 uint8; pixels outside the mask are those of ``rgb``.
    """
    x, y, width, height = cv2.boundingRect(mask)
    # Padded, so that a mask of the whole image has a border to measure from.
    half = float(cv2.distanceTransform(np.pad(mask, 1), cv2.DIST_L2, 5).max())
    margin = round(max(24, 2.5 * half))
    window = np.s_[max(0, y - margin) : y + height + margin, max(0, x - margin) : x + width + margin]
    part, hole = np.ascontiguousarray(rgb[window]), np.ascontiguousarray(mask[window])
    result = rgb.copy()
    inside = hole > 0
    result[window][inside] = _fill(part, hole, half, check)[inside]
    return result


def _fill(part: Array, hole: Array, half: float, check: Callable[[], None]) -> Array:
    if half <= _THIN:
        return np.asarray(cv2.inpaint(part, hole, max(3, round(half)), cv2.INPAINT_TELEA), np.uint8)
    filled = fill_by_patches(part, hole, half, check)
    return np.asarray(cv2.inpaint(part, hole, 4, cv2.INPAINT_NS), np.uint8) if filled is None else filled
