"""Matching a sentence against declared phrases."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from typing import Any

from promptvision.builtin.planner.books import PhraseBook, phrase_book
from promptvision.builtin.planner.clauses import AND, MAX_CLAUSES, bare, split_clauses
from promptvision.builtin.planner.patterns import (
    ANY_WORDS,
    HANDLE,
    IMAGE,
    POINTED,
    QUOTE,
    fold,
    name_image,
    unquoted,
)
from promptvision.builtin.planner.several import has_several, image_arguments
from promptvision.builtin.planner.slots import MISFIT, fitted
from promptvision.builtin.planner.values import (
    PRONOUNS,
    cleaned,
    ends_in_colour,
    holds_request,
    is_colour,
    is_guessed,
    is_look,
    is_setting,
    is_split,
    is_thing,
    read_slots,
    says_something,
    things,
    with_kept,
)
from promptvision.llm.planner import PlannerFunction
from promptvision.tools.targets import has_exception, is_colour_word

__all__ = ["MAX_CHARS", "MAX_WORK", "PART_WORK", "Match", "match_clause", "match_request"]

MAX_CHARS = 600
"""Longer requests are not parsed."""
MAX_WORK, PART_WORK = 2400, 40
"""Characters of the parts matched for one request in all languages; each part has a cost of its own."""
MAX_CUTS = 12
"""Maximum number of commas and "and" in a clause at which it is split."""
MAX_NAME = 4
"""Words of a thing's name, with its article, where nothing joins them."""
_JOINED = re.compile(
    r"\b(?:of|in|on|at|with|next|behind|under|near|and|from|around|by|to)\b|'s\b|s'\s", re.IGNORECASE
)
_PLACE_FIRST = re.compile(rf"^(?:in|on|for|with|from) {IMAGE},? ", re.IGNORECASE)
_DETERMINED = re.compile(
    r"(?:the|my|this|that|these|those|both|all|every|each|his|her|their)\s",
    re.IGNORECASE,
)
_KEPT = re.compile(
    r"(?:\s*,\s*(?:and\s+|but\s+)?|\s+(?:but|and)\s+)"
    r"(?:(?P<left>not|leave|keep)|(?:do not|don't|never)\s+(?:touch|change|mess with|ruin|affect|remove"
    r"|edit|alter|paint"
    r"|recolou?r|make))\s+"
    r"(?P<kept>.+?)(?:\s+(?:alone|untouched|unchanged|intact|as (?:it|they) (?:is|are|was|were)))?$",
    re.IGNORECASE,
)
_LEAVING = re.compile(
    r",?\s+(?:while |but )?(?:leaving|keeping)\s+(?P<kept>.+?)\s+(?:as (?:they|it) (?:are|is)|as is"
    r"|alone|untouched"
    r"|unchanged|intact|the same)$",
    re.IGNORECASE,
)
_IN_FOCUS = re.compile(
    r",?\s+(?:but|and|with|while)\s+(?P<kept>(?:the|my|his|her|their) .+?)\s+(?:(?:should|must|stays?|still"
    r"|is|are|to|be|kept|remains?|left)\s+)*(?:in focus|sharp|clear|visible|untouched|unchanged|in colou?r)$",
    re.IGNORECASE,
)
_UNTOUCHED = re.compile(
    r",?\s+without (?:touching|changing|removing|editing|altering|affecting|painting) (?P<kept>.+)$",
    re.IGNORECASE,
)
_EXCEPTED = re.compile(
    r",?\s+(?:except(?: for)?|just not|only not|though not|excluding|other than|apart from|besides|but "
    r"not|aside from|save for|but for"
    r"|not counting|not including|with the exception of|bar(?= (?:the|my|his|her|that|this|those) )"
    r"|minus(?= (?:the|my|his|her|that|this|those) ))\s+(?P<kept>.+)$",
    re.IGNORECASE,
)
_PROPERTY = re.compile(
    r"(?:(?:the|its|any) )?(?:colou?rs?|contrast|brightness|saturation|exposure|sharpness|lighting"
    r"|light|size|proportions?|aspect(?: ratio)?|quality"
    r"|details?|resolution|anything"
    r"(?: else)?|everything else|the rest|other things|shape|format)(?: (?:of )?<image>)?",
    re.IGNORECASE,
)
"""What an image has, in contrast to things in it."""
_NO_TEXT = re.compile(
    r"(?:for|in|with|about|of|on|at|to|out|up|everything|all) |(?:my|his|her|our|their|the|a|an|some|today's)"
    r" (?:[\w']+ )?(?:name|initials|date|greeting|message|title|caption|text|note|poem|joke)$",
    re.IGNORECASE,
)
"""The beginning of words that say where or what for, not what to write."""
_PRONOUN_LAST = re.compile(r"\b(?:them|these|those|him|her)$", re.IGNORECASE)


@dataclass(frozen=True)
class Match:
    """A clause that asks for a function.

    Args:
        function: what to call.
        arguments: values of the phrase's slots, and what the phrase implies.
        weight: number of characters that the clause shares with the phrase literally; more is more certain.
        lead: the words of the phrase before its first slot, if it has several.
        is_follow_up: whether the target is a pronoun that refers to the target of an earlier step.
        is_guessed: whether a slot's value is one last word that is not a colour: "make the door wet".
        is_loose: whether the phrase is of a lexicon that counts where no other phrase matches.
        slots: number of arguments that are values of slots; they come first.
        is_declared: whether the function declares the phrase itself rather than through a lexicon.
        is_split: whether it is ambiguous where the target ends and the value begins: "make the green
            cone" has no value, or "cone".
        rivals: calls of other functions that match the clause equally well through lexicon phrases.
    """

    function: PlannerFunction
    arguments: tuple[tuple[str, Any], ...]
    weight: int
    lead: str = ""
    is_follow_up: bool = False
    is_declared: bool = True
    is_split: bool = False
    is_guessed: bool = False
    is_loose: bool = False
    slots: int = 0
    rivals: tuple[Match, ...] = ()


def match_request(words: str, functions: Sequence[PlannerFunction]) -> list[Match]:
    """The calls that a request asks for, in order; empty unless every clause of it is understood."""
    if len(words) > MAX_CHARS:
        return []
    clauses = split_clauses(words)
    if len(clauses) > MAX_CLAUSES:
        return []
    plan: list[Match] = []
    book = phrase_book(functions).for_request()
    for clause in clauses:
        understood = match_clause(clause, book)
        if not understood:
            return []
        plan.extend(understood)
    return plan


def match_clause(clause: str, book: PhraseBook) -> tuple[Match, ...]:
    """The calls of a clause. An exception ("..., not the box") applies to the targets before it."""
    if (direct := _match_excepting(clause, book)) is not None:
        return (direct,)
    for rule in (_KEPT, _LEAVING, _IN_FOCUS, _UNTOUCHED, _EXCEPTED):
        text = bare(clause)
        if found := rule.search(text):
            kept, head = _kept(found), text[: found.start()]
            if _PROPERTY.fullmatch(kept):  # "brighter without changing the colours"
                return _match_parts(head, book)
            for part in (head, f"make it {head}") if kept else ():
                matches = _match_parts(part, book, kept)
                if matches and all(match.function.target in dict(match.arguments) for match in matches):
                    return matches
    if is_colour(bare(clause)):
        clause = f"make it {bare(clause)}"
    return _match_parts(clause, book)


def _match_excepting(clause: str, book: PhraseBook) -> Match | None:
    """The function whose phrase itself says "except" ("blur everything except {target}")."""
    if not _EXCEPTED.search(bare(clause)):
        return None
    match = _match_one(clause, book, "")
    values = [value for _, value in match.arguments if isinstance(value, str)] if match else []
    return None if any(has_exception(fold(value)) or _EXCEPTED.search(value) for value in values) else match


def _kept(found: re.Match[str]) -> str:
    """The part that a clause says to keep; "leave the ball red" keeps the ball."""
    kept = cleaned(found["kept"])
    *first, last = kept.split() or [""]
    is_left = found.re is _KEPT and (found["left"] or "").lower() in ("leave", "keep")
    return " ".join(first) if is_left and first and is_colour_word(last.lower()) else kept


def _match_parts(clause: str, book: PhraseBook, kept: str = "") -> tuple[Match, ...]:
    """A clause as several calls if it can be cut at "and" or a comma into parts that are all understood.

    A part may omit the verb of the one before it: "make the ball green and the box yellow". In "make the
    green cone and the box yellow" the first part has no value of its own, so both get the last one.
    """
    is_shared = ends_in_colour(bare(clause))
    cuts = [(0, 0), *(found.span() for found in islice(AND.finditer(clause), MAX_CUTS))]
    cuts.append((len(clause), len(clause)))

    @cache
    def plan(first: int, lead: str, verb: str = "", named: str = "") -> tuple[Match, ...]:
        for last in range(first + 1, len(cuts)):
            part = clause[cuts[first][1] : cuts[last][0]]
            head = _match_one(part, book, kept)
            if head is None and lead and (_DETERMINED.match(part) or book.language != "en"):
                head = _match_one(lead + part, book, kept)
            if head is None and named and (found := _PRONOUN_LAST.search(part)) is not None:
                head = _match_one(part[: found.start()] + named, book, kept)
            if head is None and verb:
                head = _match_one(f"{verb} {bare(part)}", book, kept)
                head = head if head is not None and not head.slots and not head.is_follow_up else None
            if head is not None and last == len(cuts) - 1:
                return (head,)
            if head is not None and is_shared and head.is_split:
                continue
            if head is not None and (tail := plan(last, head.lead, _verb(part), _named(head) or named)):
                return (head, *tail)
        return ()

    return plan(0, "")


def _verb(part: str) -> str:
    """The first word of a part, which the next part may leave out: "increase contrast and saturation"."""
    return bare(part).partition(" ")[0]


def _named(match: Match) -> str:
    """The thing that a call is about, for "them" in the next part."""
    return str(dict(match.arguments).get(match.function.target or "", ""))


def _match_one(clause: str, book: PhraseBook, kept: str) -> Match | None:
    """The function whose phrase matches best, if any."""
    key = (bare(clause), kept)
    if key not in book.read and book.effort.work < MAX_WORK:
        book.work += PART_WORK + len(clause)
        book.effort.work += PART_WORK + len(clause)
        book.read[key] = _best_match(clause, book, kept)
    return book.read.get(key)


def _best_match(clause: str, book: PhraseBook, kept: str) -> Match | None:
    text = bare(clause)
    if has_several(text) and (several := _match_several(text, book)) is not None:
        return several
    handle = HANDLE.search(text) if "_" in text else None
    text = HANDLE.sub(IMAGE, text) if handle else text
    image = f"img_{handle[1]}" if handle else None
    worded = list(_readings(text))
    found = [match for reading in worded for match in _matches(reading, book, image, kept)]
    if text not in worded:
        found += _matches(text, book, image, kept, only_follow_ups=True)
    best = max(
        found, key=lambda match: (match.weight, not match.is_follow_up, match.is_declared), default=None
    )
    if best is None or best.is_declared:
        return best
    rivals = {match.function.name: match for match in found if match.weight == best.weight}
    rivals.pop(best.function.name, None)
    return replace(best, rivals=tuple(rivals.values()))


def _match_several(text: str, book: PhraseBook) -> Match | None:
    """The function whose phrase matches best words that name several images."""
    folded = fold(text)
    found = []
    for readable in book.phrases(folded):
        function, pattern = readable.function, readable.pattern
        values = read_slots(pattern, text, folded) if pattern.groups else None
        arguments = image_arguments(function, values) if values else None
        if arguments is not None:
            fixed = (*arguments.items(), *readable.source.fixed)
            found.append(Match(function, fixed, weight=pattern.weight, is_declared=readable.is_declared))
    return max(found, key=lambda match: match.weight, default=None)


def _readings(text: str) -> Iterator[str]:
    """The clause with normalised image names; "this" may refer to the image or to an object in it."""
    named = name_image(text)
    for reading in dict.fromkeys((named, POINTED.sub(IMAGE, named))):
        yield reading
        if placed := _PLACE_FIRST.match(reading):
            yield reading[placed.end() :]


def _matches(
    text: str, book: PhraseBook, handle: str | None, kept: str, *, only_follow_ups: bool = False
) -> Iterator[Match]:
    """The calls of phrases that a text matches; or only those of which a pronoun is the target."""
    folded = fold(text)
    for readable in book.phrases(folded):
        function, source, pattern = readable.function, readable.source, readable.pattern
        if (kept and not function.target) or (only_follow_ups and not _has_optional_target(function)):
            continue
        values = read_slots(pattern, text, folded)
        if values is None or (only_follow_ups and function.target not in values):
            continue
        if holds_request(values.pop(ANY_WORDS, ""), book):
            continue
        if QUOTE in text and not all(_is_quoted(name, value) for name, value in values.items()):
            continue
        values = {name: unquoted(value) for name, value in values.items()}
        given = {name: _value(function, name, value) for name, value in values.items()}
        raw = values.get(function.target or "", "").strip()
        target = given.get(function.target or "")
        guesses = [group for group in pattern.groups if is_guessed(group, values)]
        is_follow_up = _can_follow_up(function, raw if fold(raw) in PRONOUNS else target)
        if is_follow_up and any(fold(values[group[-1]]) in book.settings for group in guesses):
            continue
        if only_follow_ups and not is_follow_up:
            continue
        if is_follow_up:
            del given[str(function.target)]
        elif target is not None:
            given[str(function.target)] = with_kept(things(target), kept)
        if not all(map(says_something, given.values())) or not is_thing(target, book):
            continue
        if any(is_setting(values[group[-1]], book) or _is_long(values[group[0]]) for group in guesses):
            continue
        if not is_look(given.get("prompt", ""), is_of_target=function.target is not None):
            continue
        if QUOTE not in text and _NO_TEXT.match(given.get("text", "")):
            continue
        fits = {name: fitted(function, name, value) for name, value in given.items()}
        is_sure = all(fit.is_sure for fit in fits.values())
        if MISFIT in fits.values() or not (is_sure or readable.is_declared):
            continue
        arguments = [*((name, fit.value) for name, fit in fits.items()), *source.fixed]
        if source.whole:
            arguments.append((source.whole, text.replace(IMAGE, "it").strip()))
        if handle is not None and function.image is not None:
            arguments.append((function.image, handle))
        yield Match(
            function,
            tuple(arguments),
            weight=pattern.weight if is_sure else 0,
            lead=readable.text.partition("{")[0] if sum(map(len, pattern.groups)) > 1 else "",
            is_follow_up=is_follow_up,
            is_declared=readable.is_declared,
            is_split=any(is_split(group, values) for group in pattern.groups),
            is_guessed=bool(guesses),
            slots=len(fits),
        )


def _is_long(words: str) -> bool:
    """Whether words are too many to name a thing before a guessed value."""
    return len(words.split()) > MAX_NAME and not _JOINED.search(words)


def _is_quoted(name: str, value: str) -> bool:
    """Whether a text to write is exactly what the user quoted; another argument may hold a quoted word."""
    if "text" not in fold(name):
        return True
    return value.strip(" ,:").startswith(QUOTE) and value.strip(" ,:.").endswith(QUOTE)


def _value(function: PlannerFunction, name: str, value: str) -> str:
    """A slot's value; a text to write is not changed."""
    return value.strip(" ,:") if "text" in fold(name) else cleaned(value, is_target=name == function.target)


def _can_follow_up(function: PlannerFunction, target: str | None) -> bool:
    """Whether the target is a pronoun and the function's target is optional."""
    return target is not None and target.lower() in PRONOUNS and _has_optional_target(function)


def _has_optional_target(function: PlannerFunction) -> bool:
    required = function.parameters.get("required", (function.target,))
    return function.target is not None and function.target not in required
