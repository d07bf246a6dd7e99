"""Matching a sentence against declared phrases."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import islice
from typing import Any

from promptvision.llm.planner import PlannerFunction

__all__ = ["Match", "match_request"]

PICTURE = "<picture>"
"""Stands for every way to name the image at hand, in sentences and in phrases alike."""

MAX_CHARS = 1000
"""Longer requests are not for a planner that knows phrases."""
MAX_CLAUSES = 8
MAX_CUTS = 12
"""Commas and "and" of one clause that may part two requests."""

_NOUN = r"(?:pictures?|photos?|photographs?|images?|pics?|results?|scene|snapshot|shot)"
_KIND = r"(?:last|previous|new|resulting|whole|entire|edited|same|current|original)"
_NAMED = re.compile(
    rf"\b(?:(?:the|this|that|my|your|our)\s+(?:{_KIND}\s+)*{_NOUN}|the\s+last\s+one|it)\b(?!')", re.IGNORECASE
)
_POINTED = re.compile(r"\b(?:this|that)\b", re.IGNORECASE)
_HANDLE = re.compile(rf"(?:\b(?:the\s+)?{_NOUN}\s+)?\bimg_0*([1-9][0-9]{{0,5}})\b", re.IGNORECASE)
_SHORT = re.compile(r"\b(what|where|who|there|how)'s\b", re.IGNORECASE)
_OPENING = re.compile(
    r"^(?:(?:ok(?:ay)?|now|then|next|finally|first|also|and|please|kindly|just|(?:hey|hi|hello)(?: there)?"
    r"|afterwards|after that|(?:can|could|would|will) you|i (?:want|need) you to|i want to"
    r"|i(?: would|'d) like (?:you )?to|let's|let us|go ahead and)\b[\s,:]*)+",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"(?:[\s,]+(?:please|now|for me|thanks|thank you|(?:very|so) much|too|as well|again|instead"
    r"|afterwards))+$",
    re.IGNORECASE,
)
_STRONG = re.compile(
    r"\s*(?:[;\n]+|[.!?]+(?:\s+|$)|,?\s*\b(?:and\s+)?(?:then|after that|afterwards)\b[,:]?)\s*", re.IGNORECASE
)
_WEAK = re.compile(r"\s*(?:,\s*and\b|,|\band\b)\s*", re.IGNORECASE)
_PLACE_FIRST = re.compile(rf"^(?:in|on|for|with|from) {PICTURE},? ", re.IGNORECASE)
_PLACE_LAST = re.compile(rf"\s+(?:in|on|from|of|inside|within) {PICTURE}$", re.IGNORECASE)
_DETERMINERS = re.compile(r"^(?:(?:the|a|an|this|that|these|those|my|all|every|any|some)\s+)+", re.IGNORECASE)
_PRONOUNS = frozenset(("it", "this", "that", "them", "these", "those", "everything"))
_SLOTS = re.compile(r"(\{\w+\}(?: \{\w+\})*)")
_LAST_OF_TWO = r" ((?:an?|into|to|look like)\s.+|(?:(?:bright|dark|light|pale|deep|very)\s)*\S+)"


@dataclass(frozen=True)
class Match:
    """A clause that asks for a function.

    Args:
        function: what to call.
        arguments: values of the phrase's slots, and what the phrase implies.
        weight: how many characters the clause shares with the phrase word for word; more is more certain.
    """

    function: PlannerFunction
    arguments: tuple[tuple[str, Any], ...]
    weight: int


@dataclass(frozen=True)
class _Pattern:
    """A phrase made ready: ``literals`` (folded) around groups of slots, one more of them than groups."""

    literals: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]
    weight: int


def match_request(words: str, functions: Sequence[PlannerFunction]) -> list[Match]:
    """The calls that a request asks for, in order; empty unless every clause of it is understood."""
    if len(words) > MAX_CHARS:
        return []
    clauses = [clause for clause in _STRONG.split(_plain(words)) if _bare(clause)]
    if len(clauses) > MAX_CLAUSES:
        return []
    plan: list[Match] = []
    for clause in clauses:
        understood = _match_clause(clause, functions)
        if not understood:
            return []
        plan.extend(understood)
    return plan


def _plain(words: str) -> str:
    """Plain apostrophes, no quotation marks, single spaces, contractions written out."""
    text = words.translate({0x2019: "'", 0x2018: "'", 0x201C: None, 0x201D: None, 0x22: None})
    return _SHORT.sub(r"\1 is", re.sub(r"[^\S\n]+", " ", text)).strip()


def _fold(text: str) -> str:
    """Lower case, of the same length."""
    return "".join(low if len(low := char.lower()) == 1 else char for char in text)


def _bare(clause: str) -> str:
    """A clause without its polite beginning and end."""
    return _CLOSING.sub("", " " + _OPENING.sub("", clause.strip(" ,:"))).strip(" ,:")


def _match_clause(clause: str, functions: Sequence[PlannerFunction]) -> tuple[Match, ...]:
    """A clause as several calls if it can be cut at "and" or a comma into parts that are all understood."""
    cuts = [(0, 0), *(found.span() for found in islice(_WEAK.finditer(clause), MAX_CUTS))]
    cuts.append((len(clause), len(clause)))

    @cache
    def plan(first: int) -> tuple[Match, ...]:
        for last in range(first + 1, len(cuts)):
            head = _match_one(clause[cuts[first][1] : cuts[last][0]], functions)
            if head is not None and last == len(cuts) - 1:
                return (head,)
            if head is not None and (tail := plan(last)):
                return (head, *tail)
        return ()

    return plan(0)


def _match_one(clause: str, functions: Sequence[PlannerFunction]) -> Match | None:
    """The function whose phrase fits best, if any does."""
    text = _bare(clause)
    handle = _HANDLE.search(text)
    text = _HANDLE.sub(PICTURE, text)
    found = [
        match
        for reading in _readings(text)
        for function in functions
        for match in _matches(reading, function, f"img_{handle[1]}" if handle else None)
    ]
    return max(found, key=lambda match: match.weight, default=None)


def _readings(text: str) -> Iterator[str]:
    """The clause with the image named one way; "this" may point at the image or at a thing in it."""
    named = _NAMED.sub(PICTURE, text)
    for reading in dict.fromkeys((named, _POINTED.sub(PICTURE, named))):
        yield reading
        if placed := _PLACE_FIRST.match(reading):
            yield reading[placed.end() :]


def _matches(text: str, function: PlannerFunction, handle: str | None) -> Iterator[Match]:
    folded = _fold(text)
    for phrase in function.phrases:
        pattern = _compiled(phrase.text)
        values = _read_slots(pattern, text, folded)
        if values is None:
            continue
        cleaned = {name: _clean(value) for name, value in values.items()}
        if not all(_says_something(value) for value in cleaned.values()):
            continue
        if function.target in cleaned:
            cleaned[function.target] = _things(cleaned[function.target])
        arguments = [*cleaned.items(), *phrase.fixed]
        if handle is not None and function.image is not None:
            arguments.append((function.image, handle))
        yield Match(function, tuple(arguments), pattern.weight)


@lru_cache(maxsize=4096)
def _compiled(phrase: str) -> _Pattern:
    parts = _SLOTS.split(_plain(phrase))
    literals = tuple(_fold(_POINTED.sub(PICTURE, _NAMED.sub(PICTURE, part))) for part in parts[::2])
    groups = tuple(tuple(re.findall(r"\w+", part)) for part in parts[1::2])
    weight = sum(len(text.replace(" ", "").replace(PICTURE, "")) for text in literals)
    return _Pattern(literals, groups, weight)


def _read_slots(pattern: _Pattern, text: str, folded: str) -> dict[str, str] | None:
    """The value of each slot, as short as it can be and never empty; None where the phrase does not fit.

    The leftmost place of each literal will do whenever any place does, so this takes linear time.
    """
    first, *between = pattern.literals
    if not between:
        return {} if folded == first else None
    last = between.pop()
    start, end = len(first), len(folded) - len(last)
    if not (folded.startswith(first) and folded.endswith(last)):
        return None
    spans = []
    for literal in between:
        at = folded.find(literal, start + 1, end)
        if at < 0:
            return None
        spans.append((start, at))
        start = at + len(literal)
    values: dict[str, str] = {}
    for names, span in zip(pattern.groups, [*spans, (start, end)], strict=True):
        group = _part(text[slice(*span)], names)
        if group is None:
            return None
        values.update(group)
    return values


def _part(text: str, names: tuple[str, ...]) -> dict[str, str] | None:
    """The values of slots in a row ("make {target} {prompt}").

    Such a phrase leaves open where one ends: the last is what begins with an article, else the last word with
    its shade ("dark blue").
    """
    found = re.fullmatch("(.+?)" + _LAST_OF_TWO * (len(names) - 1), text, re.IGNORECASE | re.DOTALL)
    return dict(zip(names, found.groups(), strict=True)) if found else None


def _clean(value: str) -> str:
    """A slot's value without "in the image", articles and outer marks."""
    return _DETERMINERS.sub("", _PLACE_LAST.sub("", value).strip(" ,"))


def _says_something(value: str) -> bool:
    return bool(value) and value.lower() not in _PRONOUNS and PICTURE not in value


def _things(value: str) -> str:
    """Several things parted by dots: "ball and the box" names two, "black and white cat" one."""
    first, *rest = re.split(f"({_WEAK.pattern})", value, flags=re.IGNORECASE)
    things = [first]
    for join, thing in zip(rest[::2], rest[1::2], strict=True):
        if "," in join or _DETERMINERS.match(thing) or not _ends_in_colour(things[-1]):
            things.append(thing)
        else:
            things[-1] += join + thing
    return ". ".join(_DETERMINERS.sub("", thing) for thing in things if thing)


def _ends_in_colour(words: str) -> bool:
    from PIL.ImageColor import colormap

    return words.lower().rpartition(" ")[2] in colormap
