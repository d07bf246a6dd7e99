"""Find the background of an image by the colour of its edge, and bars along the edge."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from promptvision.plugin import Box
from promptvision_opencv.arrays import Array
from promptvision_opencv.colours import Colour, fitness, hsv

__all__ = ["find_background", "find_borders"]

_RING = 0.03
"""Width of the inspected edge, as a share of the shorter side."""
_LEAST_UNIFORM = 0.7
"""Share of the edge that must have the background's colour."""
_TOLERANCE = (9.0, 20.0)
"""Minimum and maximum distance from the background's colour, in CIE Lab with lightness halved."""
_NOISE = 2.0
"""Additional distance from the background's colour for a single noisy pixel."""
_LEAST_FIT = 0.7
"""Share of the background that must have the requested colour."""
_BAR_FIT = 0.97
"""Share of a row or column that must have the bar's colour."""


def find_background(rgb: Array, colour: Colour | None = None) -> NDArray[np.bool_] | None:
    """Find the area that has the colour of the image's edge and is connected to it.

    Args:
        rgb: H x W x 3 uint8.
        colour: the colour that the background must have.

    Returns:
        H x W, true in the background; None when the edge has no uniform colour, or another one.
    """
    smooth = np.asarray(cv2.medianBlur(rgb, 5) if min(rgb.shape[:2]) > 5 else rgb, np.uint8)
    edge = _ring(rgb.shape[0], rgb.shape[1])
    lab = _lab(smooth)
    middle = np.median(lab[edge], axis=0)
    distance = _distance(lab, middle)
    tolerance = float(np.clip(4 * np.median(distance[edge]), *_TOLERANCE))
    # The smoothed image decides, except for pixels that clearly differ themselves.
    alike = (distance < tolerance) & (_distance(_lab(rgb), middle) < _NOISE * tolerance)
    if alike[edge].mean() < _LEAST_UNIFORM:
        return None
    _, regions = cv2.connectedComponents(alike.astype(np.uint8), connectivity=4)
    touching = np.unique(regions[edge & alike])
    background = np.asarray(np.isin(regions, touching[touching > 0]), np.bool_)
    if colour is not None and _share_of(smooth, background, colour) < _LEAST_FIT:
        return None
    return background


def find_borders(rgb: Array, colour: Colour) -> list[Box]:
    """Find bars of one colour along the sides of the image, such as letterbox bars.

    Args:
        rgb: H x W x 3 uint8.
        colour: their colour.
    """
    height, width = rgb.shape[:2]
    fits = fitness(hsv(rgb), colour.relaxed()) > 0
    top, bottom = _bars(fits.mean(axis=1) >= _BAR_FIT)
    left, right = (
        _bars(fits[top : height - bottom].mean(axis=0) >= _BAR_FIT) if top + bottom < height else (0, 0)
    )
    bars = (
        (0, 0, width, top),
        (0, height - bottom, width, height),
        (0, top, left, height - bottom),
        (width - right, top, width, height - bottom),
    )
    return [
        Box(*bar) for bar in bars if bar[0] < bar[2] and bar[1] < bar[3] and (top or bottom or left or right)
    ]


def _lab(rgb: Array) -> NDArray[np.float32]:
    """CIE Lab with lightness halved, so that shading has less weight than colour."""
    lab = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    return np.asarray(lab * np.array([0.5, 1, 1], np.float32), np.float32)


def _distance(lab: NDArray[np.float32], middle: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(np.sqrt(((lab - middle) ** 2).sum(axis=2)), np.float32)


def _ring(height: int, width: int) -> NDArray[np.bool_]:
    wide = max(1, round(min(height, width) * _RING))
    ring = np.ones((height, width), np.bool_)
    ring[wide : height - wide, wide : width - wide] = False
    return ring


def _share_of(rgb: Array, where: NDArray[np.bool_], colour: Colour) -> float:
    """Share of some pixels that have a colour."""
    return float((fitness(hsv(rgb), colour)[where] > 0).mean()) if where.any() else 0.0


def _bars(fits: NDArray[np.bool_]) -> tuple[int, int]:
    """Number of matching rows from either end without a gap; none when all match."""
    if fits.all():
        return 0, 0
    return int(np.argmin(fits)), int(np.argmin(fits[::-1]))
