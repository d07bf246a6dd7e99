"""Requests about the whole image in any word order, matched by the words that phrases consist of.

"Could use some more contrast" has the words of the phrase "add some contrast" but not its order. A phrase
fits if the clause has all of its words and says nothing that the operation's phrases do not. Phrases with a
target are left out, because where such a value ends depends on the order of words; a text counts if it is
quoted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise, product
from typing import Any

from promptvision.builtin.planner.books import PhraseBook
from promptvision.builtin.planner.patterns import QUOTE, fold, name_image, plain, unquoted, word_set
from promptvision.builtin.planner.phrases import Match
from promptvision.builtin.planner.remarks import is_remark
from promptvision.builtin.planner.slots import fitted, schema_of
from promptvision.llm.planner import PlannerFunction
from promptvision.tools.targets import is_colour_word

__all__ = ["bag_match"]

MAX_WORDS = 16
MAX_BAGS = 12
"""Maximum number of clauses of a request, in all languages, whose words are compared in any order."""
MAX_LEFT = 2
"""How many words of the operation a clause may hold in addition to those of a phrase."""
_TOKEN = re.compile(
    r"\ue001[^\ue001]*\ue001|\d+x\d+|\d+:\d+|[+-]?\d+(?:\.\d+)?%?|<image>|\{\w+\}"
    r"|[^\W\d_]+(?:['\u2019-][^\W\d_]+)*"
)
_SLOT = re.compile(r"\{(\w+)\}")
_SLOTS = re.compile(r"\{\w+\}(?:x(?=\{))?")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")
_BRITISH = re.compile(r"is(e|ed|ing|es|er)$")
_ENDS = ("ing", "ed", "ly", "es", "s", "e")
_FILLER = word_set(
    "a an the it its it's this that these those my our his her their me us i we you he she they them one "
    "image images picture photo photograph pic file shot version copy thing whole entire overall "
    "effect filter "
    "style mode feel look looks looking looked appear appears appearance seem seems of in at as to "
    "into from with by for so "
    "about around is are was were be been being am do does did done have has had having can could "
    "would will may "
    "might should shall must want wants wanted need needs needed wish hope like love prefer please "
    "kindly just "
    "really very quite rather pretty super kind sort bit little touch tad notch lot slightly somewhat "
    "some any "
    "there here now then also too maybe perhaps possibly probably actually basically honestly definitely "
    "simply easily nicely properly completely totally fully entirely carefully quickly "
    "make makes making made give gives giving get gets getting got put puts putting use using apply "
    "applying let "
    "let's go keep try take bring set add adding ask tell thanks thank hi hello hey ok okay well oh "
    "yes yeah and but "
    "new exact actual precise think believe guess possible chance time moment favor favour able help "
    "final finally end result "
    "today again pls plz mate buddy friend way somehow since because if when i'd i'm i'll you'd it'd "
    "that's much "
    "there's us all going looks bit's for me <image> own say said bring brings lacks lacking missing "
    "deserves requires enough "
    "suit suits suited old-fashioned classic traditional",
)
"""English words that do not tell requests about the whole image apart."""
_WEAK = frozenset(("on", "out", "off", "up", "down", "writ", "nam", "mor", "les"))
"""Words that alone ask for nothing: "write hello" shares "writ" with "get the writing"."""
_REMOVALS = frozenset(("remov", "delet", "eras", "los", "drop", "discard"))
"""Stems of verbs that make the opposite of a phrase without them: "remove the top third"."""
_NEGATION = re.compile(
    r"\b(?:not|no|never|nothing|without|don't|doesn't|isn't|won't|didn't|can't|shouldn't|wouldn't|wasn't"
    r"|nor|except|but only|only|instead)\b"
)
_TEXT = frozenset(("text",))
_ADDS = frozenset(("add", "adding", "write", "insert", "put", "type"))
_AMOUNTS = frozenset(("more", "less", "again"))
"""Words that say how much of something, which a clause has to name."""
_ASKED = word_set(
    "tell show say please can could would want need needs make give get let should wish some more bit "
    "little please? "
    "apply add use "
    "put take turn bring try how what which"
)
_ABROAD = {
    "de": word_set(
        "<image> bitte ein eine einen etwas mal in im auf um zu zum zur von mit und es für als an am so sehr"
    ),
    "es": word_set(
        "<image> un una el la los las por favor de del en a al con y más que lo me para como un poco"
    ),
    "fr": word_set(
        "<image> un une le la les de du des en à au aux avec et me moi pour comme peu il elle que c'est s'il"
    ),
}


@dataclass(frozen=True)
class _Bag:
    """The words of a phrase, without its filler, and its slots for numbers, ratios and choices."""

    words: frozenset[str]
    slots: tuple[str, ...]


def bag_match(clause: str, book: PhraseBook) -> Match | None:
    """The call that the words of a clause ask for in any order.

    None where two calls fit equally well, or where a word is left over.
    """
    if book.language not in ("en", *_ABROAD) or _NEGATION.search(fold(clause)):
        return None
    if book.language == "en" and is_remark(clause):
        return None
    tokens = _tokens(clause)
    said = _words(tokens, book.language)
    if said >= _TEXT and QUOTE not in clause and not _ADDS.isdisjoint(tokens):
        return None  # a text to write, which is not given
    if not said - _AMOUNTS or len(tokens) > MAX_WORDS or book.effort.bags == MAX_BAGS:
        return None
    book.effort.bags += 1
    found: list[tuple[int, Match]] = []
    for function in book.functions:
        if not _mentions(function, book.language, said):
            continue
        parts = _parts_of(function, book.language)
        known = parts.vocabulary
        if said & known:
            found += _matches(function, parts.groups, said, known, tokens)
    if not found:
        return None
    best = max(weight for weight, _ in found)
    matches = [match for weight, match in found if weight == best]
    first = matches[0]
    if any(
        match.function is not first.function or dict(match.arguments) != dict(first.arguments)
        for match in matches
    ):
        return None
    if best < 2 and len(tokens) > 3 and not (_ASKED & set(tokens)):
        return None
    return first


@dataclass(frozen=True)
class _Group:
    """Frames with the verbs and nouns that may stand in them, as bags of words."""

    frames: tuple[tuple[_Bag, bool, bool], ...]
    verbs: tuple[frozenset[str], ...]
    nouns: tuple[frozenset[str], ...]
    fixed: tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class _Parts:
    groups: tuple[_Group, ...]
    vocabulary: frozenset[str]


_texts: dict[tuple[int, str], tuple[PlannerFunction, str]] = {}
_parts: dict[tuple[int, str], tuple[PlannerFunction, _Parts]] = {}
MAX_PARTS = 256


def _mentions(function: PlannerFunction, language: str, said: frozenset[str]) -> bool:
    """Whether a word may be one of the function's; far cheaper than its phrases as bags."""
    key = (id(function), language)
    if key not in _texts or _texts[key][0] is not function:
        if len(_texts) >= MAX_PARTS:
            _texts.clear()
        _texts[key] = function, _joined(function, language)
    text = _texts[key][1]
    return any(word in text or ("iz" in word and word.replace("iz", "is") in text) for word in said)


def _joined(function: PlannerFunction, language: str) -> str:
    """All words of the function's phrases in one language, in American spelling."""
    texts = [phrase.text for phrase in function.phrases] if language == "en" else []
    for lexicon in function.lexicons:
        if lexicon.language == language:
            texts += (*lexicon.frames, *lexicon.verbs, *lexicon.nouns)
    return _american(fold("\n".join(dict.fromkeys(texts))))


def _american(text: str) -> str:
    return text.replace("colour", "color").replace("grey", "gray").replace("centre", "center")


def _parts_of(function: PlannerFunction, language: str) -> _Parts:
    """The phrases of a function as bags, kept while the function is the same object."""
    key = (id(function), language)
    if key not in _parts or _parts[key][0] is not function:
        if len(_parts) >= MAX_PARTS:
            _parts.clear()
        _parts[key] = (function, _made(function, language))
    return _parts[key][1]


def _made(function: PlannerFunction, language: str) -> _Parts:
    groups = [
        _group(function, (phrase.text,), (), (), phrase.fixed, language)
        for phrase in function.phrases
        if language == "en" and not phrase.whole
    ]
    groups += [
        _group(function, lexicon.frames, lexicon.verbs, lexicon.nouns, lexicon.fixed, language)
        for lexicon in function.lexicons
        if lexicon.language == language and not lexicon.whole and not lexicon.is_fallback
    ]
    groups = [group for group in groups if group.frames]
    bags = [
        bag
        for group in groups
        for bag in (*group.verbs, *group.nouns, *(frame.words for frame, _, _ in group.frames))
    ]
    return _Parts(tuple(groups), frozenset().union(*bags))


def _group(
    function: PlannerFunction,
    frames: Iterable[str],
    verbs: Iterable[str],
    nouns: Iterable[str],
    fixed: tuple[tuple[str, Any], ...],
    language: str,
) -> _Group:
    made = [
        framed
        for framed in (_framed(frame, language) for frame in frames)
        if all(_is_typed(function, slot) for slot in framed[0].slots)
    ]
    unique = tuple(dict.fromkeys(made))
    return _Group(
        unique, _bags(verbs, language) if unique else (), _bags(nouns, language) if unique else (), fixed
    )


@lru_cache(maxsize=8192)
def _framed(frame: str, language: str) -> tuple[_Bag, bool, bool]:
    """The words and slots of a frame, and whether it holds a verb and a noun of its lexicon."""
    slots = tuple(slot for slot in _SLOT.findall(frame) if slot not in ("verb", "noun"))
    words = _phrase_words(_SLOTS.sub(" ", frame), language)
    return _Bag(words, slots), "{verb}" in frame, "{noun}" in frame


def _bags(words: Iterable[str], language: str) -> tuple[frozenset[str], ...]:
    return tuple(dict.fromkeys(_phrase_words(word, language) for word in words if "{" not in word))


def _is_typed(function: PlannerFunction, slot: str) -> bool:
    """Whether the values of a slot can be told from other words: numbers, ratios and choices."""
    schema = schema_of(function.parameters, slot)
    return (
        schema.get("type") in ("number", "integer")
        or "pattern" in schema
        or "enum" in schema
        or slot in ("text", "color")
    )


def _matches(
    function: PlannerFunction,
    groups: Iterable[_Group],
    said: frozenset[str],
    known: frozenset[str],
    tokens: list[str],
) -> Iterator[tuple[int, Match]]:
    numbers = [
        token for token in tokens if (token[-1:].isdigit() or token.endswith("%")) and QUOTE not in token
    ]
    for group in groups:
        verbs = [verb for verb in group.verbs if verb <= said]
        nouns = [noun for noun in group.nouns if noun <= said]
        for frame, has_verb, has_noun in group.frames:
            if not frame.words <= said:
                continue
            for verb, noun in product(
                verbs if has_verb else [frozenset[str]()], nouns if has_noun else [frozenset[str]()]
            ):
                words = frame.words | verb | noun
                values = _values(function, frame.slots, numbers, tokens)
                if values is None or not (words - _WEAK or values):
                    continue
                left = said - words - {word for value in values.values() for word in value.lower().split()}
                if len(left) <= MAX_LEFT and left <= known - _REMOVALS and (words or frame.slots):
                    arguments = (*values.items(), *group.fixed)
                    weight = 2 * len(words) + 2 * len(values) - len(left)
                    yield (
                        weight,
                        Match(function, arguments, weight=weight, is_declared=False, slots=len(values)),
                    )


def _values(
    function: PlannerFunction, slots: tuple[str, ...], numbers: list[str], tokens: list[str]
) -> dict[str, str] | None:
    """A value for each slot, where the clause has exactly the numbers that the phrase has slots for."""
    values: dict[str, str] = {}
    rest = list(numbers)
    if set(slots) >= {"width", "height"}:
        pair = next((token for token in rest if "x" in token), None)
        if pair is None:
            return None
        rest.remove(pair)
        values["width"], values["height"] = pair.split("x")
    for slot in slots:
        if slot in values:
            continue
        schema = schema_of(function.parameters, slot)
        if "enum" in schema:
            pairs = [" ".join(pair) for pair in pairwise(tokens)]
            fits = (fitted(function, slot, token).value for token in (*pairs, *tokens))
            value = next((fit for fit in fits if fit in schema["enum"]), None)
        elif slot == "text":
            value = next((token for token in tokens if token.startswith(QUOTE)), None)
        elif slot == "color":
            value = next((token for token in tokens if is_colour_word(token)), None)
        elif "pattern" in schema:
            value = next(
                (token for token in rest if ":" in token and re.search(schema["pattern"], token)), None
            )
        else:
            value = next((token for token in rest if _fits_number(slot, token)), None)
        if value is None:
            return None
        if value in rest:
            rest.remove(value)
        values[slot] = unquoted(value).removesuffix("%")
    if rest or ("text" not in slots and any(token.startswith(QUOTE) for token in tokens)):
        return None
    return values


def _fits_number(slot: str, token: str) -> bool:
    is_share = token.endswith("%")
    return _NUMBER.fullmatch(token.removesuffix("%")) is not None and (
        is_share == (slot == "percent") or slot == "quality"
    )


def _tokens(text: str) -> list[str]:
    tokens = _TOKEN.findall(name_image(plain(text)))
    return [token if token.startswith(QUOTE) else fold(token) for token in tokens]


@lru_cache(maxsize=16384)
def _phrase_words(text: str, language: str) -> frozenset[str]:
    """As :func:`_words`, for a part of a phrase, whose words are parted by spaces."""
    words = fold(text).replace(":", " ").split()
    if language != "en":
        return frozenset(word for word in words if word != "it" and word not in _ABROAD[language])
    return frozenset(_stem(word) for word in words if word not in _FILLER and not word.endswith("%"))


def _words(tokens: Iterable[str], language: str) -> frozenset[str]:
    """The words that count, each without its ending; numbers are left out."""
    if language != "en":
        dropped = _ABROAD[language]
        return frozenset(
            token
            for token in tokens
            if token not in dropped and QUOTE not in token and not token[-1:].isdigit() and token[-1:] != "%"
        )
    return frozenset(
        _stem(token)
        for token in tokens
        if token not in _FILLER and QUOTE not in token and not token[-1:].isdigit() and token[-1:] != "%"
    )


@lru_cache(maxsize=8192)
def _stem(word: str) -> str:
    stem = _american(word).replace("isation", "ization")
    stem = _BRITISH.sub(r"iz\1", stem)
    for end in _ENDS:
        if stem.endswith(end) and len(stem) - len(end) >= 3:
            stem = stem[: -len(end)]
            break
    return stem[:-1] if stem[-1:] == stem[-2:-1] and len(stem) > 3 else stem.removesuffix("e")
