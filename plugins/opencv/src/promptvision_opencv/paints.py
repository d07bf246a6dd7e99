"""Read the requested colour from a prompt."""

from __future__ import annotations

import re

from PIL import ImageColor

from promptvision.plugin import singular
from promptvision_opencv.colours import colour_named, is_also_an_object
from promptvision_opencv.prompts import is_filler, is_shape

__all__ = ["is_desaturation", "read_paint"]

Rgb = tuple[int, int, int]

_DARKER, _LIGHTER = frozenset({"dark", "deep"}), frozenset({"light", "pale", "pastel"})
_FILLERS = frozenset(
    {"paint", "painted", "make", "made", "turn", "be", "it", "same", "version", "tone", "shade"}
)
_NO_COLOUR = re.compile(
    r"(?:in(?:to)? )?(?:black (?:and|&) white|b ?(?:&|and) ?w|gr[ae]y-?\s?scale|monochrome|colou?rless"
    r"|desaturated|without colou?rs?)"
)
_A_THING = re.compile(r"\ban?\s+([\w-]+)$")


def read_paint(prompt: str, target: str | None) -> Rgb | None:
    """The colour of a prompt that requests only a change of colour.

    "blue" does, and "a blue ball" if the target is a ball or not named; "an orange cat" instead of a lion
    requests another object, and so does "a rose".

    Returns:
        sRGB, or None when the prompt requests anything other than one colour.
    """
    text = prompt.lower().strip(" .!?")
    thing = _A_THING.search(text)
    if thing is not None and is_also_an_object(thing[1]):
        return None
    words = re.findall(r"[\w-]+", text)
    named = [word for word in words if _is_colour(word)]
    if len({_rgb(word) for word in named}) != 1:
        return None
    nouns = {singular(word) for word in words if word not in named and not _is_filler(word)}
    allowed = {singular(word) for word in re.findall(r"[\w-]+", (target or "").lower())}
    if not all(noun in allowed or (target is None and is_shape(noun)) for noun in nouns):
        return None
    return _toned(_rgb(named[0]), frozenset(words))


def is_desaturation(prompt: str) -> bool:
    """Whether a prompt requests the object without its colours: "black and white"."""
    return _NO_COLOUR.fullmatch(" ".join(prompt.lower().split()).strip(" .!?")) is not None


def _is_filler(word: str) -> bool:
    return word in _FILLERS or is_filler(word)


def _is_colour(word: str) -> bool:
    return colour_named(word) is not None or word in ImageColor.colormap


def _rgb(word: str) -> Rgb:
    """The value of a basic colour, else of the CSS name ("navy"), else of its basic colour."""
    colour = colour_named(word)
    if colour is not None and (word in (colour.name, "gray") or word not in ImageColor.colormap):
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
