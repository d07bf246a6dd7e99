"""Reading from a prompt which colour a thing shall have."""

from __future__ import annotations

import re

from PIL import ImageColor

from promptvision_opencv.colours import colour_named
from promptvision_opencv.prompts import is_filler, is_shape, singular

__all__ = ["read_paint"]

Rgb = tuple[int, int, int]

_DARKER, _LIGHTER = frozenset({"dark", "deep"}), frozenset({"light", "pale", "pastel"})
_FILLERS = frozenset(
    {"paint", "painted", "make", "made", "turn", "be", "it", "same", "version", "tone", "shade"}
)


def read_paint(prompt: str, target: str | None) -> Rgb | None:
    """The colour that a prompt asks for, if a change of colour is all that it asks for.

    "blue" does, and "a blue ball" does when the target is a ball or not named; "an orange cat" instead of a
    lion does not, for it asks for another thing.

    Returns:
        sRGB, or None when the prompt asks for anything but one colour.
    """
    words = re.findall(r"[\w-]+", prompt.lower())
    named = [word for word in words if colour_named(word)]
    if len({_rgb(word) for word in named}) != 1:
        return None
    nouns = {singular(word) for word in words if word not in named and not _is_filler(word)}
    allowed = {singular(word) for word in re.findall(r"[\w-]+", (target or "").lower())}
    if not all(noun in allowed or (target is None and is_shape(noun)) for noun in nouns):
        return None
    return _toned(_rgb(named[0]), frozenset(words))


def _is_filler(word: str) -> bool:
    return word in _FILLERS or is_filler(word)


def _rgb(word: str) -> Rgb:
    """Our own look of the plain colours, the CSS one of others ("navy"), else that of the plain colour."""
    colour = colour_named(word)
    assert colour is not None  # callers pass colour words only
    if word in (colour.name, "gray") or word not in ImageColor.colormap:
        return colour.rgb
    red, green, blue = ImageColor.getrgb(word)[:3]
    return red, green, blue


def _toned(rgb: Rgb, words: frozenset[str]) -> Rgb:
    if words & _DARKER:
        return _mixed(rgb, 0, 0.45)
    return _mixed(rgb, 255, 0.45) if words & _LIGHTER else rgb


def _mixed(rgb: Rgb, other: int, share: float) -> Rgb:
    red, green, blue = (round(channel * (1 - share) + other * share) for channel in rgb)
    return red, green, blue
