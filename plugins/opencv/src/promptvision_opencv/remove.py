"""Filling a masked thing with its surroundings.

Sources: A. Telea, An image inpainting technique based on the fast marching method, 2004; M. Bertalmio,
A. Bertozzi, G. Sapiro, Navier-Stokes, fluid dynamics, and image and video inpainting, CVPR 2001; both as
OpenCV has them.
"""

from __future__ import annotations

import cv2
import numpy as np

from promptvision_opencv.arrays import Array

__all__ = ["remove"]

_THIN = 8.0
"""Half width in pixels up to which Telea's method keeps lines going; above it draws streaks."""
_COARSE = 24.0
"""Half width in pixels, at most, of the hole in the copy that a wide hole is filled in."""


def remove(rgb: Array, mask: Array, seed: int) -> Array:
    """Fill what is masked from around it.

    Thin masks (scratches, letters, wires) are filled by Telea's method. Wide ones are filled by
    Navier-Stokes on a smaller copy, which gives smooth ground, and get the grain of the surroundings.

    Args:
        rgb: H x W x 3 uint8.
        mask: H x W uint8, 255 where to fill; not empty.
        seed: for the grain.

    Returns:
        H x W x 3 uint8; pixels outside of the mask are those of ``rgb``.
    """
    x, y, width, height = cv2.boundingRect(mask)
    half = float(cv2.distanceTransform(_framed(mask), cv2.DIST_L2, 5).max())
    margin = round(max(16, 2.5 * half))
    window = np.s_[max(0, y - margin) : y + height + margin, max(0, x - margin) : x + width + margin]
    part, hole = np.ascontiguousarray(rgb[window]), np.ascontiguousarray(mask[window])
    if half <= _THIN:
        filled = cv2.inpaint(part, hole, max(3, round(half)), cv2.INPAINT_TELEA)
    else:
        filled = _grained(_fill_wide(part, hole, half), part, hole, seed)
    result = rgb.copy()
    inside = hole > 127
    result[window][inside] = filled[inside]
    return result


def _framed(mask: Array) -> Array:
    """The mask with a border that is no part of it, so that a mask of everything has a width too."""
    return np.pad(mask, 1)


def _fill_wide(part: Array, hole: Array, half: float) -> Array:
    zoom = min(1.0, _COARSE / half)
    height, width = hole.shape
    size = max(2, round(width * zoom)), max(2, round(height * zoom))
    known = (hole == 0).astype(np.float32)
    # Average known pixels only, or the colour of the thing would bleed into its surroundings.
    total = cv2.resize(known, size, interpolation=cv2.INTER_AREA)
    colours = cv2.resize(part * known[..., None], size, interpolation=cv2.INTER_AREA)
    small = (colours / np.maximum(total, 1e-6)[..., None]).clip(0, 255).astype(np.uint8)
    small_hole = np.where(total < 0.25, 255, 0).astype(np.uint8)
    filled = cv2.inpaint(small, small_hole, 4, cv2.INPAINT_NS)
    return np.asarray(cv2.resize(filled, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def _grained(filled: Array, part: Array, hole: Array, seed: int) -> Array:
    """Put the fine texture of the surroundings, shuffled in tiles, on the smooth filling."""
    texture = part.astype(np.float32) - cv2.GaussianBlur(part, (0, 0), 2).astype(np.float32)
    known = cv2.erode((hole == 0).astype(np.uint8), np.ones((13, 13), np.uint8)) > 0
    if not known.any():
        return filled
    limit = float(np.percentile(np.abs(texture[known]), 95))
    noise = np.random.default_rng(seed).permutation(texture[known].clip(-limit, limit))
    grain = np.resize(noise, (*hole.shape, 3))
    return np.asarray((filled + grain).clip(0, 255), np.uint8)
