"""Matching a sentence against declared phrases."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import islice
from typing import Any

from promptvision.llm.planner import PlannerFunction
from promptvision.tools.targets import has_exception, is_colour_word, read_target

__all__ = ["Match", "match_request"]

IMAGE = "<image>"
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
    r"(?:[\s,]+(?:please|now|for me|(?:many )?thanks|thank you|thx|cheers|(?:very|so) much|a lot"
    r"|in advance|if (?:you can|possible|you please)|will you|would you|too|as well|again|instead"
    r"|afterwards))+$",
    re.IGNORECASE,
)
_STRONG = re.compile(
    r"\s*(?:[;\n]+|[.!?]+(?:\s+|$)|,?\s*\b(?:and\s+)?(?:then|after that|afterwards)\b[,:]?)\s*", re.IGNORECASE
)
_WEAK = re.compile(r"\s*(?:,\s*and\b|,|\band\b)\s*", re.IGNORECASE)
_PLACE_FIRST = re.compile(rf"^(?:in|on|for|with|from) {IMAGE},? ", re.IGNORECASE)
_PLACE_LAST = re.compile(rf"\s+(?:in|on|from|of|inside|within) {IMAGE}$", re.IGNORECASE)
_DETERMINERS = re.compile(r"^(?:(?:the|a|an|this|that|these|those|my|some)\s+)+", re.IGNORECASE)
_ALL = re.compile(r"^(?:all|any)\s+(?:of\s+)?(?:the\s+|these\s+|those\s+|my\s+)?", re.IGNORECASE)
_DETERMINED = re.compile(
    r"(?:the|my|this|that|these|those|both|all|every|each|his|her|their)\s", re.IGNORECASE
)
_PRONOUNS = frozenset(("it", "this", "that", "them", "these", "those", "everything", "anything", "all"))
_IT = frozenset(("it", "this", "that", "them", "these", "those", "that one", "this one", "the same"))
_NO_END = frozenset(
    ("the", "a", "an", "and", "&", "or", "to", "of", "in", "my", "that", "this", "not", "but", "with", "like")
) | frozenset(("on", "at", "by", "under", "next"))
"""Words that no thing's name ends in."""
_KEPT = re.compile(
    r"(?:\s*,\s*(?:and\s+|but\s+)?|\s+(?:but|and)\s+)"
    r"(?:not|leave|keep|(?:do not|don't|never)\s+(?:touch|change|remove|edit|alter|paint|recolou?r|make))\s+"
    r"(?P<kept>.+?)(?:\s+(?:alone|untouched|unchanged|intact|as (?:it|they) (?:is|are|was|were)))?$",
    re.IGNORECASE,
)
_EXCEPTED = re.compile(
    r",?\s+(?:except(?: for)?|excluding|other than|apart from|besides|but not)\s+(?P<kept>.+)$",
    re.IGNORECASE,
)
_SLOTS = re.compile(r"(\{\w+\}(?: \{\w+\})*)")
_NO_COLOUR = r"(?:in )?(?:black (?:and|&) white|b&w|gr[ae]y ?scale)"
_COLOUR_LAST = re.compile(
    r"(.+?) ((?:(?:an?|into|to) )?(?:(?:bright|dark|light|pale|deep|very)\s)*[\w-]+)",
    re.IGNORECASE | re.DOTALL,
)
_LAST_OF_TWO = (
    rf" ({_NO_COLOUR}|(?:an?|into|to|look like)\s.+|(?:(?:bright|dark|light|pale|deep|very)\s)*\S+)"
)


@dataclass(frozen=True)
class Match:
    """A clause that asks for a function.

    Args:
        function: what to call.
        arguments: values of the phrase's slots, and what the phrase implies.
        weight: how many characters the clause shares with the phrase word for word; more is more certain.
        lead: the words of the phrase before its first slot, if it has several.
        is_follow_up: whether the target is a pronoun, which stands for what an earlier step was about.
    """

    function: PlannerFunction
    arguments: tuple[tuple[str, Any], ...]
    weight: int
    lead: str = ""
    is_follow_up: bool = False


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
    """The calls of a clause. What it says to keep ("..., not the box") belongs to the targets before it."""
    for rule in (_KEPT, _EXCEPTED):
        bare = _bare(clause)
        if found := rule.search(bare):
            kept = _clean(found["kept"])
            pointed = [function for function in functions if function.target]
            matches = _match_parts(bare[: found.start()], pointed, kept) if kept else ()
            if matches and all(match.function.target in dict(match.arguments) for match in matches):
                return matches
    if _is_colour(_bare(clause)):
        clause = f"make it {_bare(clause)}"
    return _match_parts(clause, functions)


def _match_parts(clause: str, functions: Sequence[PlannerFunction], kept: str = "") -> tuple[Match, ...]:
    """A clause as several calls if it can be cut at "and" or a comma into parts that are all understood.

    A part may leave out the verb of the one before it: "make the ball green and the box yellow".
    """
    cuts = [(0, 0), *(found.span() for found in islice(_WEAK.finditer(clause), MAX_CUTS))]
    cuts.append((len(clause), len(clause)))

    @cache
    def plan(first: int, lead: str) -> tuple[Match, ...]:
        for last in range(first + 1, len(cuts)):
            part = clause[cuts[first][1] : cuts[last][0]]
            head = _match_one(part, functions, kept)
            if head is None and lead and _DETERMINED.match(part):
                head = _match_one(lead + part, functions, kept)
            if head is not None and last == len(cuts) - 1:
                return (head,)
            if head is not None and (tail := plan(last, head.lead)):
                return (head, *tail)
        return ()

    return plan(0, "")


def _match_one(clause: str, functions: Sequence[PlannerFunction], kept: str) -> Match | None:
    """The function whose phrase fits best, if any does."""
    text = _bare(clause)
    handle = _HANDLE.search(text)
    text = _HANDLE.sub(IMAGE, text)
    image = f"img_{handle[1]}" if handle else None
    found = [
        match
        for reading in _readings(text)
        for function in functions
        for match in _matches(reading, function, image, kept)
    ]
    follow_ups = (match for function in functions for match in _matches(text, function, image, kept))
    found += [match for match in follow_ups if match.is_follow_up]
    return max(found, key=lambda match: (match.weight, not match.is_follow_up), default=None)


def _is_colour(text: str) -> bool:
    """Whether a clause is a colour and nothing else, which stands for "make it ..."."""
    return re.fullmatch(r"(?:(?:bright|dark|light|pale|deep)\s+)?\w+", text) is not None and _ends_in_colour(
        text
    )


def _readings(text: str) -> Iterator[str]:
    """The clause with the image named one way; "this" may point at the image or at a thing in it."""
    named = _NAMED.sub(IMAGE, text)
    for reading in dict.fromkeys((named, _POINTED.sub(IMAGE, named))):
        yield reading
        if placed := _PLACE_FIRST.match(reading):
            yield reading[placed.end() :]


def _matches(text: str, function: PlannerFunction, handle: str | None, kept: str) -> Iterator[Match]:
    folded = _fold(text)
    for phrase in function.phrases:
        pattern = _compiled(phrase.text)
        values = _read_slots(pattern, text, folded)
        if values is None:
            continue
        cleaned = {name: _clean(value, is_target=name == function.target) for name, value in values.items()}
        target = cleaned.get(function.target or "")
        is_follow_up = _can_follow_up(function, target)
        if is_follow_up:
            del cleaned[str(function.target)]
        elif target is not None:
            cleaned[str(function.target)] = _with_kept(_things(target), kept)
        if not all(map(_says_something, cleaned.values())):
            continue
        arguments = [*cleaned.items(), *phrase.fixed]
        if handle is not None and function.image is not None:
            arguments.append((function.image, handle))
        lead = phrase.text.partition("{")[0] if len(phrase.slots) > 1 else ""
        yield Match(function, tuple(arguments), pattern.weight, lead, is_follow_up)


def _can_follow_up(function: PlannerFunction, target: str | None) -> bool:
    """Whether the target is a pronoun, and the function can do without one."""
    is_pronoun = target is not None and target.lower() in _IT
    return is_pronoun and function.target not in function.parameters.get("required", (function.target,))


def _with_kept(target: str, kept: str) -> str:
    """A target with an exception; of the image itself, or of everything, it leaves the rest."""
    if not kept:
        return target
    whole = target == IMAGE or target.lower() in ("everything", "anything", "all")
    return f"{'everything' if whole else target} except {kept}"


@lru_cache(maxsize=4096)
def _compiled(phrase: str) -> _Pattern:
    parts = _SLOTS.split(_plain(phrase))
    literals = tuple(_fold(_POINTED.sub(IMAGE, _NAMED.sub(IMAGE, part))) for part in parts[::2])
    groups = tuple(tuple(re.findall(r"\w+", part)) for part in parts[1::2])
    weight = sum(len(text.replace(" ", "").replace(IMAGE, "")) for text in literals)
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
    if len(names) == 2 and _ends_in_colour(text) and (found := _COLOUR_LAST.fullmatch(text)) is not None:
        *_, last = found[1].lower().split()
        if last not in _NO_END:
            return dict(zip(names, found.groups(), strict=True))
    found = re.fullmatch("(.+?)" + _LAST_OF_TWO * (len(names) - 1), text, re.IGNORECASE | re.DOTALL)
    return dict(zip(names, found.groups(), strict=True)) if found else None


def _clean(value: str, *, is_target: bool = True) -> str:
    """A slot's value without "in the image", articles and outer marks.

    The article stays before a lone colour name, where it tells the thing ("a rose") from the colour.
    """
    value = _PLACE_LAST.sub("", value).strip(" ,")
    bare = _DETERMINERS.sub("", value)
    if not is_target:
        return value if bare != value and " " not in bare and _ends_in_colour(bare) else bare
    return _ALL.sub("", bare) if not has_exception(bare) and read_target(bare).is_plural else bare


def _says_something(value: str) -> bool:
    words = value.lower().split()
    is_empty = not words or value.lower() in _PRONOUNS or words[-1] in _NO_END
    return not is_empty and IMAGE not in value


def _things(value: str) -> str:
    """Several things parted by dots: "ball and the box" names two, "black and white cat" one.

    What follows an exception belongs to it.
    """
    if has_exception(value):
        return value
    first, *rest = re.split(f"({_WEAK.pattern})", value, flags=re.IGNORECASE)
    things = [first]
    for join, thing in zip(rest[::2], rest[1::2], strict=True):
        if "," in join or _DETERMINERS.match(thing) or not _ends_in_colour(things[-1]):
            things.append(thing)
        else:
            things[-1] += join + thing
    return ". ".join(_clean(thing) for thing in things if thing)


def _ends_in_colour(words: str) -> bool:
    return is_colour_word(words.lower().rpartition(" ")[2])
