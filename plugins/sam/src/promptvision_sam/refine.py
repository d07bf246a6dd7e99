"""Refine raw masks for edits, exactly as promptvision-opencv does.

The core depends neither on OpenCV nor on numpy, and plugins do not import one another, so both have this
code; ``tests/test_refined_masks.py`` compares them. A mask is H x W uint8: 0 = keep, 255 = edit.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["SMALLEST_REGION", "refine"]

Mask = NDArray[np.uint8]

SMALLEST_REGION = 20
"""Connected regions with fewer pixels are noise."""

_OPEN, _CLOSE, _DILATE = (cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (n, n)) for n in (3, 5, 3))
_BLUR = (5, 5)
_THRESHOLD = 127


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
