"""Cut out the object at a point: grow a region of like colour, then let GrabCut find its outline.

Source: the most stable of the nested regions is kept, as in J. Matas et al., Robust wide baseline stereo from
maximally stable extremal regions, BMVC 2002; then C. Rother et al., GrabCut, SIGGRAPH 2004.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from promptvision.plugin import Point
from promptvision_opencv.arrays import Array, shrink
from promptvision_opencv.grabcut import Mask, label_pixels

__all__ = ["cut_at"]

_WORK_SIDE = 400
"""Longer side in pixels of the copies that are searched and cut."""
_TOLERANCES = np.arange(4.0, 60.0, 2.0)
"""Distances from the colour at the point, in CIE Lab with lightness halved, that are tried."""
_MARGIN = 0.4
"""Surroundings that are shown to GrabCut as background, in shares of the region's sides."""
_LARGEST = 0.6
"""Greatest share of the image that one object fills."""


def cut_at(rgb: Array, point: Point, background: Sequence[Point], seed: int) -> Mask:
    """Mask of the object at a point.

    Args:
        rgb: H x W x 3 uint8.
        point: on the object, within the image.
        background: points within the image that are not on the object.
        seed: same seed, same mask.

    Returns:
        H x W uint8, 0 or 255; one connected region that holds the point and no background point.
    """
    small, factor = shrink(rgb, _WORK_SIDE)
    region = _region(
        small, _scaled(point, factor, small), [_scaled(each, factor, small) for each in background]
    )
    left, top, right, bottom = _surroundings(region, factor, rgb)
    part, zoom = shrink(np.ascontiguousarray(rgb[top:bottom, left:right]), _WORK_SIDE)
    size = part.shape[1], part.shape[0]
    whole = cv2.resize(region, (rgb.shape[1], rgb.shape[0]), interpolation=cv2.INTER_NEAREST)
    probable = np.asarray(
        cv2.resize(whole[top:bottom, left:right], size, interpolation=cv2.INTER_NEAREST), np.uint8
    )
    inside = _scaled(Point(point.x - left, point.y - top), zoom, part)
    outside = [
        _scaled(Point(each.x - left, each.y - top), zoom, part)
        for each in background
        if left <= each.x < right and top <= each.y < bottom
    ]
    cut = _outline(part, probable, inside, outside, seed)
    mask = np.zeros(rgb.shape[:2], np.uint8)
    grown = cv2.resize(cut * 255, (right - left, bottom - top), interpolation=cv2.INTER_LINEAR)
    mask[top:bottom, left:right] = np.where(grown > 127, 255, 0)
    return mask


def _scaled(point: Point, factor: float, image: Array) -> tuple[int, int]:
    """Row and column of a point in an image that is reduced by a factor."""
    height, width = image.shape[:2]
    return min(height - 1, int(point.y / factor)), min(width - 1, int(point.x / factor))


def _region(rgb: Array, at: tuple[int, int], background: Sequence[tuple[int, int]]) -> Mask:
    """The connected region of like colour around a pixel whose size changes least with the tolerance."""
    distance = _distance(rgb, at)
    limit = min((float(distance[place]) for place in background), default=np.inf)
    found: list[Mask] = []
    for tolerance in _TOLERANCES:
        if found and tolerance > limit:
            break
        region = _connected((distance <= tolerance).astype(np.uint8), at)
        if found and region.mean() > _LARGEST:
            break
        found.append(region)
    sizes = [float(region.sum()) for region in found]
    return _filled(found[_most_stable(sizes)])


def _distance(rgb: Array, at: tuple[int, int]) -> NDArray[np.float32]:
    """Distance of each pixel from the colour around one of them."""
    smooth = np.asarray(cv2.bilateralFilter(rgb, 5, 30, 5), np.float32) / 255
    lab = np.asarray(cv2.cvtColor(smooth, cv2.COLOR_RGB2LAB), np.float32) * np.array([0.5, 1, 1], np.float32)
    row, column = at
    around = lab[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2].reshape(-1, 3)
    distance = np.sqrt(((lab - np.median(around, axis=0)) ** 2).sum(axis=2))
    distance[at] = 0
    return np.asarray(distance, np.float32)


def _most_stable(sizes: Sequence[float]) -> int:
    """Index of the size that grows least from the one before it to the one after it."""
    growth = [
        (sizes[min(index + 1, len(sizes) - 1)] - sizes[max(index - 1, 0)]) / sizes[index]
        for index in range(len(sizes))
    ]
    inner = growth[1:-1]
    return 1 + int(np.argmin(inner)) if inner else len(sizes) - 1


def _connected(field: Mask, at: tuple[int, int]) -> Mask:
    """The part of a field that is connected with a pixel."""
    _, regions = cv2.connectedComponents(field, connectivity=4)
    return np.asarray(regions == regions[at], np.uint8)


def _filled(region: Mask) -> Mask:
    """A region without its holes, such as reflections and small markings."""
    outlines, _ = cv2.findContours(region, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return np.asarray(cv2.drawContours(region.copy(), outlines, -1, 1, cv2.FILLED), np.uint8)


def _surroundings(region: Mask, factor: float, rgb: Array) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what GrabCut sees, in pixels of the image."""
    left, top, width, height = cv2.boundingRect(region)
    pad_x, pad_y = max(8.0, width * _MARGIN), max(8.0, height * _MARGIN)
    return (
        max(0, int((left - pad_x) * factor)),
        max(0, int((top - pad_y) * factor)),
        min(rgb.shape[1], int((left + width + pad_x) * factor) + 1),
        min(rgb.shape[0], int((top + height + pad_y) * factor) + 1),
    )


def _outline(
    part: Array, probable: Mask, inside: tuple[int, int], outside: Sequence[tuple[int, int]], seed: int
) -> Mask:
    """The region that holds a pixel after GrabCut, 0 or 1."""
    probable[inside] = 1
    core = cv2.erode(probable, np.ones((7, 7), np.uint8))
    near = cv2.dilate(probable, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (15, 15)))
    labels = np.where(near > 0, cv2.GC_PR_BGD, cv2.GC_BGD).astype(np.uint8)
    labels[probable > 0] = cv2.GC_PR_FGD
    labels[core > 0] = cv2.GC_FGD
    labels[inside] = cv2.GC_FGD
    for row, column in outside:
        labels[max(0, row - 2) : row + 3, max(0, column - 2) : column + 3] = cv2.GC_BGD
    cut = label_pixels(part, labels, seed)
    cut[inside] = 1
    return _connected(cut, inside)
