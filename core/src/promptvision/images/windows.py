"""Choose the windows of an image that an inpainting model works on.

Masks are mode L here, 255 = edit. Windows are ``(left, top, right, bottom)`` in pixels.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["MAX_WINDOWS", "Window", "choose_window", "split_mask"]

Window: TypeAlias = tuple[int, int, int, int]

MAX_WINDOWS = 4
"""Maximum number of windows, each of which is one model run; further regions share windows."""

_MAX_REGIONS = 64
_CELL = 32
"""Side of the squares in which regions are distinguished: closer ones are one region."""

_MARGIN, _SMALLEST_MARGIN = 0.5, 64
_SMALLEST_WINDOW = 512


def choose_window(mask: Image) -> Window:
    """The mask's bounding box, extended by context for the model.

    It grows by half its longer side and at least 64 pixels, to at least 512 pixels a side and an aspect ratio
    of at most 2, limited by the image.

    Raises:
        ValueError: the mask is empty.
    """
    box = mask.getbbox()
    if box is None:
        raise ValueError("the mask is empty, so there is no window around it")
    return _grow(box, mask.width, mask.height)


def split_mask(mask: Image, work_pixels: int) -> list[Image]:
    """Split a mask into parts that are painted in separate windows.

    Regions share a window if the model sees them at full resolution there, or if one window takes no more
    pixels than two. So two small objects far apart in a large photo are each painted at the model's native
    resolution.

    Args:
        mask: not empty.
        work_pixels: how many pixels the model works on.

    Returns:
        One to :data:`MAX_WINDOWS` masks of the same size, whose union is the mask.
    """
    if _area(choose_window(mask)) <= work_pixels:
        return [mask]
    labels, count = _label(_cells(mask))
    if not 1 < count <= _MAX_REGIONS:
        return [mask]
    parts = [_part(mask, labels, (label,)) for label in range(1, count + 1)]
    boxes = [part.getbbox() for part in parts]
    groups = [_Group((label,), box, *mask.size) for label, box in enumerate(boxes, 1) if box is not None]
    return [_part(mask, labels, group.members) for group in _merge(groups, work_pixels)]


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
    """Merge groups, smallest common window first, until only distant ones are left."""
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


def _cells(mask: Image) -> list[list[bool]]:
    """Whether each square of ``_CELL`` pixels has a pixel of the mask, by rows."""
    return [
        [
            mask.crop((x, y, min(x + _CELL, mask.width), min(y + _CELL, mask.height))).getbbox() is not None
            for x in range(0, mask.width, _CELL)
        ]
        for y in range(0, mask.height, _CELL)
    ]


def _label(cells: list[list[bool]]) -> tuple[list[list[int]], int]:
    """Number the 8-connected regions from 1; 0 is outside of all."""
    height, width = len(cells), len(cells[0])
    labels = [[0] * width for _ in cells]
    count = 0
    for row in range(height):
        for column in range(width):
            if not cells[row][column] or labels[row][column]:
                continue
            count += 1
            labels[row][column] = count
            queue = deque([(row, column)])
            while queue:
                y, x = queue.popleft()
                for below in range(max(0, y - 1), min(height, y + 2)):
                    for beside in range(max(0, x - 1), min(width, x + 2)):
                        if cells[below][beside] and not labels[below][beside]:
                            labels[below][beside] = count
                            queue.append((below, beside))
    return labels, count


def _part(mask: Image, labels: list[list[int]], chosen: tuple[int, ...]) -> Image:
    """The part of a mask that lies in the chosen regions."""
    from PIL.Image import Resampling, frombytes
    from PIL.ImageChops import darker

    size = len(labels[0]), len(labels)
    cells = frombytes("L", size, bytes(255 * (label in chosen) for row in labels for label in row))
    fine = cells.resize((size[0] * _CELL, size[1] * _CELL), Resampling.NEAREST)
    return darker(mask, fine.crop((0, 0, *mask.size)))


def _grow(box: Window, image_width: int, image_height: int) -> Window:
    width, height = box[2] - box[0], box[3] - box[1]
    margin = max(_SMALLEST_MARGIN, int(_MARGIN * max(width, height)))
    wide, high = (max(side + 2 * margin, _SMALLEST_WINDOW) for side in (width, height))
    wide, high = max(wide, high // 2), max(high, wide // 2)
    left, right = _span(box[0], width, wide, image_width)
    top, bottom = _span(box[1], height, high, image_height)
    return left, top, right, bottom


def _span(start: int, length: int, wanted: int, limit: int) -> tuple[int, int]:
    """An interval of ``wanted`` pixels around another, shifted into ``0..limit``."""
    wanted = min(wanted, limit)
    first = min(max(0, start + (length - wanted) // 2), limit - wanted)
    return first, first + wanted


def _area(window: Window) -> int:
    return (window[2] - window[0]) * (window[3] - window[1])
