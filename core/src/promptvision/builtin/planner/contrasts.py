"""Clauses that say what is not to be done, and what is to be done in its place."""

from __future__ import annotations

import re

__all__ = ["BESIDE_IT", "contrasted", "corrected", "done_instead", "is_negated", "without_negation"]

_NEGATION = (
    r"(?:please )?(?:do not|don't|dont|never|no need to|you (?:do not|don't) (?:have|need) to)(?: you dare)?"
)
_NEGATED_FIRST = re.compile(
    rf"^{_NEGATION} (?P<not>.+?)(?:,\s*(?:but |just |only |instead |please )*|\s+but\s+(?:just |only "
    rf")?)(?P<rest>.+)$",
    re.IGNORECASE,
)
_NOT_NEEDED = re.compile(
    r"^i (?:do not|don't|dont) (?:need|want) (?P<not>.+?)(?:,|;| but)\s*(?:(?:but |just |only |rather "
    r"|instead |please "
    r"|simply )+|(?=i (?:want|need|would like|meant)\b))(?P<rest>.+)$",
    re.IGNORECASE,
)
_NO_FIRST = re.compile(
    r"^(?:no |\w+ (?=nothing))(?P<not>.+?)(?: please)?,?\s+(?:just|but|only|rather)\s+(?P<rest>.+)$",
    re.IGNORECASE,
)
_IN_PLACE = re.compile(r"^(?:instead of|rather than) (?P<not>\w+ing [^,]+), (?P<rest>.+)$", re.IGNORECASE)
_NO_DOING = re.compile(
    r"^no (?P<not>\w+ing(?: [^,]+)?),\s+(?:but |just |only "
    r"|rather )?(?P<rest>.+?)(?: instead)?$",
    re.IGNORECASE,
)
_UNWANTED = re.compile(
    r"^i (?:do not|don't|dont) (?:want|need) .+ \w{3,}ed(?: (?:out|off|away))?(?: please)?$", re.IGNORECASE
)
"""An action that is not to be done: "I don't want the background removed"."""
_NEGATED = re.compile(
    rf"^(?:{_NEGATION} .+|(?:it|this|that|the (?:image|picture|photo)) (?:does not|doesn't|do not|don't"
    rf"|need not|should not"
    r"|shouldn't|must not) (?:need|have|want|be|get)\b.*)$",
    re.IGNORECASE,
)
_NEGATED_LAST = re.compile(
    rf"^(?P<head>.+?)(?:,\s*(?:but |and )?|\s+(?:but|and)\s+){_NEGATION} (?:[\w-]+)(?: (?:it|that|this"
    rf"|anything(?: else)?|the (?:image|picture|photo)))?$",
    re.IGNORECASE,
)
_NOT_DONE_BUT = re.compile(
    r"^i (?:do not|don't|dont) (?:want|need) (?P<thing>.+?) \w+ed(?: out| off| away)?,? (?:but |just "
    r"|only |rather "
    r"|i (?:just |only )?(?:want|need|would like) )+(?:it |them |him |her )?(?:to be )?(?P<done>\w+ed.*)$",
    re.IGNORECASE,
)
"""An action in place of another one: "I don't want the flag removed, I want it blurred"."""
_CORRECTED = re.compile(
    r"^(?P<not>.+?),? (?:-+ )?(?:no|wait|sorry|hang on|scratch that|i mean)[, ]+(?:(?:no|wait|just"
    r"|rather|sorry|i meant?"
    r"|make (?:it|that)),? )*(?P<rest>.+)$",
    re.IGNORECASE,
)
"""A request that is corrected at once: "as a gif, no, just a png"."""
BESIDE_IT = re.compile(
    r"\b(behind|next to|beside|in front of|under|on|near|around|above|below|over|with) (?:it|him|her|them)\b",
    re.IGNORECASE,
)
"""A place by what the part that is negated names."""


def is_negated(clause: str) -> bool:
    """Whether a clause only says what is not to be done."""
    if _NEGATED.match(clause):
        return not _NEGATED_FIRST.match(clause)
    return _UNWANTED.match(clause) is not None and not _NOT_NEEDED.match(clause)


def contrasted(clause: str) -> re.Match[str] | None:
    """What is not to be done, as the group "not", and "rest", which is: "don't blur it, crop it"."""
    rules = (_NEGATED_FIRST, _NO_DOING, _IN_PLACE, _NO_FIRST, _NOT_NEEDED)
    return next((found for rule in rules if (found := rule.match(clause))), None)


def corrected(clause: str) -> re.Match[str] | None:
    """A request, as the group "not", and the "rest", which corrects it: "as a gif, no, as a png"."""
    return _CORRECTED.match(clause)


def done_instead(clause: str) -> str:
    """The request in "I don't want the flag removed, I want it blurred"; "" where there is none."""
    found = _NOT_DONE_BUT.match(clause)
    return f"get {found['thing']} {found['done']}" if found else ""


def without_negation(clause: str) -> str:
    """The clause before ", but don't crop it"; "" where nothing is negated at its end."""
    found = _NEGATED_LAST.match(clause)
    return found["head"] if found else ""
