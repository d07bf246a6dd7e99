"""Named colours: their ranges in HSV, and how well a pixel matches a name.

HSV is used because shading scales red, green and blue together, which keeps hue and saturation: the dark side
of a red ball has the hue of its bright side.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = [
    "COLOURS",
    "Colour",
    "colour_named",
    "fitness",
    "hsv",
    "is_also_an_object",
    "name_pixels",
    "shade_named",
]

Array = NDArray[np.uint8]
Floats = NDArray[np.float32]
Range = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Colour:
    """One named colour.

    Args:
        name: its name in captions and labels.
        rgb: its typical value, 0 to 255, used for painting.
        hue: lowest and highest hue in degrees, possibly above 360; None when the hue is irrelevant.
        saturation: lowest and highest, 0 to 1.
        value: lowest and highest, 0 to 1.
        words: other words for it.
    """

    name: str
    rgb: tuple[int, int, int]
    hue: Range | None
    saturation: Range
    value: Range
    words: tuple[str, ...] = ()

    @property
    def is_chromatic(self) -> bool:
        """Whether it has a hue."""
        return self.hue is not None

    def relaxed(self) -> Colour:
        """The colour with wider ranges, including shaded and border pixels."""
        if self.hue is None:
            low, high = self.value
            return replace(self, saturation=(0, self.saturation[1] + 0.05), value=(low - 0.06, high + 0.06))
        return replace(
            self,
            hue=(self.hue[0] - 5, self.hue[1] + 5),
            saturation=(self.saturation[0] * 0.65, self.saturation[1] + 0.05),
            value=(max(0.07, self.value[0] * 0.35), 1.0),
        )


def _colour(
    name: str, rgb: tuple[int, int, int], hue: Range | None, saturation: Range, value: Range, words: str = ""
) -> Colour:
    return Colour(name=name, rgb=rgb, hue=hue, saturation=saturation, value=value, words=tuple(words.split()))


COLOURS = (
    _colour("red", (208, 28, 32), (345, 372), (0.45, 1), (0.25, 1), "crimson scarlet maroon ruby"),
    _colour("orange", (240, 126, 20), (14, 38), (0.62, 1), (0.62, 1)),
    _colour("brown", (122, 76, 40), (8, 44), (0.30, 1), (0.14, 0.70), "chestnut"),
    _colour("yellow", (250, 208, 30), (40, 66), (0.40, 1), (0.55, 1), "golden gold"),
    _colour("green", (40, 152, 66), (66, 163), (0.22, 1), (0.16, 1), "lime olive"),
    _colour("turquoise", (26, 178, 182), (163, 194), (0.30, 1), (0.30, 1), "cyan teal"),
    _colour("blue", (32, 86, 204), (194, 252), (0.25, 1), (0.20, 1), "navy"),
    _colour("purple", (124, 56, 176), (252, 302), (0.22, 1), (0.20, 1), "violet lilac lavender"),
    _colour("pink", (242, 122, 176), (302, 350), (0.16, 1), (0.55, 1), "magenta rose fuchsia"),
    _colour("beige", (220, 198, 164), (16, 52), (0.11, 0.36), (0.62, 1), "cream tan ivory"),
    _colour("white", (246, 246, 244), None, (0, 0.10), (0.84, 1)),
    _colour("grey", (134, 136, 138), None, (0, 0.14), (0.20, 0.84), "gray silver"),
    _colour("black", (26, 26, 28), None, (0, 0.45), (0, 0.17)),
)
"""Borders of the hues follow the usual naming of the HSV circle; the rest was set on photographs."""

_AMBIGUOUS = (
    "chestnut chocolate coral cream gold ivory lavender lilac lime olive orange orchid plum rose ruby salmon "
    "silver snow thistle tomato violet wheat"
)
_THINGS = frozenset(_AMBIGUOUS.split())
"""Colour names that are also objects: "the orange" is a fruit, "the orange ball" a ball."""

_SHADES = {
    **dict.fromkeys(["navy", "maroon", "burgundy", "teal", "indigo"], "dark"),
    **dict.fromkeys(["lavender", "lilac", "cyan"], "light"),
}
_BY_WORD = {word: colour for colour in COLOURS for word in (colour.name, *colour.words)}
_SOFT_HUE, _SOFT_SATURATION, _SOFT_VALUE = 14.0, 0.14, 0.14
"""Distance outside a range at which a colour no longer matches, in degrees and in shares of the scale."""


def colour_named(word: str) -> Colour | None:
    """The colour that a lower-case word names, or None."""
    return _BY_WORD.get(word)


def shade_named(word: str) -> str | None:
    """ "dark" or "light" for a lower-case colour name that means one shade only; None for others."""
    return _SHADES.get(word)


def is_also_an_object(word: str) -> bool:
    """Whether a lower-case colour name is also an object, so that only the grammar resolves it."""
    return word in _THINGS


def hsv(rgb: Array) -> Floats:
    """Hue in degrees, saturation and value 0 to 1 of an H x W x 3 image."""
    return cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2HSV).astype(np.float32, copy=False)


def fitness(pixels: Floats, colour: Colour) -> Floats:
    """How well each pixel matches a colour.

    Args:
        pixels: H x W x 3, from :func:`hsv`.
        colour: what to compare with.

    Returns:
        H x W, 1 inside the colour's ranges, falling to 0 and below with the distance from them.
    """
    hue, saturation, value = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    outside = _excess(saturation, colour.saturation) / _SOFT_SATURATION
    outside += _excess(value, colour.value) / _SOFT_VALUE
    if colour.hue is not None:
        outside += _hue_excess(hue, colour.hue) / _SOFT_HUE
    return np.asarray(1 - outside, np.float32)


def name_pixels(pixels: Floats) -> NDArray[np.intp]:
    """Index into :data:`COLOURS` of the colour that matches each pixel best, H x W."""
    best = np.full(pixels.shape[:2], -np.inf, np.float32)
    index = np.zeros(pixels.shape[:2], np.intp)
    for number, colour in enumerate(COLOURS):
        fit = fitness(pixels, colour)
        index[fit > best] = number
        np.maximum(best, fit, out=best)
    return index


def _excess(values: Floats, span: Range) -> Floats:
    """Distance from the span, 0 within."""
    return np.asarray(np.maximum(np.maximum(span[0] - values, values - span[1]), 0), np.float32)


def _hue_excess(hue: Floats, span: Range) -> Floats:
    middle, half = (span[0] + span[1]) / 2, (span[1] - span[0]) / 2
    distance = np.abs((hue - middle + 180) % 360 - 180)
    return np.asarray(np.maximum(distance - half, 0), np.float32)
