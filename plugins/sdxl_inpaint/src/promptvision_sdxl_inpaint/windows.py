"""Which parts of an image the model paints, and in how many windows.

Masks are H x W bool arrays here, True = edit. Windows are ``(left, top, right, bottom)`` in pixels.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MAX_WINDOWS", "Window", "choose_window", "split_mask"]

Window = tuple[int, int, int, int]

MAX_WINDOWS = 4
"""Each window is a run of the models; more regions than that share windows."""

_MAX_REGIONS = 64
_CELL = 32
"""Side of the squares in which regions are told apart: closer than that they are one region."""

_MARGIN, _SMALLEST_MARGIN = 0.5, 64
_SMALLEST_WINDOW = 512


def choose_window(mask: NDArray[np.bool_]) -> Window:
    """The mask's bounding box, grown so that the model sees the surroundings.

    By half the box's longer side and at least 64 pixels; to at least 512 pixels a side and at most twice as
    long as wide; all of it as far as the image reaches.
    """
    return _grow(_bounding_box(mask), mask.shape[1], mask.shape[0])


def split_mask(mask: NDArray[np.bool_], work_pixels: int) -> list[NDArray[np.bool_]]:
    """Split a mask into parts to be painted in windows of their own.

    Regions share a window if the model sees them at full resolution there, or if one window takes no more
    pixels than two. So two small things far apart in a large photo are each painted at the model's own
    resolution.

    Args:
        mask: not empty.
        work_pixels: how many pixels the model works on.

    Returns:
        One to :data:`MAX_WINDOWS` masks of the same shape, whose union is the mask.
    """
    height, width = mask.shape
    if _area(choose_window(mask)) <= work_pixels:
        return [mask]
    labels, count = _label(_cells(mask))
    if not 1 < count <= _MAX_REGIONS:
        return [mask]
    fine = labels.repeat(_CELL, axis=0).repeat(_CELL, axis=1)[:height, :width]
    parts = [mask & (fine == label) for label in range(1, count + 1)]
    groups = [_Group((index,), _bounding_box(part), width, height) for index, part in enumerate(parts)]
    return [
        np.logical_or.reduce([parts[index] for index in group.members])
        for group in _merge(groups, work_pixels)
    ]


@dataclass(frozen=True)
class _Group:
    """Regions that share a window, in an image of ``width`` x ``height`` pixels."""

    members: tuple[int, ...]
    box: Window
    width: int
    height: int

    @property
    def area(self) -> int:
        return _area(_grow(self.box, self.width, self.height))

    def joined(self, other: _Group) -> _Group:
        (a, b, c, d), (e, f, g, h) = self.box, other.box
        box = min(a, e), min(b, f), max(c, g), max(d, h)
        return _Group(self.members + other.members, box, self.width, self.height)


def _merge(groups: list[_Group], work_pixels: int) -> list[_Group]:
    """Join groups, those first whose common window is the smallest, until only distant ones are left."""
    while len(groups) > 1:
        pairs = [(first.joined(second), first, second) for first, second in combinations(groups, 2)]
        joined, first, second = min(pairs, key=lambda pair: pair[0].area - pair[1].area - pair[2].area)
        if len(groups) <= MAX_WINDOWS and joined.area > max(work_pixels, first.area + second.area):
            close = [pair for pair in pairs if pair[0].area <= work_pixels]
            if not close:
                break
            joined, first, second = close[0]
        groups = [*(group for group in groups if group not in (first, second)), joined]
    return groups


def _cells(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether each square of ``_CELL`` pixels has a pixel of the mask."""
    height, width = (-side % _CELL for side in mask.shape)
    padded = np.pad(mask, ((0, height), (0, width)))
    rows, columns = padded.shape[0] // _CELL, padded.shape[1] // _CELL
    return np.asarray(padded.reshape(rows, _CELL, columns, _CELL).any(axis=(1, 3)))


def _label(cells: NDArray[np.bool_]) -> tuple[NDArray[np.int32], int]:
    """Number the 8-connected regions from 1; 0 is outside of all."""
    labels = np.zeros(cells.shape, np.int32)
    count = 0
    for row, column in np.argwhere(cells).tolist():
        if labels[row, column]:
            continue
        count += 1
        labels[row, column] = count
        queue = deque([(row, column)])
        while queue:
            y, x = queue.popleft()
            for below in range(max(0, y - 1), min(cells.shape[0], y + 2)):
                for beside in range(max(0, x - 1), min(cells.shape[1], x + 2)):
                    if cells[below, beside] and not labels[below, beside]:
                        labels[below, beside] = count
                        queue.append((below, beside))
    return labels, count


def _bounding_box(mask: NDArray[np.bool_]) -> Window:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _grow(box: Window, image_width: int, image_height: int) -> Window:
    width, height = box[2] - box[0], box[3] - box[1]
    margin = max(_SMALLEST_MARGIN, int(_MARGIN * max(width, height)))
    wide, high = (max(side + 2 * margin, _SMALLEST_WINDOW) for side in (width, height))
    wide, high = max(wide, high // 2), max(high, wide // 2)
    left, right = _span(box[0], width, wide, image_width)
    top, bottom = _span(box[1], height, high, image_height)
    return left, top, right, bottom


def _span(start: int, length: int, wanted: int, limit: int) -> tuple[int, int]:
    """A stretch of ``wanted`` pixels around another, moved to lie within ``0..limit``."""
    wanted = min(wanted, limit)
    first = min(max(0, start + (length - wanted) // 2), limit - wanted)
    return first, first + wanted


def _area(window: Window) -> int:
    return (window[2] - window[0]) * (window[3] - window[1])
