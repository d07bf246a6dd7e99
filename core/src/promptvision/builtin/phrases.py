"""Matching a sentence against declared phrases."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from promptvision.llm.messages import Function

__all__ = ["Match", "match_request"]

PICTURE = "<picture>"
"""Stands for every way to name the picture at hand, in sentences and in phrases alike."""

MAX_CLAUSES = 8

_NOUN = r"(?:pictures?|photos?|photographs?|images?|pics?|results?|scene|snapshot|shot)"
_KIND = r"(?:last|previous|new|resulting|whole|entire|edited|same|current|original)"
_NAMED = re.compile(
    rf"\b(?:(?:the|this|that|my|your|our)\s+(?:{_KIND}\s+)*{_NOUN}|the\s+last\s+one|it)\b(?!')"
)
_POINTED = re.compile(r"\b(?:this|that)\b")
_HANDLE = re.compile(rf"(?:\b{_NOUN}\s+)?\bimg_0*([1-9]\d*)\b")
_SHORT = (("what's", "what is"), ("where's", "where is"), ("who's", "who is"), ("there's", "there is"))
_OPENING = re.compile(
    r"^(?:(?:ok(?:ay)?|now|then|next|finally|first|also|and|please|kindly|just|hey|hi|hello|afterwards|after that"
    r"|(?:can|could|would|will) you|i want you to|i(?: would|'d) like you to|i want to|i(?: would|'d) like to"
    r"|let's|let us|go ahead and)\b[\s,:]*)+"
)
_CLOSING = re.compile(
    r"(?:[\s,]+(?:please|now|for me|thanks|thank you|too|as well|again|instead|afterwards))+$"
)
_STRONG = re.compile(
    r"\s*(?:[;\n]+|[.!?]+(?:\s+|$)|,?\s*\b(?:and\s+)?(?:then|after that|afterwards)\b[,:]?)\s*"
)
_WEAK = re.compile(r"\s*(?:,\s*and\b|,|\band\b)\s*")
_DETERMINERS = re.compile(r"^(?:(?:the|a|an|this|that|these|those|my|all|every|any|some)\s+)+")
_PRONOUNS = frozenset(("it", "this", "that", "them", "these", "those", "everything", PICTURE))
_SLOT = re.compile(r"\{(\w+)\}")
_LAST_OF_TWO = r"(?P<{0}>(?:an?|into|to|look like)\s.+|(?:(?:bright|dark|light|pale|deep|very)\s)*\S+)"


@dataclass(frozen=True)
class Match:
    """A clause that asks for a function.

    Args:
        function: what to call.
        arguments: values of the phrase's slots, and what the phrase implies.
        weight: how many characters the clause shares with the phrase word for word; more is more certain.
    """

    function: Function
    arguments: tuple[tuple[str, Any], ...]
    weight: int


def match_request(words: str, functions: Sequence[Function]) -> list[Match]:
    """The calls that a request asks for, in order; empty unless every clause of it is understood."""
    clauses = [clause for clause in _STRONG.split(_plain(words)) if clause.strip(" ,")]
    if len(clauses) > MAX_CLAUSES:
        return []
    plan: list[Match] = []
    for clause in clauses:
        understood = _match_clause(clause, functions, MAX_CLAUSES)
        if not understood:
            return []
        plan.extend(understood)
    return plan


def _plain(words: str) -> str:
    """Lower case, plain quotation marks, single spaces, contractions written out."""
    text = words.casefold().translate({0x2019: "'", 0x2018: "'", 0x201C: None, 0x201D: None, 0x22: None})
    for short, long in _SHORT:
        text = text.replace(short, long)
    return re.sub(r"[ \t]+", " ", text).strip()


def _match_clause(clause: str, functions: Sequence[Function], parts: int) -> list[Match]:
    """A clause as several calls if it can be cut at "and" or a comma into parts that are all understood."""
    for cut in list(_WEAK.finditer(clause))[:parts]:
        head = _match_one(clause[: cut.start()], functions)
        tail = _match_clause(clause[cut.end() :], functions, parts - 1) if head else []
        if head and tail:
            return [head, *tail]
    whole = _match_one(clause, functions)
    return [whole] if whole else []


def _match_one(clause: str, functions: Sequence[Function]) -> Match | None:
    """The function whose phrase fits best, if any does."""
    text = _CLOSING.sub("", _OPENING.sub("", clause)).strip(" ,:")
    handle = _HANDLE.search(text)
    text = _HANDLE.sub(PICTURE, text)
    found: list[Match] = []
    for reading in _readings(text):
        for function in functions:
            found.extend(_matches(reading, function, f"img_{handle[1]}" if handle else None))
    return max(found, key=lambda match: match.weight, default=None)


def _readings(text: str) -> Iterator[str]:
    """The clause with the picture named one way; "this" may point at the picture or at a thing in it."""
    named = _NAMED.sub(PICTURE, text)
    yield named
    pointed = _POINTED.sub(PICTURE, named)
    if pointed != named:
        yield pointed


def _matches(text: str, function: Function, handle: str | None) -> Iterator[Match]:
    for phrase in function.phrases:
        pattern, weight = _compiled(phrase.text)
        found = pattern.fullmatch(text)
        if found is None:
            continue
        values = {name: _DETERMINERS.sub("", value.strip()) for name, value in found.groupdict().items()}
        if any(value in _PRONOUNS or PICTURE in value or not value for value in values.values()):
            continue
        arguments = [*values.items(), *phrase.fixed]
        if handle is not None and function.image is not None:
            arguments.append((function.image, handle))
        yield Match(function, tuple(arguments), weight)


@lru_cache(maxsize=4096)
def _compiled(phrase: str) -> tuple[re.Pattern[str], int]:
    """A phrase as a pattern, and how many characters of its own it has.

    Two slots in a row ("make {target} {prompt}") leave open where one ends: the second is what begins with
    an article, else the last word with its shade ("dark blue").
    """
    plain = _NAMED.sub(PICTURE, _plain(phrase))
    parts = _SLOT.split(plain)
    pattern = ""
    for index, part in enumerate(parts):
        if index % 2 == 0:
            pattern += re.escape(part)
        elif index > 1 and not parts[index - 1].strip():
            pattern += _LAST_OF_TWO.format(part)
        else:
            pattern += rf"(?P<{part}>.+?)"
    weight = sum(len(part.replace(" ", "").replace(PICTURE, "")) for part in parts[::2])
    return re.compile(pattern, re.DOTALL), weight
