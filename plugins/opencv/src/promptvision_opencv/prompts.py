"""Convert target phrases to requests of this plugin, with the words that it cannot check."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from promptvision.plugin import Shade, TargetPhrase, read_targets, singular
from promptvision_opencv.colours import Colour, colour_named, is_also_an_object, shade_named

__all__ = ["Kind", "Request", "Shape", "is_filler", "is_shape", "read_prompt", "read_request"]


class Kind(StrEnum):
    """Kinds of object that can be found."""

    FACE = "face"
    PERSON = "person"
    COLOUR = "colour"
    BACKGROUND = "background"
    BORDER = "border"


class Shape(StrEnum):
    """Outlines that can be distinguished."""

    ROUND = "round"
    SQUARE = "square"
    TRIANGLE = "triangle"


@dataclass(frozen=True, kw_only=True)
class Request:
    """One object to find.

    Args:
        phrase: the noun phrase.
        kind: its kind.
        label: label of its boxes, with verified words only.
        colour: set for the kind COLOUR; may be set for BACKGROUND and BORDER.
        shape: the outline it must have, if a word says so.
        unchecked: words of the phrase that this plugin cannot check.
    """

    phrase: TargetPhrase
    kind: Kind
    label: str
    colour: Colour | None = None
    shape: Shape | None = None
    unchecked: tuple[str, ...] = ()


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PLAIN_PERSONS = _words("person people human pedestrian somebody someone")
_PERSONS = _PLAIN_PERSONS | _words("man woman child kid boy girl guy lady")
_SHAPES = {
    **dict.fromkeys(_words("ball circle disc disk sphere dot orb round circular"), Shape.ROUND),
    **dict.fromkeys(_words("box square rectangle cube block brick rectangular card"), Shape.SQUARE),
    **dict.fromkeys(_words("triangle cone pyramid triangular"), Shape.TRIANGLE),
}
_THINGS = _words("thing object item area region part spot patch shape")
_BACKGROUNDS = _words("background backdrop")
_BORDERS = _words("border bar margin")
_FILLERS = _words(
    "a an the this that these those all every each any some one two three my your his her its of "
    "color colour colored coloured in on at with is are s bright vivid shiny dark light deep pale"
)


def read_prompt(prompt: str) -> tuple[list[Request], list[TargetPhrase]]:
    """Read the noun phrases of a prompt.

    Returns:
        The requests, and the phrases that cannot be searched for.
    """
    understood: list[Request] = []
    foreign: list[TargetPhrase] = []
    for phrase in read_targets(prompt):
        request = read_request(phrase)
        if request is None:
            foreign.append(phrase)
        else:
            understood.append(request)
    return understood, foreign


def read_request(phrase: TargetPhrase) -> Request | None:
    """Read a noun phrase; None when this plugin cannot find its head noun."""
    owner = (phrase.possessor,) if phrase.possessor else ()
    rest = (*owner, *((phrase.clause,) if phrase.clause else ()))
    if phrase.is_complement:
        return None
    if phrase.head == "face":
        rest = rest if phrase.possessor not in _PLAIN_PERSONS else rest[1:]  # every face is a person's
        unchecked = (*phrase.modifiers, *rest)
        return Request(phrase=phrase, kind=Kind.FACE, label="face", unchecked=unchecked)
    if phrase.head in _PERSONS:
        head = () if phrase.head in _PLAIN_PERSONS else (phrase.written_head,)
        unchecked = (*head, *phrase.modifiers, *rest)
        return Request(phrase=phrase, kind=Kind.PERSON, label="person", unchecked=unchecked)
    if phrase.possessor:
        return None
    return _read_surrounding(phrase, rest) or _read_coloured(phrase, rest)


def _with_shade(phrase: TargetPhrase) -> TargetPhrase:
    """ "Navy box" as "dark blue box": a word for one shade of a colour chooses by that shade."""
    shades = {shade for word in (*phrase.modifiers, phrase.head) if (shade := shade_named(word))}
    if phrase.shade is not None or len(shades) != 1:
        return phrase
    return replace(phrase, shade=Shade(*shades))


def is_filler(word: str) -> bool:
    """Whether a lower-case word does not describe an object."""
    return word in _FILLERS or singular(word) in _THINGS


def is_shape(word: str) -> bool:
    """Whether a lower-case word names a shape."""
    return singular(word) in _SHAPES


def _read_surrounding(phrase: TargetPhrase, rest: tuple[str, ...]) -> Request | None:
    """The background, a green screen, or borders."""
    colours = [colour for word in phrase.modifiers if (colour := colour_named(word))]
    unknown = tuple(word for word in phrase.modifiers if colour_named(word) is None)
    is_screen = phrase.head == "screen" and [colour.name for colour in colours] in (["green"], ["blue"])
    if phrase.head in _BACKGROUNDS or is_screen:
        kind = Kind.BACKGROUND
    elif phrase.head in _BORDERS and colours and not unknown:
        kind = Kind.BORDER
    else:
        return None
    if len(colours) > 1:
        return None
    colour = colours[0] if colours else None
    label = f"{colour.name} {kind}" if colour else str(kind)
    return Request(phrase=phrase, kind=kind, label=label, colour=colour, unchecked=(*unknown, *rest))


def _read_coloured(phrase: TargetPhrase, rest: tuple[str, ...]) -> Request | None:
    """An object named by a colour, with or without a shape.

    A colour name that is also an object ("orange", "rose") is a colour only in front of a noun.
    """
    phrase = _with_shade(phrase)
    named = {colour.name: colour for word in phrase.modifiers if (colour := colour_named(word))}
    unchecked = [word for word in phrase.modifiers if not colour_named(word) and not is_shape(word)]
    if not named and not unchecked and (colour := colour_named(phrase.head)) is not None:
        named = {colour.name: colour}
        unchecked = [phrase.head] if is_also_an_object(phrase.head) else []
    elif phrase.head and not is_shape(phrase.head) and phrase.head not in _THINGS:
        unchecked.append(phrase.head)
    if len(named) != 1:
        return None
    (colour,) = named.values()
    shape_word = next(filter(is_shape, (*phrase.modifiers, phrase.head)), None)
    is_noun = shape_word is not None and shape_word == phrase.head
    return Request(
        phrase=phrase,
        kind=Kind.COLOUR,
        label=f"{colour.name} {singular(shape_word)}" if is_noun and shape_word else colour.name,
        colour=colour,
        shape=_SHAPES[singular(shape_word)] if shape_word else None,
        unchecked=(*unchecked, *rest),
    )
