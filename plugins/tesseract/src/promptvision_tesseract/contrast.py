"""Extract the ink of an image: pixels that differ from their surroundings in brightness or colour."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from promptvision_tesseract.preprocess import Grey

__all__ = ["contrast_page", "count_pieces", "has_unread_ink", "remove_leaders", "remove_rules"]

WINDOW_PX = 61
"""Side of the neighbourhood on a copy of at most 1000 px; letters must be smaller than half of it."""
LONGEST_PX = 1000
MIN_CONTRAST = 12
RULE_PX = 60
"""Minimum length of a straight line to be a rule and not a stroke of a letter."""
RULE_ASPECT = 12
LEADERS = 5
"""Minimum number of dots in a row to be leader dots and not text."""
UNREAD_SHARE = 0.04


def contrast_page(rgb: NDArray[np.uint8]) -> Grey:
    """Dark ink on white for any colours; mixed polarity is unified.

    Args:
        rgb: H x W x 3.
    """
    height, width = rgb.shape[:2]
    scale = min(LONGEST_PX / max(height, width), 1.0)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    paper = cv2.resize(cv2.medianBlur(small, WINDOW_PX), (width, height), interpolation=cv2.INTER_NEAREST)
    apart = cv2.absdiff(rgb, paper).max(axis=2)
    ink = float(np.percentile(apart, 99.5))
    if ink < MIN_CONTRAST:
        return np.full((height, width), 255, np.uint8)
    return np.asarray(255 - np.clip(apart.astype(np.float32) * (255 / ink), 0, 255), np.uint8)


def remove_rules(grey: Grey) -> Grey:
    """Paint over the straight lines of tables and forms, so that the cells between them are read."""
    ink = _ink(grey)
    rules = np.zeros_like(ink)
    for kernel in (np.ones((1, RULE_PX), np.uint8), np.ones((RULE_PX, 1), np.uint8)):
        lines = cv2.morphologyEx(ink, cv2.MORPH_OPEN, kernel)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(lines, connectivity=8)
        for label in range(1, count):
            _, _, width, height, area = stats[label]
            if area * RULE_ASPECT <= max(width, height) ** 2:
                rules[labels == label] = 255
    if not rules.any():
        return grey
    return np.where(cv2.dilate(rules, np.ones((3, 3), np.uint8)) > 0, 255, grey).astype(np.uint8)


def remove_leaders(grey: Grey) -> Grey:
    """Paint over rows of dots between a title and its page number."""
    count, _, stats, centres = cv2.connectedComponentsWithStats(_ink(grey), connectivity=8)
    sizes = stats[1:, 2:4].max(axis=1) if count > 1 else np.zeros(0)
    letters = sizes[sizes >= 8]
    if len(letters) < 3:
        return grey
    dots = 1 + np.flatnonzero(sizes <= max(float(np.median(letters)) / 4, 2))
    order = sorted(dots.tolist(), key=lambda label: (round(centres[label][1] / 4), centres[label][0]))
    cleared = grey.copy()
    row: list[int] = []
    for label in [*order, 0]:
        if row and (
            label == 0 or not _continues(centres[row[-1]], centres[label], float(np.median(letters)))
        ):
            if len(row) >= LEADERS:
                left, top = stats[row, 0].min() - 2, stats[row, 1].min() - 2
                right = (stats[row, 0] + stats[row, 2]).max() + 2
                bottom = (stats[row, 1] + stats[row, 3]).max() + 2
                cleared[max(top, 0) : bottom, max(left, 0) : right] = 255
            row = []
        row.append(label)
    return cleared


def _continues(some: NDArray[np.float64], other: NDArray[np.float64], letter: float) -> bool:
    return bool(abs(some[1] - other[1]) < 3 and 0 < other[0] - some[0] < letter)


def has_unread_ink(grey: Grey, boxes: Iterable[tuple[float, float, float, float]]) -> bool:
    """Whether letter-like pieces of ink are outside the boxes of recognised words.

    Args:
        grey: dark ink on light paper.
        boxes: left, top, right, bottom in its pixels.
    """
    read = np.zeros(grey.shape, np.uint8)
    for left, top, right, bottom in boxes:
        read[max(int(top) - 2, 0) : int(bottom) + 3, max(int(left) - 2, 0) : int(right) + 3] = 1
    _, _, stats, centres = cv2.connectedComponentsWithStats(_ink(grey), connectivity=8)
    long, short, area = stats[1:, 2:4].max(axis=1), stats[1:, 2:4].min(axis=1), stats[1:, 4]
    letters = (long >= 6) & (area >= 8) & (long <= 6 * short) & (long < max(grey.shape) / 3)
    places = centres[1:][letters].astype(int)
    if not len(places):
        return False
    unread = int(np.sum(read[places[:, 1], places[:, 0]] == 0))
    return unread > UNREAD_SHARE * len(places)


def count_pieces(grey: Grey) -> int:
    """Number of connected pieces of ink of at least 8 pixels; textures have hundreds.

    Args:
        grey: dark ink on light paper.
    """
    _, _, stats, _ = cv2.connectedComponentsWithStats(_ink(grey), connectivity=8)
    return int(np.sum(stats[1:, cv2.CC_STAT_AREA] >= 8))


def _ink(grey: Grey) -> Grey:
    return (grey < 140).astype(np.uint8) * np.uint8(255)
