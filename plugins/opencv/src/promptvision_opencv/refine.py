"""Refine raw masks for edits. Shared by all segmentation tools.

A mask is H x W uint8: 0 = keep, 255 = edit.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["SMALLEST_REGION", "invert", "merge", "refine"]

Mask = NDArray[np.uint8]

SMALLEST_REGION = 20
"""Connected regions with fewer pixels are noise."""

_OPEN, _CLOSE, _DILATE = (cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (n, n)) for n in (3, 5, 3))
_BLUR = (5, 5)
_THRESHOLD = 127


def merge(masks: Sequence[Mask]) -> Mask:
    """The union of masks of one size.

    Raises:
        ValueError: there is none, or their sizes differ.
    """
    if len({mask.shape for mask in masks}) != 1:
        raise ValueError(f"masks to merge must have one size, not {[mask.shape for mask in masks]}")
    return np.asarray(np.bitwise_or.reduce([_binary(mask) for mask in masks]), np.uint8)


def invert(mask: Mask) -> Mask:
    """The complement of a mask.

    Raises:
        ValueError: the mask selects every pixel.
    """
    inverted = np.where(mask > _THRESHOLD, 0, 255).astype(np.uint8)
    if not inverted.any():
        raise ValueError("the mask covers the whole image, so nothing is outside it")
    return inverted


def refine(mask: Mask) -> Mask:
    """Clean a mask: open, close, drop specks, dilate by a pixel and smooth its outline.

    Opening (erosion, then dilation) removes noise, closing fills cracks, regions under
    :data:`SMALLEST_REGION` pixels are dropped, dilation adds mixed pixels at the edge of the object, and a
    Gaussian blur with a threshold at 127 smooths the outline.
    """
    clean = cv2.morphologyEx(_binary(mask), cv2.MORPH_OPEN, _OPEN)
    clean = cv2.morphologyEx(clean, cv2.MORPH_CLOSE, _CLOSE)
    clean = cv2.dilate(_without_specks(np.asarray(clean, np.uint8)), _DILATE)
    return _binary(np.asarray(cv2.GaussianBlur(clean, _BLUR, 0), np.uint8))


def _binary(mask: Mask) -> Mask:
    return np.where(mask > _THRESHOLD, 255, 0).astype(np.uint8)


def _without_specks(mask: Mask) -> Mask:
    count, regions, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    kept = np.zeros(count, np.uint8)
    kept[1:] = np.where(stats[1:, cv2.CC_STAT_AREA] >= SMALLEST_REGION, 255, 0)
    return np.asarray(kept[regions], np.uint8)
