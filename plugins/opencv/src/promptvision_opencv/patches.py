"""Fill a wide hole with patches copied from its surroundings, to continue textures and edges.

Source: A. Criminisi, P. Perez, K. Toyama, Region filling and object removal by exemplar-based image
inpainting, IEEE Transactions on Image Processing 13(9), 2004. It runs on a small copy; the offsets found
there determine which pixels of the image are copied.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from promptvision_opencv.arrays import Array

__all__ = ["fill_by_patches"]

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]

_HALF_WIDTH = 26.0
"""Maximum half width of a hole in the small copy, in pixels."""
_REACH = 5
"""Radius of a patch, which has 2 x 5 + 1 pixels a side."""
_FAR = 0.0008
"""Cost of distance: share of the worst match per pixel, so that near patches win among equals."""


def fill_by_patches(part: Array, hole: Array, half: float, check: Callable[[], None]) -> Array | None:
    """Fill a hole with patches.

    Args:
        part: H x W x 3 uint8, the hole with its surroundings.
        hole: H x W uint8, 255 where to fill.
        half: half the width of the hole in pixels.
        check: called regularly; may raise to stop.

    Returns:
        The filled part, or None when the surroundings contain no whole patch.
    """
    zoom = min(1.0, _HALF_WIDTH / half)
    height, width = hole.shape
    size = max(1, round(width * zoom)), max(1, round(height * zoom))
    known = (hole == 0).astype(np.float32)
    total = cv2.resize(known, size, interpolation=cv2.INTER_AREA)
    colours = cv2.resize(part * known[..., None], size, interpolation=cv2.INTER_AREA)
    small = np.asarray(colours / np.maximum(total, 1e-6)[..., None], np.float32)
    # One pixel wider on all sides, so that rounding never selects a pixel of the hole.
    wide = cv2.dilate((total < 0.999).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    offsets = _find_offsets(small, np.asarray(wide, np.bool_), check)
    return None if offsets is None else _copy(part, hole > 0, offsets)


def _find_offsets(image: Floats, hole: Bools, check: Callable[[], None]) -> NDArray[np.int32] | None:
    """The offset down and right to the source of each pixel of the hole; H x W x 2."""
    side = 2 * _REACH + 1
    whole = cv2.erode((~hole).astype(np.uint8), np.ones((side, side), np.uint8), borderValue=0)
    sources = whole > 0
    sources[:_REACH], sources[-_REACH:], sources[:, :_REACH], sources[:, -_REACH:] = (False,) * 4
    if not sources.any():
        return None
    rows, columns = np.mgrid[: hole.shape[0], : hole.shape[1]].astype(np.int32)
    offsets = np.zeros((*hole.shape, 2), np.int32)
    image, hole = image.copy(), hole.copy()
    trust = (~hole).astype(np.float32)
    while hole.any():
        check()
        y, x = _most_urgent(image, hole, trust)
        patch = np.s_[max(0, y - _REACH) : y + _REACH + 1, max(0, x - _REACH) : x + _REACH + 1]
        above, before = y - patch[0].start, x - patch[1].start
        price = _costs(image, hole, patch, sources, (above, before))
        price += price[np.isfinite(price)].max() * _FAR * np.hypot(rows - y, columns - x)
        down, right = (
            int(n) for n in np.subtract(np.unravel_index(int(price.argmin()), price.shape), (y, x))
        )
        missing = hole[patch]
        source = (
            slice(patch[0].start + down, patch[0].start + down + missing.shape[0]),
            slice(patch[1].start + right, patch[1].start + right + missing.shape[1]),
        )
        trust[patch][missing] = trust[patch].mean()
        image[patch][missing] = image[source][missing]
        offsets[patch][missing] = down, right
        hole[patch] = False
    return offsets


def _most_urgent(image: Floats, hole: Bools, trust: Floats) -> tuple[int, int]:
    """The pixel at the hole's border with the most known neighbours and the strongest edge into the hole."""
    border = hole & (cv2.dilate((~hole).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)
    if not border.any():
        border = hole
    side = 2 * _REACH + 1
    certain = cv2.boxFilter(trust, -1, (side, side), borderType=cv2.BORDER_CONSTANT)
    grey = image.mean(axis=2)
    known = cv2.erode((~hole).astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.float32)
    across, down = (cv2.Sobel(grey, cv2.CV_32F, *axis) * known / 255 for axis in ((1, 0), (0, 1)))
    out_x, out_y = (cv2.Sobel(hole.astype(np.float32), cv2.CV_32F, *axis) for axis in ((1, 0), (0, 1)))
    # An edge is perpendicular to its gradient; it enters the hole when it follows the hole's normal.
    across, down = (_strongest(each, (side, side)) for each in (across, down))
    norm = np.maximum(np.hypot(out_x, out_y), 1e-6)
    edge = np.abs(-down * out_x + across * out_y) / norm
    urgency = np.where(border, certain * (edge + 0.02), -1)
    y, x = np.unravel_index(int(urgency.argmax()), urgency.shape)
    return int(y), int(x)


def _strongest(values: Floats, size: tuple[int, int]) -> Floats:
    """The value of each neighbourhood that is furthest from zero."""
    kernel = np.ones(size, np.uint8)
    high, low = cv2.dilate(values, kernel), cv2.erode(values, kernel)
    return np.where(high > -low, high, low).astype(np.float32)


def _costs(
    image: Floats, hole: Bools, patch: tuple[slice, slice], sources: Bools, middle: tuple[int, int]
) -> NDArray[np.float64]:
    """Squared difference of each source patch to the known pixels of this one; infinite without a patch."""
    weight = (~hole[patch]).astype(np.float32)
    match = cv2.matchTemplate(image, image[patch], cv2.TM_SQDIFF, mask=np.dstack([weight] * 3))
    prices = np.full(hole.shape, np.inf)
    above, before = middle
    prices[above : above + match.shape[0], before : before + match.shape[1]] = np.maximum(match, 0)
    prices[~sources] = np.inf
    return prices


def _copy(part: Array, hole: Bools, offsets: NDArray[np.int32]) -> Array:
    """Copy pixels by offsets that were found on a smaller image."""
    height, width = hole.shape
    scale = height / offsets.shape[0], width / offsets.shape[1]
    large = cv2.resize(offsets.astype(np.float32), (width, height), interpolation=cv2.INTER_NEAREST)
    rows, columns = np.nonzero(hole)
    down, right = (np.rint(large[rows, columns, axis] * scale[axis]).astype(np.intp) for axis in (0, 1))
    filled = part.copy()
    filled[rows, columns] = part[(rows + down).clip(0, height - 1), (columns + right).clip(0, width - 1)]
    return filled
