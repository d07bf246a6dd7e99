"""Matching a sentence against declared phrases."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from typing import Any

from promptvision.builtin.planner.patterns import (
    ANY_WORDS,
    HANDLE,
    IMAGE,
    POINTED,
    QUOTE,
    Pattern,
    PhraseBook,
    fold,
    name_image,
    phrase_book,
    plain,
    unquoted,
)
from promptvision.builtin.planner.several import has_several, image_arguments
from promptvision.builtin.planner.slots import MISFIT, fitted
from promptvision.llm.planner import PlannerFunction
from promptvision.tools.target_grammar import CHOICES, DARK, LIGHT, THINGS
from promptvision.tools.targets import has_exception, is_colour_word, read_target

__all__ = ["MAX_CHARS", "MAX_CLAUSES", "Match", "match_clause", "match_request", "split_clauses"]

MAX_CHARS = 600
"""Longer requests are not parsed."""
MAX_CLAUSES = 8
MAX_WORK, PART_WORK = 3000, 40
"""How many characters of parts are matched for one request, each part with a cost of its own."""
MAX_CUTS = 12
"""Maximum number of commas and "and" in a clause at which it is split."""

_OPENING = re.compile(
    r"^(?:(?:ok(?:ay)?|now|then|next|finally|first|also|and|please|kindly|just|(?:hey|hi|hello)(?: there)?"
    r"|afterwards|after that|(?:can|could|would|will) you|i (?:want|need) you to|i want to"
    r"|i(?: would|'d) like (?:you )?to|let's|let us|go ahead and)\b[\s,:]*)+",
    re.IGNORECASE,
)
_VOCATIVE = r"(?:mate|man|buddy|pal|bro|dude|guys|folks|everyone|(?:my )?(?:friend|dear))"
_CLOSING = re.compile(
    rf"(?:[\s,]+(?:please|now|for me|(?:many )?(?:thanks|thank you|thx|cheers)(?: {_VOCATIVE})?"
    r"|(?:very|so) much|a lot|a million|kindly|(?:much|very) appreciated|in advance"
    r"|if (?:you can|possible|you please)|will you|would you|too|as well|again|instead|afterwards)"
    rf"|\s*,\s*{_VOCATIVE})+$",
    re.IGNORECASE,
)
_STRONG = re.compile(
    r"\s*(?:[;\n]+|[.!?]+(?:\s+|$)|,?\s*\b(?:and\s+)?(?:then|after that|afterwards)\b[,:]?)\s*",
    re.IGNORECASE,
)
_WEAK = re.compile(r"\s*(?:,\s*and\b|,|\band\b)\s*", re.IGNORECASE)
_PLACE_FIRST = re.compile(rf"^(?:in|on|for|with|from) {IMAGE},? ", re.IGNORECASE)
_PLACE_LAST = re.compile(rf"\s+(?:in|on|from|of|inside|within) {IMAGE}$", re.IGNORECASE)
_DETERMINERS = re.compile(r"^(?:(?:the|a|an|this|that|these|those|my|some)\s+)+", re.IGNORECASE)
_ONLY = re.compile(r"^(?:only|just)\s+", re.IGNORECASE)
_ALL = re.compile(r"^(?:all|any)\s+(?:of\s+)?(?:the\s+|these\s+|those\s+|my\s+)?", re.IGNORECASE)
_DETERMINED = re.compile(
    r"(?:the|my|this|that|these|those|both|all|every|each|his|her|their)\s",
    re.IGNORECASE,
)
_PRONOUNS = frozenset(("it", "this", "that", "them", "these", "those", "everything", "anything", "all"))
_EVERYTHING = frozenset(("everything", "anything", "all", "the rest", "rest", "others", "everything else"))
_EVERYTHING |= frozenset(("anything else", "all the rest", "the others", "whole thing", "the whole thing"))
_VAGUE = frozenset(("better", "nicer", "worse", "forever", "else", "again", "instead", "too", "now", "then"))
_VAGUE |= frozenset(
    ("anymore", "more", "less", "enough", "good", "great", "nice", "pretty", "beautiful", "ok")
)
_VAGUE |= frozenset(("version", "copy", "variant", "image", "picture", "photo", "small enough", "big enough"))
_VAGUE |= frozenset(
    ("bark", "sing", "talk", "speak", "dance", "move", "walk", "laugh", "cry", "work", "happen")
)
_VAGUE |= frozenset(
    ("out", "off", "away", "in", "on", "over", "back", "down", "around", "there", "here", "as well")
)
_VAGUE |= frozenset(
    ("perfect", "different", "right", "possible", "me", "us", "you", "so", "well", "up", "down")
)
"""Words that do not say what a thing is to look like."""
_AMOUNT_FIRST = re.compile(
    r"(?:(?:a )?(?:little |tiny )?(?:bit|touch|tad|notch)|slightly|(?:to|on) (?:the|its) (?:left|right"
    r"|side|head)|upside)\b",
    re.IGNORECASE,
)
_TO_THING = re.compile(
    r"^\d+ (?:pixels|%|degrees)|^\w+ly (?:around|to|on|in)\b|(?<!next )(?<!close )(?<!closest "
    r")(?<!nearest )(?<!attached )(?<!belonging )\bto (?:the|an?|my)\b(?! (?:far )?(?:left|right)\b)"
)
"""A goal, which no name of a thing holds: "the image to the face"."""
_REASON = re.compile(
    r"\b(?:so (?:that|the|it|i|we|my|nobody|no one|people)|because|since (?:i|it|we)|in order)\b"
)
_HAS_VERB = re.compile(
    r"(?<!whatever )(?<!everything )(?<!that )(?<!which )(?<!who )(?<!what )\b(?:is|are|was|were|did"
    r"|does|should|would|be|been)\b"
)
"""A word that makes a sentence of a target, except in a relative clause."""
_ASKS = re.compile(r"\b(?:if|could|would|should|because|please|i|you)\b", re.IGNORECASE)
"""Words of a sentence around a request, in what a thing is to look like."""
_UNSEEN = frozenset(("account", "history", "subscription", "password", "browser", "cookies", "conversation"))
_UNSEEN |= frozenset(
    ("resolution", "size", "dimensions", "format", "brightness", "contrast", "saturation", "exposure")
)
_UNSEEN |= frozenset(
    ("sharpness", "quality", "ratio", "version", "copy", "inverted", "mirrored", "cropped", "resized")
)
_UNSEEN |= frozenset(
    ("app", "folder", "calendar", "playlist", "song", "music", "alarm", "timer", "reminder", "flight")
)
_UNSEEN |= frozenset(
    ("volume", "internet", "wifi", "data", "email", "emails", "messages", "memory", "weather", "news")
)
"""Things that no image shows."""
_IT = frozenset(("it", "this", "that", "them", "these", "those", "that one", "this one", "the same"))
_IT |= frozenset(("him", "her", "he", "she", "both", "both of them", "all of them"))
_ADJECTIVES = CHOICES | DARK | LIGHT
_SPEAKERS = frozenset(("me", "us", "you", "i", "myself", "yourself"))
_ASKING = frozenset(
    [
        "i",
        "you",
        "we",
        "could",
        "would",
        "should",
        "please",
        "if",
        "it'd",
        "i'd",
        "nothing",
        "nobody",
        "wonderful",
        "lovely",
        "whether",
        "want",
        "thanks",
    ]
)
"""Words of a sentence around a request, which no thing is named by."""
_NO_THINGS: tuple[str, ...] = (
    "no ",
    "either ",
    "neither ",
    "i ",
    "you ",
    "we ",
    "he ",
    "she ",
    "they ",
    "it ",
    "am ",
    "is ",
)
_NO_THINGS += (
    "width ",
    "height ",
    "way to ",
    "a way ",
    "any way ",
    "ways to ",
    "need to ",
    "reason ",
    "chance ",
)
_NO_THINGS += ("me ", "us ", "out ", "off ", "changing ", "touching ", "less ", "more ")
_NO_THINGS += (
    "are ",
    "was ",
    "were ",
    "nothing",
    "how ",
    "what ",
    "why ",
    "when ",
    "who ",
    "if ",
    "because ",
)
_PREPOSITIONS = frozenset(["in", "on", "to", "of", "with", "as", "at", "from", "by", "for", "into"])
_FUNCTION_WORDS = frozenset(
    [
        "are",
        "is",
        "there",
        "here",
        "in",
        "on",
        "of",
        "the",
        "a",
        "an",
        "it",
        "do",
        "does",
        "you",
        "see",
        "can",
        "some",
        "any",
        "more",
        "few",
        "many",
        "much",
        "other",
        "how",
        "what",
        "about",
        "when",
        "so",
        "less",
        "bit",
        "too",
        "very",
        "enough",
    ]
)
_VERB_PHRASE = re.compile(
    r"(?!(?:all|both|one|some|half|part|not|except) )(?P<verb>\w+) (?:(?:me|us|it|them|him|her|a|an|<image>)"
    r"|(?P<thing>the|my|this|that))\b"
)
_NO_END = frozenset(
    (
        "the",
        "a",
        "an",
        "and",
        "more",
        "less",
        "anywhere",
        "somewhere",
        "located",
        "where",
        "while",
        "be",
        "is",
        "are",
        "was",
        "were",
        "for",
        "into",
        "as",
        "so",
        "from",
        "than",
        "&",
        "or",
        "to",
        "of",
        "in",
        "my",
        "that",
        "this",
        "not",
        "but",
        "with",
        "like",
    ),
) | frozenset(("on", "at", "by", "under", "next", "off", "up", "only", "around", "away", "look", "looks"))
"""Words that a target does not end with."""
_KEPT = re.compile(
    r"(?:\s*,\s*(?:and\s+|but\s+)?|\s+(?:but|and)\s+)"
    r"(?:(?P<left>not|leave|keep)|(?:do not|don't|never)\s+(?:touch|change|remove|edit|alter|paint"
    r"|recolou?r|make))\s+"
    r"(?P<kept>.+?)(?:\s+(?:alone|untouched|unchanged|intact|as (?:it|they) (?:is|are|was|were)))?$",
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
_NO_COLOUR = r"(?:in )?(?:black (?:and|&) white|b&w|gr[ae]y ?scale)"
_PRONOUN_LAST = re.compile(r"\b(?:them|these|those|him|her)$", re.IGNORECASE)
_POSSESSIVE_LAST = re.compile(r"(?:'s|(?<=s)')$", re.IGNORECASE)
_SHADE = (
    r"(?:lighter|darker|brighter|deeper|softer|paler|warmer|cooler|bright|dark|light|pale|deep|very"
    r"|emerald|navy|royal|hot|neon|pastel|midnight|jet|electric|plain|solid"
    r"|pure|nice|warm|cool|soft|bold|rich|shiny|glossy|matte|metallic|baby"
    r"|lovely|beautiful|lush|fiery|muted|dusty|burnt|completely|totally"
    r"|(?:mint|lime|forest|olive|bottle)(?= green)|(?:blood|cherry|brick)(?= red)|(?:powder|ice"
    r"|steel)(?= blue)"
    r"|(?:lemon|mustard)(?= yellow)|chocolate(?= brown)|(?:candy|bubblegum)(?= pink)"
    r")"
)
_COLOUR_LAST = re.compile(
    r"(.+?) ((?:(?:an?|into|to) )?" rf"(?:{_SHADE}\s)*[\w-]+)",
    re.IGNORECASE | re.DOTALL,
)
_LAST_OF_TWO = rf" ({_NO_COLOUR}|(?:an?|into|to|look like)\s.+|(?:{_SHADE}\s)*\S+)"


@dataclass(frozen=True)
class Match:
    """A clause that asks for a function.

    Args:
        function: what to call.
        arguments: values of the phrase's slots, and what the phrase implies.
        weight: number of characters that the clause shares with the phrase literally; more is more certain.
        lead: the words of the phrase before its first slot, if it has several.
        is_follow_up: whether the target is a pronoun that refers to the target of an earlier step.
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


def split_clauses(words: str) -> list[str]:
    """The sentences and steps of a request."""
    return [clause for clause in _STRONG.split(plain(words)) if _bare(clause)]


def _bare(clause: str) -> str:
    """A clause without its polite beginning and end."""
    return _CLOSING.sub("", " " + _OPENING.sub("", clause.strip(" ,:"))).strip(" ,:")


def match_clause(clause: str, book: PhraseBook) -> tuple[Match, ...]:
    """The calls of a clause. An exception ("..., not the box") applies to the targets before it."""
    if (direct := _match_excepting(clause, book)) is not None:
        return (direct,)
    for rule in (_KEPT, _UNTOUCHED, _EXCEPTED):
        bare = _bare(clause)
        if found := rule.search(bare):
            kept, head = _kept(found), bare[: found.start()]
            if _PROPERTY.fullmatch(kept):  # "brighter without changing the colours"
                return _match_parts(head, book)
            for text in (head, f"make it {head}") if kept else ():
                matches = _match_parts(text, book, kept)
                if matches and all(match.function.target in dict(match.arguments) for match in matches):
                    return matches
    if _is_colour(_bare(clause)):
        clause = f"make it {_bare(clause)}"
    return _match_parts(clause, book)


def _match_excepting(clause: str, book: PhraseBook) -> Match | None:
    """The function whose phrase itself says "except" ("blur everything except {target}")."""
    if not _EXCEPTED.search(_bare(clause)):
        return None
    match = _match_one(clause, book, "")
    values = [value for _, value in match.arguments if isinstance(value, str)] if match else []
    return None if any(has_exception(fold(value)) or _EXCEPTED.search(value) for value in values) else match


def _kept(found: re.Match[str]) -> str:
    """The part that a clause says to keep; "leave the ball red" keeps the ball."""
    kept = _clean(found["kept"])
    *first, last = kept.split() or [""]
    is_left = found.re is _KEPT and (found["left"] or "").lower() in ("leave", "keep")
    return " ".join(first) if is_left and first and is_colour_word(last.lower()) else kept


def _match_parts(clause: str, book: PhraseBook, kept: str = "") -> tuple[Match, ...]:
    """A clause as several calls if it can be cut at "and" or a comma into parts that are all understood.

    A part may omit the verb of the one before it: "make the ball green and the box yellow". In "make the
    green cone and the box yellow" the first part has no value of its own, so both get the last one.
    """
    is_shared = _ends_in_colour(_bare(clause))
    cuts = [(0, 0), *(found.span() for found in islice(_WEAK.finditer(clause), MAX_CUTS))]
    cuts.append((len(clause), len(clause)))

    @cache
    def plan(first: int, lead: str, verb: str = "", named: str = "") -> tuple[Match, ...]:
        for last in range(first + 1, len(cuts)):
            part = clause[cuts[first][1] : cuts[last][0]]
            head = _match_one(part, book, kept)
            if head is None and lead and _DETERMINED.match(part):
                head = _match_one(lead + part, book, kept)
            if head is None and named and (found := _PRONOUN_LAST.search(part)) is not None:
                head = _match_one(part[: found.start()] + named, book, kept)
            if head is None and verb:
                head = _match_one(f"{verb} {_bare(part)}", book, kept)
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
    return _bare(part).partition(" ")[0]


def _named(match: Match) -> str:
    """The thing that a call is about, for "them" in the next part."""
    return str(dict(match.arguments).get(match.function.target or "", ""))


def _match_one(clause: str, book: PhraseBook, kept: str) -> Match | None:
    """The function whose phrase matches best, if any."""
    key = (clause, kept)
    if key not in book.read and book.work < MAX_WORK:
        book.work += PART_WORK + len(clause)
        book.read[key] = _best_match(clause, book, kept)
    return book.read.get(key)


def _best_match(clause: str, book: PhraseBook, kept: str) -> Match | None:
    text = _bare(clause)
    if has_several(text) and (several := _match_several(text, book)) is not None:
        return several
    handle = HANDLE.search(text)
    text = HANDLE.sub(IMAGE, text)
    image = f"img_{handle[1]}" if handle else None
    found = [match for reading in _readings(text) for match in _matches(reading, book, image, kept)]
    follow_ups = _matches(text, book, image, kept)
    found += [match for match in follow_ups if match.is_follow_up]
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
        values = _read_slots(pattern, text, folded) if pattern.groups else None
        arguments = image_arguments(function, values) if values else None
        if arguments is not None:
            fixed = (*arguments.items(), *readable.phrase.fixed)
            found.append(Match(function, fixed, weight=pattern.weight, is_declared=readable.is_declared))
    return max(found, key=lambda match: match.weight, default=None)


def _is_colour(text: str) -> bool:
    """Whether a clause consists only of a colour, which means "make it ..."."""
    return re.fullmatch(rf"(?:{_SHADE}\s+)?\w+", text) is not None and _ends_in_colour(
        text,
    )


def _readings(text: str) -> Iterator[str]:
    """The clause with normalised image names; "this" may refer to the image or to an object in it."""
    named = name_image(text)
    for reading in dict.fromkeys((named, POINTED.sub(IMAGE, named))):
        yield reading
        if placed := _PLACE_FIRST.match(reading):
            yield reading[placed.end() :]


def _matches(text: str, book: PhraseBook, handle: str | None, kept: str) -> Iterator[Match]:
    folded = fold(text)
    for readable in book.phrases(folded):
        function, phrase, pattern = readable.function, readable.phrase, readable.pattern
        if kept and not function.target:
            continue
        values = _read_slots(pattern, text, folded)
        if values is None:
            continue
        values.pop(ANY_WORDS, None)
        if QUOTE in text and not all(_is_quoted(name, value) for name, value in values.items()):
            continue
        values = {name: unquoted(value) for name, value in values.items()}
        cleaned = {name: _value(function, name, value) for name, value in values.items()}
        raw = values.get(function.target or "", "").strip()
        target = cleaned.get(function.target or "")
        is_follow_up = _can_follow_up(function, raw if fold(raw) in _IT else target)
        if is_follow_up:
            del cleaned[str(function.target)]
        elif target is not None:
            cleaned[str(function.target)] = _with_kept(_things(target), kept)
        if not all(map(_says_something, cleaned.values())) or not _is_thing(target, book):
            continue
        if _ASKS.search(cleaned.get("prompt", "") if function.target else ""):
            continue
        if cleaned.get("prompt", "").lower() in _VAGUE or _AMOUNT_FIRST.match(cleaned.get("prompt", "")):
            continue
        fits = {name: fitted(function, name, value) for name, value in cleaned.items()}
        is_sure = all(fit.is_sure for fit in fits.values())
        if MISFIT in fits.values() or not (is_sure or readable.is_declared):
            continue
        arguments = [*((name, fit.value) for name, fit in fits.items()), *phrase.fixed]
        if phrase.whole:
            arguments.append((phrase.whole, text.replace(IMAGE, "it").strip()))
        if handle is not None and function.image is not None:
            arguments.append((function.image, handle))
        yield Match(
            function,
            tuple(arguments),
            weight=pattern.weight if is_sure else 0,
            lead=phrase.text.partition("{")[0] if len(phrase.slots) > 1 else "",
            is_follow_up=is_follow_up,
            is_declared=readable.is_declared,
            is_split=any(_is_split(group, values) for group in pattern.groups),
            slots=len(fits),
        )


def _is_split(names: tuple[str, ...], values: dict[str, str]) -> bool:
    """Whether slots in a row were parted between an adjective and a noun: "green" and "cone"."""
    if len(names) < 2:
        return False
    before, value = fold(values[names[-2]]).split()[-1:], fold(values[names[-1]])
    is_adjective = any(is_colour_word(word) or word in _ADJECTIVES for word in before)
    return is_adjective and " " not in value and not is_colour_word(value)


def _is_quoted(name: str, value: str) -> bool:
    """Whether a text to write is exactly what the user quoted; another argument may hold a quoted word."""
    if "text" not in fold(name):
        return True
    return value.strip(" ,:").startswith(QUOTE) and value.strip(" ,:.").endswith(QUOTE)


def _value(function: PlannerFunction, name: str, value: str) -> str:
    """A slot's value; a text to write is not changed."""
    return value.strip(" ,:") if "text" in fold(name) else _clean(value, is_target=name == function.target)


def _is_thing(target: str | None, book: PhraseBook) -> bool:
    """Whether a target may name objects: not a speaking person, nor a list that contains a request."""
    if target is None or fold(target) in _IT:
        return True
    if target.lower().startswith(_NO_THINGS):
        return False
    pieces = _WEAK.split(fold(target))
    words = re.findall(r"[\w'-]+", fold(target))
    if (
        not words
        or words[0] in _PREPOSITIONS
        or not _ASKING.isdisjoint(words)
        or _FUNCTION_WORDS.issuperset(words)
        or words[-1] in _UNSEEN
        or _HAS_VERB.search(fold(target))
        or _REASON.search(fold(target))
        or _TO_THING.search(fold(target))
        or re.search(r"\d:\d", target)
    ):
        return False
    return not any(piece in _SPEAKERS or _is_request(piece, book) for piece in pieces)


def _is_request(piece: str, book: PhraseBook) -> bool:
    """Whether words begin like a request: "sing me", "describe the"."""
    found = _VERB_PHRASE.match(piece)
    return found is not None and (found["thing"] is None or book.begins(found["verb"]))


def _can_follow_up(function: PlannerFunction, target: str | None) -> bool:
    """Whether the target is a pronoun and the function's target is optional."""
    is_pronoun = target is not None and target.lower() in _IT
    return is_pronoun and function.target not in function.parameters.get("required", (function.target,))


def _with_kept(target: str, kept: str) -> str:
    """A target with an exception; for the image itself it means everything else."""
    if not kept:
        return target
    is_whole = target == IMAGE or target.lower() in _EVERYTHING
    whole = is_whole or THINGS.fullmatch(target.lower()) is not None
    return f"{'everything' if whole else target} except {kept}"


def _read_slots(pattern: Pattern, text: str, folded: str) -> dict[str, str] | None:
    """The shortest non-empty value of each slot; None where the phrase does not match.

    If any position of a literal matches, the leftmost one does too, so this takes linear time.
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

    Such a phrase does not mark where a value ends: the last value starts at an article, else it is the last
    word with its shade ("dark blue").
    """
    if len(names) == 2 and _ends_in_colour(text) and (found := _COLOUR_LAST.fullmatch(text)) is not None:
        *_, last = found[1].lower().split()
        if last not in _NO_END:
            return dict(zip(names, found.groups(), strict=True))
    found = re.fullmatch("(.+?)" + _LAST_OF_TWO * (len(names) - 1), text, re.IGNORECASE | re.DOTALL)
    return dict(zip(names, found.groups(), strict=True)) if found else None


def _clean(value: str, *, is_target: bool = True) -> str:
    """A slot's value without "in the image", articles and surrounding punctuation.

    The article stays before a single colour name, where it distinguishes the object ("a rose") from the
    colour.
    """
    value = _PLACE_LAST.sub("", value).strip(" ,")
    value = _POSSESSIVE_LAST.sub("", _ONLY.sub("", value)) if is_target else value
    bare = _DETERMINERS.sub("", value)
    if not is_target:
        return value if bare != value and " " not in bare and _ends_in_colour(bare) else bare
    return _ALL.sub("", bare) if not has_exception(bare) and read_target(bare).is_plural else bare


def _says_something(value: str) -> bool:
    words = value.lower().split()
    if re.search(r"\b(?:instead of|rather than)\b", value):
        return False
    is_empty = not words or value.lower() in _PRONOUNS or words[-1] in _NO_END
    return not is_empty and IMAGE not in value


def _things(value: str) -> str:
    """Several objects separated by dots: "ball and the box" names two, "black and white cat" one.

    Words after an exception belong to it.
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
