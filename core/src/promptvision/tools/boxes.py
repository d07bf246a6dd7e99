"""Convert boxes as written by language models and clients to ``[x1, y1, x2, y2]`` in pixels.

This is the only place where boxes are coerced: the core reads every box argument here, with the size of the
image, before a tool sees it. The forms are listed in ``docs/masks.md``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from promptvision.errors import ArgumentsError
from promptvision.tools.artifacts import plain_type
from promptvision.types import Box

__all__ = ["box_fields", "read_boxes"]

_CORNERS = (
    ("x1", "y1", "x2", "y2"),
    ("x0", "y0", "x1", "y1"),
    ("xmin", "ymin", "xmax", "ymax"),
    ("minx", "miny", "maxx", "maxy"),
    ("left", "top", "right", "bottom"),
    ("startx", "starty", "endx", "endy"),
)
_SIZES = (
    ("x", "y", "width", "height"),
    ("x", "y", "w", "h"),
    ("left", "top", "width", "height"),
    ("x1", "y1", "width", "height"),
    ("xmin", "ymin", "width", "height"),
)
_POINTS = (("topleft", "bottomright"), ("min", "max"), ("start", "end"), ("p1", "p2"))
_HOLDERS = (
    "box",
    "bbox",
    "boxes",
    "bboxes",
    "boundingbox",
    "boundingboxes",
    "coordinates",
    "coords",
    "points",
)
_TRANSPOSED = "box2d"  # [y1, x1, y2, x2] in thousandths, as written by Gemini
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s*%?")
_NOT_NUMBERS = re.compile(
    r"(?<![a-z0-9])(?:x[0-2]?|y[0-2]?|w|h|[xy]_?m(?:in|ax)|left|top|right|bottom|width|height|box|bbox"
    r"|px)(?![a-z0-9])"
    r"|[\s,;:=()\[\]{}<>|'\"]|\bto\b",
    re.IGNORECASE,
)
_MAX_BOXES = 100
_THOUSANDTHS = 1000.0
_OVERSHOOT = 1.05
"""A box may exceed the image by this much and still be read as pixels; it is clipped."""
_TINY = 4
"""Boxes of at most this many pixels in both directions are rejected as a mistake or another unit."""
_SMALL_IMAGE = 64

_Four = tuple[float, float, float, float]


@cache
def box_fields(model: type[BaseModel]) -> dict[str, bool]:
    """Fields that hold boxes: name to whether it holds a list of them."""
    found = {}
    for name, field in model.model_fields.items():
        kind = plain_type(field.annotation)
        if kind is Box:
            found[name] = False
        elif get_origin(kind) is list and get_args(kind) == (Box,):
            found[name] = True
    return found


def read_boxes(
    value: Any, size: tuple[int, int], *, name: str = "bounding_boxes"
) -> tuple[list[Box], list[str]]:
    """Read one or more boxes.

    Text, objects with the usual names, flat lists, corner points, ``[x, y, width, height]`` with a far corner
    that would lie before the near one, swapped corners, shares of the image (0 to 1, or per cent), and
    thousandths (up to 1000 where pixels would lie outside of the image) become pixels. Boxes that exceed the
    image are clipped.

    Args:
        value: the boxes as written.
        size: width and height of the image in pixels.
        name: the argument, for messages.

    Returns:
        The boxes, and a sentence for each change of meaning.

    Raises:
        ArgumentsError: it cannot be read, or a box is empty, tiny or outside of the image; the message states
            the expected form and the size of the image.
    """
    return _Reader(size, name).read(value)


class _Reader:
    def __init__(self, size: tuple[int, int], name: str) -> None:
        self._width, self._height = size
        self._name = name
        self._notes: list[str] = []
        self._is_sized = False
        self._is_transposed = False
        self._has_percents = False

    def read(self, value: Any) -> tuple[list[Box], list[str]]:
        try:
            fours = list(self._fours(value))
        except RecursionError as exc:
            raise self._error("nested too deeply") from exc
        if not fours or len(fours) > _MAX_BOXES:
            raise self._error(f"{len(fours)} boxes" if fours else f"{_shown(value)} is not a box")
        scaled = self._in_pixels(fours)
        return [self._box(four) for four in scaled], list(dict.fromkeys(self._notes))

    # shapes

    def _fours(self, value: Any) -> Iterator[_Four]:
        """The boxes in a value as four numbers each."""
        if isinstance(value, Box):
            yield value.x1, value.y1, value.x2, value.y2
        elif isinstance(value, str):
            yield from self._of_text(value)
        elif isinstance(value, Mapping):
            yield from self._of_object(value)
        elif isinstance(value, list | tuple):
            yield from self._of_list(value)
        else:
            raise self._error(f"{_shown(value)} is not a box")

    def _of_text(self, text: str) -> Iterator[_Four]:
        try:
            loaded = json.loads(text)
        except ValueError:
            loaded = None
        if isinstance(loaded, list | dict):
            yield from self._fours(loaded)
            return
        labels = _NOT_NUMBERS.sub(" ", text)
        numbers = _NUMBER.findall(labels)
        if not numbers or _NUMBER.sub("", labels).strip():
            raise self._error(f"{_shown(text)} is not a box")
        named = re.search(r"(?<![a-z])(w|h|width|height)(?![a-z])", text, re.IGNORECASE)
        self._is_sized = self._is_sized or named is not None
        yield from self._groups([self._number(number) for number in numbers])

    def _of_object(self, value: Mapping[str, Any]) -> Iterator[_Four]:
        named = {re.sub(r"[^a-z0-9]", "", str(key).lower()): item for key, item in value.items()}
        if _TRANSPOSED in named:
            self._is_transposed = True
            for y1, x1, y2, x2 in self._fours(named[_TRANSPOSED]):
                yield x1, y1, x2, y2
            return
        for names in _CORNERS:
            if all(key in named for key in names):
                yield from self._groups([self._number(named[key]) for key in names])
                return
        for names in _SIZES:
            if all(key in named for key in names):
                x, y, width, height = (self._number(named[key]) for key in names)
                yield x, y, x + width, y + height
                return
        for pair in _POINTS:
            if all(key in named for key in pair):
                yield from self._of_list([self._point(named[key]) for key in pair])
                return
        for key in _HOLDERS:
            if key in named:
                yield from self._fours(named[key])
                return
        raise self._error(f"{_shown(value)} is not a box")

    def _of_list(self, value: list[Any] | tuple[Any, ...]) -> Iterator[_Four]:
        if all(_is_number(item) for item in value):
            yield from self._groups([self._number(item) for item in value])
        elif len(value) in (2, 4) and all(_is_point(item) for item in value):
            points = [self._point(item) for item in value]
            across, down = [point[0] for point in points], [point[1] for point in points]
            yield min(across), min(down), max(across), max(down)
        else:
            for item in value:
                yield from self._fours(item)

    def _groups(self, numbers: list[float]) -> Iterator[_Four]:
        if not numbers or len(numbers) % 4:
            raise self._error(f"{len(numbers)} numbers do not make boxes of four")
        for at in range(0, len(numbers), 4):
            first, second, third, fourth = numbers[at : at + 4]
            yield first, second, third, fourth

    def _point(self, value: Any) -> tuple[float, float]:
        if isinstance(value, Mapping):
            value = [value.get("x"), value.get("y")]
        return self._number(value[0]), self._number(value[1])

    def _number(self, value: Any) -> float:
        text = str(value).strip().lower().removesuffix("px").strip()
        if text.endswith("%"):
            self._has_percents = True
            text = text[:-1]
        try:
            number = float(text)
        except ValueError:
            raise self._error(f"{_shown(value)} is not a number") from None
        if isinstance(value, bool) or not abs(number) < 1e9:
            raise self._error(f"{_shown(value)} is not a coordinate")
        return number

    # units

    def _in_pixels(self, fours: list[_Four]) -> list[_Four]:
        largest = max(max(map(abs, four)) for four in fours)
        if self._is_transposed:
            self._notes.append(f"{self._name}: box_2d was read as [y1, x1, y2, x2] in thousandths.")
            return self._scaled(fours, _THOUSANDTHS)
        if self._has_percents:
            self._notes.append(f"{self._name}: read as per cent of the image.")
            return self._scaled(fours, 100.0)
        if largest <= 1 and min(self._width, self._height) > _TINY:
            self._notes.append(f"{self._name}: coordinates from 0 to 1 were read as shares of the image.")
            return self._scaled(fours, 1.0)
        fours = [self._cornered(four) for four in fours]
        outside = any(self._is_outside(four) for four in fours)
        if outside and largest <= _THOUSANDTHS and all(min(four) >= 0 for four in fours):
            self._notes.append(
                f"{self._name}: coordinates over the edge were read as thousandths of the image (0 to 1000)."
            )
            return self._scaled(fours, _THOUSANDTHS)
        return fours

    def _cornered(self, four: _Four) -> _Four:
        """Order the corners; read ``[x, y, width, height]`` where only that is plausible."""
        x1, y1, x2, y2 = four
        if x1 < x2 and y1 < y2 and not self._is_sized:
            return four
        has_size = x2 > 0 and y2 > 0 and x1 + x2 <= self._width and y1 + y2 <= self._height
        if self._is_sized or (has_size and (x1 > x2 or y1 > y2)):
            self._notes.append(f"{self._name}: {_numbers(four)} was read as [x, y, width, height].")
            return x1, y1, x1 + x2, y1 + y2
        if x1 > x2 or y1 > y2:
            self._notes.append(f"{self._name}: the corners of {_numbers(four)} were swapped.")
        return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)

    def _is_outside(self, four: _Four) -> bool:
        return four[2] > self._width * _OVERSHOOT or four[3] > self._height * _OVERSHOOT

    def _scaled(self, fours: Iterable[_Four], unit: float) -> list[_Four]:
        across, down = self._width / unit, self._height / unit
        return [self._ordered((a * across, b * down, c * across, d * down)) for a, b, c, d in fours]

    def _ordered(self, four: _Four) -> _Four:
        x1, y1, x2, y2 = four
        return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)

    def _box(self, four: _Four) -> Box:
        x1, x2 = (min(max(value, 0.0), float(self._width)) for value in four[::2])
        y1, y2 = (min(max(value, 0.0), float(self._height)) for value in four[1::2])
        if x2 <= x1 or y2 <= y1:
            raise self._error(f"{_numbers(four)} is empty or outside of the image")
        wide, high = x2 - x1, y2 - y1
        is_tiny = max(wide, high) <= _TINY or min(wide, high) < 1
        if is_tiny and min(self._width, self._height) >= _SMALL_IMAGE:
            raise self._error(f"{_numbers(four)} has {wide:.3g} x {high:.3g} pixels, too small for an object")
        return Box(x1, y1, x2, y2)

    def _error(self, problem: str) -> ArgumentsError:
        return ArgumentsError(
            f"{self._name}: {problem}; give [x1, y1, x2, y2] in pixels, left, top, right, bottom, within the "
            f"image of {self._width} x {self._height} pixels"
        )


def _is_number(value: Any) -> bool:
    if isinstance(value, str):
        return _NUMBER.fullmatch(value.strip().lower().removesuffix("px").strip()) is not None
    return isinstance(value, int | float)


def _is_point(value: Any) -> bool:
    if isinstance(value, Mapping):
        return {str(key).lower() for key in value} == {"x", "y"}
    return isinstance(value, list | tuple) and len(value) == 2 and all(_is_number(part) for part in value)


def _numbers(four: _Four) -> str:
    return "[" + ", ".join(f"{value:g}" for value in four) + "]"


def _shown(value: Any) -> str:
    return repr(value)[:80]
