"""Requests to write a text on the image, with its place and colour in any order after it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from promptvision.builtin.planner.books import PhraseBook
from promptvision.builtin.planner.patterns import QUOTE, fold
from promptvision.builtin.planner.phrases import Match
from promptvision.builtin.planner.slots import MISFIT, fitted, schema_of
from promptvision.tools.targets import is_colour_word

__all__ = ["written"]

MAX_MODIFIERS = 3
_WRITES = re.compile(
    r"(?:please |just |can you |could you )*(?:write|stamp|print|label|letter|type|add|put|place|insert"
    r"|overlay"
    r"|caption|title|sign|watermark)\b",
    re.IGNORECASE,
)
_PLACES = {"underneath": "bottom", "below": "bottom", "beneath": "bottom", "under": "bottom", "above": "top"}
_PLACE = (
    r"(?:underneath|below|beneath|above|(?:very |far )?(?:top|bottom|upper|lower|left|right|middle"
    r"|cent(?:er|re))(?:[ -](?:left|right|middle"
    r"|cent(?:er|re)))?(?:[ -]hand)?)"
)
_MODIFIER = re.compile(
    rf"[\s,]+(?:(?:at|in|on|to|into|near|along|across|by|towards?) )?(?:the )?(?P<place>{_PLACE})"
    r"(?: (?:side|edge|corner|part|margin|area))?(?: of (?:it|this|the (?:image|photo|picture)))?$"
    r"|[\s,]+(?:in|with|using) (?:a )?(?:(?:bold|big|large|small|huge|nice) )*"
    r"(?P<color>(?:(?:dark|light|bright|pale|deep) )?[a-z#][\w#]*)"
    r"(?: (?:letters|text|font|writing|colou?r|ink|type|lettering))?$"
    r"|[\s,]+(?:on|onto|over|across|to) (?:it|this|the (?:image|photo|picture))$",
    re.IGNORECASE,
)
_SIZE_LAST = re.compile(r"(?<=\w)\s+(?:(?:in|very) )?(?:small|big|large|tiny|bold)$", re.IGNORECASE)
_BARE_VERB = re.compile(r"^(write|print|stamp|type|put|add) (?!the |a |an |my |text |\ue001)", re.IGNORECASE)


def written(clause: str, book: PhraseBook, read: Callable[[str], tuple[Match, ...]]) -> Match | None:
    """The call that writes a text, with the place and the colour that the clause names after it.

    Args:
        clause: of a request.
        book: the phrases to match.
        read: reads a clause without modifiers.
    """
    if not _WRITES.match(clause):
        return None
    core, place, color = clause.strip(" .,!"), "", ""
    for _ in range(MAX_MODIFIERS):
        found = _MODIFIER.search(core)
        if found is None or (
            found["color"] and not is_colour_word(found["color"].lower().rpartition(" ")[2])
        ):
            break
        core, place, color = core[: found.start()], found["place"] or place, found["color"] or color
    core = _SIZE_LAST.sub("", core)
    if not place and not color:
        return None
    return next((made for text in _texts(core) for made in _with(read(text), place, color)), None)


def _texts(core: str) -> tuple[str, ...]:
    """The clause, and with words that say that the rest is a text."""
    if QUOTE in core:
        return (core,)
    said = _BARE_VERB.sub(r"\1 the text ", core)
    return (core,) if said == core else (core, said)


def _with(matches: tuple[Match, ...], place: str, color: str) -> list[Match]:
    if len(matches) != 1 or "text" not in dict(matches[0].arguments):
        return []
    function = matches[0].function
    arguments = dict(matches[0].arguments)
    for name, value in (("place", re.sub(r"^(?:very|far) |[ -]hand$", "", place)), ("color", color)):
        if not value:
            continue
        fit = (
            fitted(function, name, _PLACES.get(fold(value), value.replace("-", " ")))
            if schema_of(function.parameters, name)
            else MISFIT
        )
        if fit == MISFIT:
            return []
        arguments[name] = fit.value
    return [replace(matches[0], arguments=tuple(arguments.items()))]
