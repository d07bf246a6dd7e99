"""Segment an object in its box by the requested colour."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from promptvision.plugin import Box
from promptvision_opencv.arrays import Array
from promptvision_opencv.colours import COLOURS, Colour, fitness, hsv

__all__ = ["cut_by_colour", "share_of_colour", "without_other_colours"]

Mask = NDArray[np.uint8]

_LEAST_SHARE = 0.1
"""Minimum share of the box that a cut must have."""
_LEAST_PURITY = 0.1
"""Share of the cut that must clearly have the colour."""
_LARGEST_HIGHLIGHT = 0.05
"""A bright hole of up to this share of the object is a reflection on it."""


def cut_by_colour(rgb: Array, box: Box, colour: Colour) -> Mask | None:
    """Mask of the largest region of a colour in a box.

    The region grows from pixels that clearly have the colour into joined ones that may (its shaded side).
    Holes of another colour stay holes; small bright ones are reflections and belong to it.

    Args:
        rgb: H x W x 3 uint8.
        box: whole pixels, within the image.
        colour: the colour.

    Returns:
        H x W uint8, 0 or 255 and 0 outside the box; None when the box contains no such object.
    """
    x1, y1, x2, y2 = (int(side) for side in box)
    part = np.ascontiguousarray(rgb[y1:y2, x1:x2])
    pixels = hsv(np.asarray(cv2.medianBlur(part, 3), np.uint8))
    sure = fitness(pixels, colour) > 0.6
    field = (sure | (fitness(pixels, colour.relaxed()) > 0.6)).astype(np.uint8)
    opened = np.asarray(cv2.morphologyEx(field, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)), np.uint8)
    count, regions, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=8)
    if count < 2:
        return None
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    cut = _with_highlights(np.asarray(regions == largest, np.uint8), pixels)
    if cut.mean() < _LEAST_SHARE or sure[cut > 0].mean() < _LEAST_PURITY:
        return None
    mask = np.zeros(rgb.shape[:2], np.uint8)
    mask[y1:y2, x1:x2] = cut * 255
    return mask


def share_of_colour(rgb: Array, mask: Mask, colour: Colour) -> float:
    """Share of the masked pixels (H x W uint8, 255 = masked) that may have a colour, 0 to 1."""
    inside = rgb[mask > 0]
    if not len(inside):
        return 0.0
    return float((fitness(hsv(inside[None]), colour.relaxed()) > 0).mean())


def without_other_colours(rgb: Array, mask: Mask, cut: Mask, colour: Colour) -> Mask:
    """A widened mask without the pixels around the cut that clearly have another colour.

    Args:
        rgb: H x W x 3 uint8.
        mask: H x W uint8, the cut and some pixels around it.
        cut: H x W uint8, what has the colour.
        colour: the colour.
    """
    added = (mask > 0) & (cut == 0)
    pixels = hsv(rgb[added][None])
    own = fitness(pixels, colour.relaxed())
    others = [each for each in COLOURS if each.is_chromatic and each.name != colour.name]
    is_other = (own <= 0) & (np.max([fitness(pixels, each) for each in others], axis=0) > 0.6)
    kept = mask.copy()
    kept[added] = np.where(is_other[0], 0, mask[added])
    return kept


def _with_highlights(cut: Mask, pixels: NDArray[np.float32]) -> Mask:
    """The cut with its small bright holes filled."""
    holes = cv2.morphologyEx(1 - cut, cv2.MORPH_OPEN, np.ones((1, 1), np.uint8))
    count, regions, stats, _ = cv2.connectedComponentsWithStats(np.asarray(holes, np.uint8), connectivity=4)
    height, width = cut.shape
    brightness = float(np.median(pixels[..., 2][cut > 0]))
    filled = cut.copy()
    for number in range(1, count):
        left, top, wide, tall, area = stats[number]
        is_open = left == 0 or top == 0 or left + wide == width or top + tall == height
        if is_open or area > _LARGEST_HIGHLIGHT * cut.sum():
            continue
        hole = regions == number
        if area <= 4 or float(np.median(pixels[..., 2][hole])) >= brightness:
            filled[hole] = 1
    return filled
