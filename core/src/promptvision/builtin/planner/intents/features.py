"""Features of a sentence for the intent classifier, and of its words for the slot tagger."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from promptvision.builtin.planner.patterns import word_set
from promptvision.tools.target_grammar import NUMBERS
from promptvision.tools.targets import is_colour_word

__all__ = ["MAX_TOKENS", "Token", "intent_features", "slot_features", "tokens"]

MAX_TOKENS = 60
"""Longer sentences are not classified."""
_TOKEN = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?|\d+(?:[.,]\d+)*|\S")
_QUOTED = re.compile(
    '["\u201c\u201d\u201e\u00ab\u00bb]([^"\u201c\u201d\u201e\u00ab\u00bb]*)["\u201c\u201d\u00ab\u00bb]'
)
_QUOTES = frozenset('"\u201c\u201d\u201e\u00ab\u00bb')
_NUMBER_WORDS = frozenset((*NUMBERS, "half", "quarter", "double", "twice", "third", "zero", "dozen"))
_MIN_GRAMS = 4
_GRAM_SIZES = (3, 4, 5)
_SMALL = word_set(
    "the a an please can you could would i i'd like to of my this that it and so just for me in on at is be "
    "will we want need with"
)
_CLOSED = word_set(
    "the a an my your his her its our their this that these those some any all every each both no not of in "
    "on at by with without from to into onto for over under behind beside near next between above below "
    "around off out up down and or but so then it them him her he she they we i you is are was were be been "
    "has have had do does did can could would should will please just only more less very too as than if "
    "when where what which who how there here"
)
_PREPOSITIONS = frozenset(("with", "without", "to", "into", "for", "instead", "by", "in", "on", "from", "at"))
_PREPOSITIONS |= {"as", "of"}
_LAST_PLACE = 3


class Token(NamedTuple):
    """A word, a number or a sign of a text, and its place there: ``text[start:end]``."""

    word: str
    start: int
    end: int


def tokens(text: str) -> list[Token]:
    """The words, numbers and signs of a text, in its order."""
    return [Token(found[0], found.start(), found.end()) for found in _TOKEN.finditer(text)]


def intent_features(text: str) -> list[str]:
    """The features of a sentence for the classifier: words, letters of words, pairs and triples of words.

    Numbers, colours and quoted texts each count as one word.

    Args:
        text: the sentence.

    Returns:
        Each feature once, sorted. Trained weights are valid only for exactly these texts.
    """
    words = [_normal(token.word) for token in tokens(_QUOTED.sub(" \u201c ", text))]
    classes = [_class(word) for word in words]
    edged = ["^", *classes, "$"]
    found = {"bias", f"length {min(len(words) // 3, 6)}"}
    for word in words:
        found.add(word)
        found.update(_grams(word))
    found.update(f"{a} {b}" for a, b in pairwise(edged))
    for a, b, c in zip(edged, edged[1:], edged[2:], strict=False):
        found.add(f"{a} {b} {c}")
        found.add(f"{a} _ {c}")
    content = [word for word in classes if word not in _SMALL]
    found.update(f"first {word}" for word in content[:1])
    found.update(f"{a} + {b}" for a, b in pairwise(content))
    return sorted(found)


def slot_features(words: Sequence[str], intent: str) -> list[list[str]]:
    """The features of each word for the tagger: the words around it and its form.

    Args:
        words: the words of the tokens of a sentence.
        intent: label of the intent of the sentence.

    Returns:
        For each word the intent, and each feature alone and together with the intent. Trained weights are
        valid only for exactly these texts.
    """
    normal = [_normal(word) for word in words]
    classes = [_class(word) for word in normal]
    padded = ["^", "^", *classes, "$", "$"]
    made = []
    is_quoted = False
    governor, before = "^", ["^"]
    for place, word in enumerate(words):
        is_quoted ^= word in _QUOTES
        b, a, here, c, d = padded[place : place + 5]
        features = [
            f"0 {here}",
            f"-1 {a}",
            f"+1 {c}",
            f"-2 {b}",
            f"+2 {d}",
            f"-1 {a} {here}",
            f"+1 {here} {c}",
            f"-2 {b} {a}",
            f"+2 {c} {d}",
            f"-1 {a} _ {c}",
            *_form(word, normal[place], place=place, is_quoted=is_quoted),
            f"place {min(place, _LAST_PLACE)}",
            f"end {min(len(words) - 1 - place, _LAST_PLACE)}",
            f"governor {governor}",
            f"after {before[-1]}",
            f"after {' '.join(before[-2:])}",
        ]
        made.append([intent, *features, *(f"{intent} {feature}" for feature in features)])
        governor = here if here in _CLOSED else governor
        before += [here] if here in _PREPOSITIONS else []
    return made


def _form(word: str, normal: str, *, place: int, is_quoted: bool) -> Iterator[str]:
    yield f"ends {normal[-3:]}"
    yield f"ends {normal[-2:]}"
    yield f"begins {normal[:3]}"
    yield "closed" if normal in _CLOSED else "open"
    if place and word[:1].isupper():
        yield "capital"
    if len(word) > 1 and word.isupper():
        yield "capitals"
    yield "quoted" if is_quoted else "unquoted"


def _grams(word: str) -> Iterator[str]:
    if len(word) < _MIN_GRAMS or not word.isalpha():
        return
    edged = f"<{word}>"
    for size in _GRAM_SIZES:
        for start in range(len(edged) - size + 1):
            yield f"~{edged[start : start + size]}"


def _normal(word: str) -> str:
    if word[0].isdigit():
        return "#." if not word.isdigit() else f"#{min(len(word), 4)}"
    return word.lower().replace("\u2019", "'")


def _class(word: str) -> str:
    if word[0] == "#" and word != "#":
        return "#"
    if word in _NUMBER_WORDS:
        return "#word"
    return "colour" if is_colour_word(word) else word
