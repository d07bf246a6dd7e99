"""A value in place of one of the last call: "better 4:3", "in red", "at the bottom", "I meant 900"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from promptvision.builtin.planner.patterns import fold
from promptvision.builtin.planner.phrases import Match
from promptvision.builtin.planner.slots import MISFIT, fitted, schema_of
from promptvision.tools.targets import is_colour_word

__all__ = ["replaced"]

MAX_WORDS = 5
_LEAD = re.compile(
    r"^(?:(?:and|now|but|no|nope|ok(?:ay)?|please|well|hmm+|sorry|oops|actually|rather|better|maybe"
    r"|perhaps|instead"
    r"|make|do|turn|set|move|put|place|change|use|try|go|take|show|give|have|let us|let's|with|for|it"
    r"|that|this|one"
    r"|them|me|to|in|at|on|into|as|an?|the|i|we|would|i'd|prefer|like|want|need|meant|mean|said|think"
    r"|should|be|could"
    r"|can|you|colou?r|version|is|of|by|how about|what about|save|said|wanted|asked|say|not quite"
    r"|hang on|wait|oh"
    r"|just|only|so|then|also|again|up|down)\b[\s,:]*)+",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"(?:[\s,]+(?:please|instead|then|now|rather|thanks|thank you|this time|though|of it|for me|i think|maybe"
    r"|(?:would|might|could|may) (?:be|look|work|do) (?:much |a lot |even )?\w+|is (?:better|fine|nicer)"
    r"|not .+"
    r"|corner|side|edge|version|format|tone|colou?r))+$",
    re.IGNORECASE,
)
_PREFERRED = re.compile(
    r"\b(?:would|might|could|may) (?:be|look|work) (?:better|nicer|good|great|best|lovely|perfect)"
    r"|\b(?:i would prefer"
    r"|i'd prefer|i prefer|rather)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(\d+(?:\.\d+)?) ?(%|percent|degrees?|pixels?|px|\u00b0)?", re.IGNORECASE)
_UNITS = {
    "%": ("percent", "quality"),
    "d": ("degrees",),
    "p": ("width", "height", "longest_side"),
    "\u00b0": ("degrees",),
}
_SKIPPED = ("prompt", "text", "question", "seed", "steps", "negative_prompt")
_LOOKS = ("prompt", "color")


def replaced(words: str, last: Match) -> dict[str, Any] | None:
    """The argument of the last call that a short reply gives another value; None if it names none.

    Args:
        words: the reply.
        last: the last call.
    """
    bare = _TAIL.sub("", " " + _LEAD.sub("", words.strip(" .,!?"))).strip(" ,")
    if (
        not bare
        or len(bare.split()) > MAX_WORDS
        or words.lower().startswith(("what", "how many", "where", "who"))
    ):
        return None
    changes = next(_values(bare, last), None)
    is_look = changes is None and dict(last.arguments).get("prompt") and _PREFERRED.search(words)
    return {"prompt": bare} if is_look else changes


def _values(bare: str, last: Match) -> Iterator[dict[str, Any]]:
    given = dict(last.arguments)
    properties: Mapping[str, Any] = last.function.parameters.get("properties", {})
    if is_colour_word(fold(bare).rpartition(" ")[2]):
        if name := next((name for name in _LOOKS if given.get(name)), None) or next(
            (name for name in _LOOKS if name in properties and "text" in given), None
        ):
            yield {name: bare}
        return
    if found := _NUMBER.fullmatch(bare):
        yield from _number(found, last)
        return
    names = [name for name in (*given, *properties) if name in properties and name not in _SKIPPED]
    for name in dict.fromkeys(names):
        schema = schema_of(last.function.parameters, name)
        if "enum" in schema:
            words = [bare, *bare.split()] if len(bare.split()) < 3 else [bare]
            fits = (fitted(last.function, name, word) for word in words)
            fit = next((fit for fit in fits if fit != MISFIT), None)
        elif "pattern" in schema and re.search(r"\d", bare):
            fit = next((fit for fit in [fitted(last.function, name, bare)] if fit != MISFIT), None)
        else:
            fit = None
        if fit is not None and fit.value != given.get(name):
            yield {name: fit.value}


def _number(found: re.Match[str], last: Match) -> Iterator[dict[str, Any]]:
    """The number in place of the only one of the last call, if the unit fits."""
    numbers = [
        name
        for name, _ in last.arguments
        if schema_of(last.function.parameters, name).get("type") in ("number", "integer")
    ]
    unit = fold(found[2] or "")
    wanted = _UNITS.get("%" if unit == "percent" else unit[:1], ()) if unit else numbers
    fitting = [name for name in numbers if name in wanted]
    if len(fitting) == 1 and schema_of(last.function.parameters, fitting[0]).get("default") != 1.0:
        yield {fitting[0]: found[1]}
