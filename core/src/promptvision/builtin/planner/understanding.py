"""Understand a request by declared phrases, and where they do not match by the intent classifier."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from promptvision.builtin.planner.clauses import split_clauses
from promptvision.builtin.planner.intents.calls import BACKGROUND
from promptvision.builtin.planner.intents.estimates import (
    NONE,
    OPERATIONS,
    Estimate,
    estimate,
)
from promptvision.builtin.planner.intents.quantities import is_stretched
from promptvision.builtin.planner.phrases import Match
from promptvision.builtin.planner.reading import Reading, read_request
from promptvision.builtin.planner.tidying import tidy
from promptvision.llm.planner import PlannerFunction

__all__ = ["understand"]

ACT = 0.5
"""Minimum probability of an intent where no phrase matches."""
OVERRIDE = 0.7
"""The same where a phrase matches that stands for another operation, and for answers without a call."""
CORRECT = 0.9
"""The same where it gives the operation of a phrase other arguments, or reads all of a request."""
CLEAR = 0.95
"""The same where one call replaces several, or none does; from it on slots may be uncertain."""
MIN_CERTAINTY = 0.1
"""Minimum probability of the slots."""
MAX_CHAIN = 0.05
"""Probability of several steps above which one call does not replace what phrases read of a request."""
MAX_DEPTH = 2
"""Maximum number of times that a clause is split."""
MAX_PARTS = 4
_JOIN = re.compile(r"\s*[,;]\s*(?:and\s+|then\s+)*|\s+(?:and|und|et|y|then|plus)\s+", re.IGNORECASE)
_SIZES = ("width", "height", "longest_side", "percent")
"""Arguments that phrases tell apart better."""
_TURNS = frozenset(("rotate_cw", "rotate_ccw", "straighten"))
_LOOKING = frozenset(("ask_image", "caption_image", "detect_objects", "extract_text", "image_info"))
"""Operations that change nothing, which a question may mean alike."""
_FORBIDDEN = re.compile(r"\b(?:do not|don'?t|never|without)\b", re.IGNORECASE)
"""Words of what is not to be done, which phrases read."""
_ANSWERS = frozenset(("help", "undo", "nothing", "chat"))


def understand(
    reading: Reading,
    words: str,
    functions: Sequence[PlannerFunction],
    images: Sequence[str] = (),
    *,
    is_first: bool = True,
) -> Reading:
    """The reading of the phrases, or that of the classifier where it is more certain.

    Args:
        reading: by the phrases alone.
        words: the request.
        functions: what may be called.
        images: handles of the images of the conversation, the newest last.
        is_first: whether no earlier call named a thing that "it" may be.
    """
    made = _Request(words, functions, images, is_first=is_first).understood(reading)
    named = {function.name: function for function in functions}
    return replace(made, matches=tuple(_completed(match, words, named) for match in made.matches))


@dataclass(frozen=True)
class _Request:
    words: str
    functions: Sequence[PlannerFunction]
    images: Sequence[str]
    is_first: bool

    def understood(self, reading: Reading) -> Reading:
        is_read = not reading.unknown and not reading.options
        guessed = self.estimated(self.words)
        if guessed is None or (is_read and not reading.matches):
            return reading
        if answer := _answer(guessed, reading):
            return answer
        if guessed.is_chain:
            return self.by_clause()
        if is_read:
            return self.corrected(reading, guessed)
        if guessed.match is not None and _reads_more(guessed, guessed.match, reading, is_first=self.is_first):
            return Reading((guessed.match,))
        is_simple = not reading.matches and len(split_clauses(tidy(self.words))) == 1
        parted = reading if is_simple else self.by_clause()
        if guessed.match is None or guessed.rival is None or parted.matches or not parted.unknown:
            return parted
        return parted if parted.options else replace(parted, options=(guessed.match, guessed.rival))

    def estimated(self, clause: str) -> Estimate | None:
        return estimate(clause, self.functions, self.images, is_first=self.is_first)

    def by_clause(self) -> Reading:
        """The reading with a call from the classifier for each clause of which it is more certain."""
        return read_request(self.words, self.functions, self.improved)

    def improved(self, clause: str, reading: Reading) -> Reading:
        if reading.unknown and reading.matches:
            others = self.calls(reading.unknown)
            return Reading((*reading.matches, *others)) if others else reading
        if reading.unknown:
            made = self.calls(clause)
            return Reading(made) if made else reading
        guessed = self.estimated(clause)
        if guessed is None:
            return reading
        if guessed.is_chain and guessed.probability >= CLEAR and len(reading.matches) == 1:
            made = self.calls(clause)
            return Reading(made) if len(made) > 1 else reading
        return self.corrected(reading, guessed)

    def corrected(self, reading: Reading, guessed: Estimate) -> Reading:
        """The reading of phrases that read everything, or the classifier's call where that replaces it."""
        match = guessed.match
        if match is None or not _is_better(guessed, match, reading, is_first=self.is_first):
            return reading
        return Reading((match,))

    def calls(self, clause: str, depth: int = MAX_DEPTH) -> tuple[Match, ...]:
        """The call of a clause, or those of its parts if it has several steps; none if not sure of all."""
        guessed = self.estimated(clause)
        if guessed is None:
            return ()
        if guessed.match is not None and _is_sure(guessed, ACT):
            return (guessed.match,)
        if not guessed.is_chain or not depth:
            return ()
        for found in islice(_JOIN.finditer(clause), MAX_PARTS):
            first = self.calls(clause[: found.start()], 0)
            if first and (others := self.calls(clause[found.end() :], depth - 1)):
                return (*first, *others)
        return ()


def _completed(match: Match, words: str, named: Mapping[str, PlannerFunction]) -> Match:
    """The call with what phrases do not tell: a cutout, not an erased background; a size that distorts."""
    said, cutout = dict(match.arguments), named.get("remove_background")
    if match.function.name == "inpaint_image" and said.get("prompt") == "" and cutout is not None:
        is_background = BACKGROUND.fullmatch(str(said.get("target")).lower())
        return replace(match, function=cutout, arguments=()) if is_background else match
    if match.function.name == "resize_image" and {"width", "height"} <= said.keys() and is_stretched(words):
        return replace(match, arguments=tuple({**said, "keep_aspect": False}.items()))
    return match


def _answer(guessed: Estimate, reading: Reading) -> Reading | None:
    """The reading of a request that the classifier is certain that no call fulfils."""
    if guessed.needs_images and guessed.probability >= OVERRIDE:
        return Reading(unknown=reading.unknown, answer="images")
    if guessed.match is None and guessed.intent in _TURNS and guessed.probability >= OVERRIDE:
        return reading if reading.matches else Reading(unknown=reading.unknown, answer="angle")
    is_free = all(match.function.name == "ask_image" for match in reading.matches)
    if guessed.intent in _ANSWERS and is_free and guessed.probability >= OVERRIDE:
        return Reading(answer=guessed.intent)
    is_refused = guessed.intent == NONE and guessed.probability >= CORRECT
    if is_refused and len(reading.matches) == 1 and reading.matches[0].function.name in OPERATIONS:
        return Reading(unknown=reading.unknown or guessed.text)
    return None


def _reads_more(guessed: Estimate, match: Match, reading: Reading, *, is_first: bool) -> bool:
    """Whether the classifier's call stands for all of a request of which phrases read less."""
    if reading.matches and reading.matches[0].function.name == match.function.name:
        return guessed.chain <= MAX_CHAIN and _is_sure(guessed, CORRECT)
    if not is_first:  # a reply is more likely about the last call
        return guessed.certainty >= ACT and _is_sure(guessed, OVERRIDE)
    return _is_sure(guessed, ACT)


def _is_better(guessed: Estimate, match: Match, reading: Reading, *, is_first: bool) -> bool:
    """Whether the call of the classifier replaces those of phrases that read all of a request."""
    if not reading.matches or _FORBIDDEN.search(guessed.text):
        return False
    if any(one.function.name not in OPERATIONS for one in reading.matches):
        return False  # the classifier does not know the operation that a phrase names
    if len(reading.matches) > 1:
        return guessed.chain <= MAX_CHAIN and _is_sure(guessed, CLEAR)
    (read,) = reading.matches
    if match.function.missing and not read.function.missing:
        return False
    if read.is_follow_up and not match.is_follow_up:
        return is_first and _is_sure(guessed, OVERRIDE)
    if guessed.is_whole and read.function.target in dict(read.arguments):
        return False
    if read.function.name != match.function.name:
        are_alike = {read.function.name, match.function.name} <= _LOOKING
        return _is_sure(guessed, CLEAR if are_alike else OVERRIDE)
    return _says_more(dict(match.arguments), dict(read.arguments)) and _is_sure(guessed, CORRECT)


def _says_more(said: dict[str, object], read: dict[str, object]) -> bool:
    """Whether a call has more arguments than another, or another setting, or a shorter text to write."""
    text, longer = str(said.get("text", "")), str(read.get("text", ""))
    is_other = bool(said) and not said.keys() & read.keys() and not any(name in said for name in _SIZES)
    return said.keys() > read.keys() or is_other or (bool(text) and longer.startswith(text + " "))


def _is_sure(guessed: Estimate, least: float) -> bool:
    is_certain = guessed.certainty >= MIN_CERTAINTY or guessed.probability >= CLEAR
    return guessed.probability >= least and is_certain
