"""Find objects by their colour: connected regions, their boxes and the shape of their outline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from promptvision.plugin import Box
from promptvision_opencv.arrays import Array, shrink
from promptvision_opencv.colours import Colour, fitness, hsv
from promptvision_opencv.prompts import Shape

__all__ = ["Region", "find_regions", "shape_fit"]

_WORK_SIDE = 640
_SMALLEST_SHARE = 0.0004
"""Minimum size of a region, as a share of the image."""
_SURE_SHARE = 0.002
"""Share of the image from which a region is scored by its colour alone; smaller ones score lower."""
_LEAST_FIT = 0.72
"""Minimum share of its circle, rectangle or triangle that an outline must fill to have that shape."""
_BACKGROUND_SHARE = 0.5
_BEHIND = 0.4
"""Factor of the background's score, which puts it below the usual threshold of 0.45."""


@dataclass(frozen=True)
class Region:
    """A connected region of one colour.

    Args:
        box: in pixels of the image.
        score: 0 to 1.
        area: number of pixels, holes included.
    """

    box: Box
    score: float
    area: float


def find_regions(rgb: Array, colour: Colour, shape: Shape | None = None) -> list[Region]:
    """Find connected regions of a colour, best first.

    A region grows from pixels that certainly have the colour into connected ones that may have it (its shaded
    side), and holes in it (a highlight, a letter) belong to it.

    Args:
        rgb: H x W x 3 uint8.
        colour: the colour.
        shape: the outline it must have.

    Returns:
        Regions; the score is the share of surely coloured pixels, times the fit of the shape, less for a
        tiny region and for one that looks like the background.
    """
    small, factor = shrink(rgb, _WORK_SIDE)
    pixels = hsv(cv2.medianBlur(small, 3).astype(np.uint8, copy=False))
    sure = fitness(pixels, colour) > 0.6
    maybe = fitness(pixels, colour.relaxed()) > 0.6
    found = [
        Region(_enlarged(box, factor, rgb), score, area * factor**2)
        for box, score, area in _scored(sure, maybe, shape)
        if score > 0
    ]
    return sorted(found, key=lambda region: -region.score)


def shape_fit(contour: NDArray[np.int32], shape: Shape) -> float:
    """How well an outline fills the smallest circle, rectangle or triangle around it, 0 to 1.

    For a circle the isoperimetric quotient 4 pi A / P^2 of the convex hull counts too: it is 1 for a disc,
    0.91 for a regular hexagon and 0.79 for a square.
    """
    hull = cv2.convexHull(contour)
    area = cv2.contourArea(contour)
    if area <= 0:
        return 0.0
    if shape is Shape.ROUND:
        (_, radius), perimeter = cv2.minEnclosingCircle(hull), cv2.arcLength(hull, closed=True)
        quotient = 4 * np.pi * cv2.contourArea(hull) / perimeter**2
        return float(min(area / (np.pi * radius**2), quotient**2))
    if shape is Shape.SQUARE:
        _, (width, height), _ = cv2.minAreaRect(hull)
        return float(min(area / (width * height), 1.0))
    around, _ = cv2.minEnclosingTriangle(hull)
    return float(min(area / around, 1.0)) if around else 0.0


def _scored(
    sure: NDArray[np.bool_], maybe: NDArray[np.bool_], shape: Shape | None
) -> Iterator[tuple[tuple[int, int, int, int], float, int]]:
    """Yield the rectangle (left, top, width, height), score and area of each region."""
    field = cv2.morphologyEx((sure | maybe).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    contours, _ = cv2.findContours(field, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    for contour in contours:
        left, top, width, height = box = _rectangle(contour)
        filled = np.zeros((height, width), np.uint8)
        cv2.drawContours(filled, [contour], -1, 1, cv2.FILLED, offset=(-left, -top))
        area = int(filled.sum())
        share = area / sure.size
        purity = float(sure[top : top + height, left : left + width][filled > 0].mean())
        if share < _SMALLEST_SHARE or purity < 0.1:
            continue
        fit = 1.0 if shape is None else _judged(np.asarray(contour, np.int32), shape)
        size = min(1.0, 0.5 + 0.5 * share / _SURE_SHARE)
        score = (0.5 + 0.5 * purity) * fit * size * _foreground(box, share, sure)
        yield (left, top, width, height), score, area


def _rectangle(contour: cv2.typing.MatLike) -> tuple[int, int, int, int]:
    left, top, width, height = cv2.boundingRect(contour)
    return left, top, width, height


def _judged(contour: NDArray[np.int32], shape: Shape) -> float:
    """The shape fit, or 0 when the outline has another shape."""
    fits = {each: shape_fit(contour, each) for each in Shape}
    fit = fits[shape]
    return fit if fit >= _LEAST_FIT and fit >= 0.85 * max(fits.values()) else 0.0


def _foreground(box: tuple[int, int, int, int], share: float, image: NDArray[np.bool_]) -> float:
    """1 for an object in the foreground; less for a region that touches three sides of the image."""
    left, top, width, height = box
    tall, wide = image.shape
    touched = (left <= 1) + (top <= 1) + (left + width >= wide - 1) + (top + height >= tall - 1)
    return _BEHIND if touched >= 3 and share > _BACKGROUND_SHARE else 1.0


def _enlarged(box: tuple[int, int, int, int], factor: float, rgb: Array) -> Box:
    left, top, width, height = box
    x2, y2 = round((left + width) * factor), round((top + height) * factor)
    return Box(round(left * factor), round(top * factor), min(x2, rgb.shape[1]), min(y2, rgb.shape[0]))
