"""What a prompt asks the stand-in detector to find."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from promptvision_opencv.colours import Colour, colour_named

__all__ = ["Kind", "Request", "Shape", "is_filler", "is_shape", "read_prompt", "read_request", "singular"]


class Kind(StrEnum):
    """What can be looked for."""

    FACE = "face"
    PERSON = "person"
    COLOUR = "colour"


class Shape(StrEnum):
    """Outlines that can be told apart."""

    ROUND = "round"
    SQUARE = "square"
    TRIANGLE = "triangle"


@dataclass(frozen=True, kw_only=True)
class Request:
    """One thing to find.

    Args:
        phrase: as the caller wrote it, lower case.
        kind: what it is.
        colour: set when the kind is a colour.
        shape: the outline it must have, if a word says so.
        label: what a box is called: only what can be checked.
        unchecked: words of the phrase that this detector cannot check.
    """

    phrase: str
    kind: Kind
    label: str
    colour: Colour | None = None
    shape: Shape | None = None
    unchecked: tuple[str, ...] = ()


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_FACES = _words("face faces")
_PLAIN_PERSONS = _words("person persons people human humans pedestrian pedestrians somebody someone")
_PERSONS = _PLAIN_PERSONS | _words(
    "man men woman women child children kid kids boy boys girl girls guy guys lady ladies"
)
_SHAPES = {
    **dict.fromkeys(_words("ball circle disc disk sphere dot orb round circular"), Shape.ROUND),
    **dict.fromkeys(_words("box square rectangle cube block brick rectangular card"), Shape.SQUARE),
    **dict.fromkeys(_words("triangle cone pyramid triangular"), Shape.TRIANGLE),
}
_EMPTY = _words(
    "a an the this that these those all every each any some one two three my your his her its of "
    "color colour colored coloured thing things object objects item items area areas region regions part "
    "parts spot spots big bigger biggest large largest small smallest little tiny dark light bright pale "
    "deep vivid shiny"
)
_JOINS = _words(
    "in on at with under below above behind near next beside between from of to wearing holding that which "
    "who is are s"
)
_TAIL = re.compile(rf"\b(?:{'|'.join(_JOINS - {'s', 'is', 'are', 'that'})})\b")


def read_prompt(prompt: str) -> tuple[list[Request], list[str]]:
    """Split a prompt at its dots and read each part.

    Returns:
        What can be looked for, and the parts that cannot.
    """
    parts = dict.fromkeys(part.strip() for part in re.split(r"[.;,\n]|\band\b", prompt.lower()))
    understood: list[Request] = []
    foreign: list[str] = []
    for part in filter(None, parts):
        request = read_request(part)
        if request is None:
            foreign.append(part)
        else:
            understood.append(request)
    return understood, foreign


def read_request(phrase: str) -> Request | None:
    """Read one noun phrase in lower case; None when it names no face, person or colour."""
    head = _TAIL.split(phrase, maxsplit=1)[0].strip() or phrase
    words = re.findall(r"[\w-]+", head)
    tail = _rest(re.findall(r"[\w-]+", phrase[len(head) :]), frozenset())
    if any(word in _FACES for word in words):
        return Request(phrase=phrase, kind=Kind.FACE, label="face", unchecked=_rest(words, _FACES) + tail)
    if any(word in _PERSONS for word in words):
        rest = _rest(words, _PLAIN_PERSONS) + tail
        return Request(phrase=phrase, kind=Kind.PERSON, label="person", unchecked=rest)
    colour = next(filter(None, map(colour_named, words)), None)
    return None if colour is None else _coloured(phrase, words, tail, colour)


def _coloured(phrase: str, words: list[str], tail: tuple[str, ...], colour: Colour) -> Request:
    named = next(filter(is_shape, words), None)
    known = frozenset([*filter(colour_named, words), *filter(is_shape, words)])
    return Request(
        phrase=phrase,
        kind=Kind.COLOUR,
        label=f"{colour.name} {singular(named)}" if named else colour.name,
        colour=colour,
        shape=_SHAPES[singular(named)] if named else None,
        unchecked=_rest(words, known) + tail,
    )


def _rest(words: list[str], known: frozenset[str]) -> tuple[str, ...]:
    return tuple(word for word in words if word not in known and not is_filler(word))


def is_filler(word: str) -> bool:
    """Whether a lower-case word says nothing of what a thing looks like."""
    return word in _EMPTY or word in _JOINS


def is_shape(word: str) -> bool:
    """Whether a lower-case word names a shape."""
    return singular(word) in _SHAPES


def singular(word: str) -> str:
    """A lower-case English noun without its plural ending: "boxes" and "balls" become "box" and "ball"."""
    if word in _SHAPES:
        return word
    return word.removesuffix("es") if word.endswith(("xes", "shes")) else word.removesuffix("s")
