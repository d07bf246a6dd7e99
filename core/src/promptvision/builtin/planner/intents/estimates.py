"""The most probable call of a sentence, by the intent classifier and the slot tagger."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from promptvision.builtin.planner.conversation import is_about_planner
from promptvision.builtin.planner.intents.calls import (
    ALIKE,
    BACKGROUND,
    INTENTS,
    WHOLE,
    Intent,
    arguments_of,
)
from promptvision.builtin.planner.intents.classifier import classify, tag
from promptvision.builtin.planner.intents.features import MAX_TOKENS, tokens
from promptvision.builtin.planner.languages import LANGUAGES
from promptvision.builtin.planner.patterns import HANDLE, fold, plain
from promptvision.builtin.planner.phrases import Match
from promptvision.builtin.planner.several import named_count
from promptvision.builtin.planner.slots import is_list
from promptvision.builtin.planner.tidying import tidy
from promptvision.builtin.planner.values import PRONOUNS
from promptvision.llm.planner import PlannerFunction
from promptvision.tools.targets import is_colour_word

__all__ = ["NONE", "OPERATIONS", "Estimate", "estimate"]

_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
CHAIN, NONE = "chain", "none"
_OPPOSITES = {"up": "down", "down": "up", "cw": "ccw", "ccw": "cw", "h": "v", "v": "h"}
CLOSE = 0.5
"""Probability under which the next intent may be meant as well, if it is at least half as probable."""
MIN_NAMED = 0.01
"""Minimum probability of slots without pronouns, where no earlier request names what a pronoun stands for."""
_SPOKEN = frozenset(word for word in PRONOUNS if " " not in word)
SURE_OF_WHOLE = 0.7
"""Minimum probability of the slots of a request that names no thing, and so is about the whole image."""


@dataclass(frozen=True)
class Estimate:
    """What a sentence most probably asks for.

    Args:
        intent: a label of the classifier.
        probability: of the intent and those like it, less that of its opposite.
        certainty: probability of the slots, given the intent.
        match: the call; None where the intent needs none, or no operation here does it.
        chain: probability that the sentence asks for several steps.
        is_whole: whether the intent may name a thing and the sentence does not.
        text: the sentence.
        rival: the call of another operation that is nearly as probable.
    """

    intent: str
    probability: float
    certainty: float = 1.0
    match: Match | None = None
    chain: float = 0.0
    is_whole: bool = False
    rival: Match | None = None
    text: str = ""

    @property
    def needs_images(self) -> bool:
        """Whether the request combines images, of which there are too few."""
        return self.match is None and self.intent in INTENTS and INTENTS[self.intent].is_of_several

    @property
    def is_chain(self) -> bool:
        """Whether the sentence has several requests."""
        return self.intent == CHAIN


def estimate(
    words: str,
    functions: Sequence[PlannerFunction],
    images: Sequence[str] = (),
    *,
    is_first: bool = True,
) -> Estimate | None:
    """The estimate of a request; None for a long one and for other scripts than Latin.

    Args:
        words: the request.
        functions: what may be called.
        images: handles of the images of the conversation, the newest last.
        is_first: whether no earlier call named a thing that a pronoun may stand for.
    """
    text = plain(words).strip()
    handles = HANDLE.findall(tidy(words))
    if len(handles) > 1 or not _LATIN.search(text) or len(tokens(text)) > MAX_TOKENS:
        return None
    text = HANDLE.sub("this photo", text)
    shares = dict(classify(text))

    def estimated(label: str) -> Estimate:
        made = _estimated(label, shares, text, functions, images, is_first=is_first)
        if made.match is None or not handles:
            return made
        return replace(made, match=_on_image(made.match, f"img_{handles[0]}"))

    label, other = list(shares)[:2]
    first = estimated(label)
    if first.match is None or first.probability >= CLOSE or shares[other] < first.probability / 2:
        return first
    rival = estimated(other).match
    is_other = rival is not None and rival.function is not first.match.function
    return replace(first, rival=rival) if is_other else first


def _estimated(
    label: str,
    shares: Mapping[str, float],
    text: str,
    functions: Sequence[PlannerFunction],
    images: Sequence[str],
    *,
    is_first: bool,
) -> Estimate:
    """The estimate for one intent."""
    chain = shares.get(CHAIN, 0.0)
    probability = shares[label] + sum(shares.get(like, 0.0) for like in ALIKE.get(label, ()))
    probability -= shares.get(_opposite(label), 0.0)
    intent = INTENTS.get(label)
    if intent is None or (intent.operation == "ask_image" and is_about_planner(text)):
        return Estimate(label, probability, chain=chain, text=text)
    tagging = tag(text, label, tuple(intent.slots), intent.needed)
    if is_first and fold(tagging.slots.get("t", "")) in PRONOUNS:
        named = tag(text, label, tuple(intent.slots), intent.needed, _SPOKEN)
        tagging = named if named.probability >= MIN_NAMED else tagging
    certainty = tagging.probability if intent.slots else 1.0
    is_whole = intent.operation == "blur_image" and "t" not in tagging.slots
    if is_whole and certainty < SURE_OF_WHOLE:
        return Estimate(label, probability, certainty, chain=chain, text=text)
    match = _match(intent, tagging.slots, text, functions)
    if match is not None and intent.is_of_several:
        match = _of_several(match, text, images)
    if match is None:
        probability += shares.get(_opposite(label), 0.0)  # which way does not matter
    return Estimate(label, probability, certainty, match, chain, is_whole, text=text)


def _opposite(label: str) -> str:
    """The intent of the other direction, for which a sentence is easily taken."""
    stem, _, way = label.rpartition("_")
    return f"{stem}_{_OPPOSITES[way]}" if way in _OPPOSITES else ""


def _match(
    intent: Intent, slots: dict[str, str], text: str, functions: Sequence[PlannerFunction]
) -> Match | None:
    named = {function.name: function for function in functions}
    forms = [form for form in _forms(intent, slots) if form.operation in named]
    for form in sorted(forms, key=lambda form: bool(named[form.operation].missing)):
        function = named[form.operation]
        used = {slot: words for slot, words in slots.items() if slot in form.slots}
        is_follow_up = fold(used.get("t", "")) in PRONOUNS
        if is_follow_up:
            form = replace(form, needed=tuple(slot for slot in form.needed if slot != "t"))
            used.pop("t")
        arguments = arguments_of(form, used, text, function)
        if arguments is None:
            return None
        if is_follow_up and function.target in function.parameters.get("required", ()):
            return None
        return Match(
            function,
            tuple(_in_english(arguments, function, text).items()),
            weight=0,
            is_follow_up=is_follow_up,
            is_declared=False,
            is_loose=True,
        )
    return None


def _of_several(match: Match, text: str, images: Sequence[str]) -> Match | None:
    """The call on as many of the newest images as the request names; None where there are fewer."""
    count = named_count(text) or len(images)
    if not 2 <= count <= len(images) or match.function.image is None:
        return None
    listed = next(
        (name for name in match.function.parameters["properties"] if is_list(match.function, name)), None
    )
    if listed is None:
        return None
    first, *others = images[-count:]
    return replace(match, arguments=((match.function.image, first), (listed, others), *match.arguments))


def _on_image(match: Match, handle: str) -> Match | None:
    name = match.function.image
    return None if name is None else replace(match, arguments=(*match.arguments, (name, handle)))


def _forms(intent: Intent, slots: dict[str, str]) -> list[Intent]:
    """The intent, before it the operation for cutouts if it is about the background."""
    thing = fold(slots.get("t", "")).strip()
    if WHOLE.fullmatch(thing) and intent.operation == "blur_image":
        return [replace(intent, slots={})]
    if BACKGROUND.fullmatch(thing) is None:
        return [intent]
    prompt = slots.get("p", "")
    cutout = INTENTS["cutout"]
    if intent is INTENTS["remove"]:
        return [replace(cutout, slots={}), intent]
    if intent is INTENTS["blur"]:
        return [replace(cutout, slots={}, fixed={"background": "blur"}), intent]
    if intent is INTENTS["replace"] and is_colour_word(fold(prompt).rpartition(" ")[2]):
        named = INTENTS["background"].slots["c"]
        return [replace(cutout, slots={"p": named}), intent]
    return [intent]


def _in_english(arguments: dict[str, Any], function: PlannerFunction, text: str) -> dict[str, Any]:
    """The arguments with names of things and colours in English."""
    language = next((one for one in LANGUAGES if one.is_sure(text)), None)
    if language is None:
        return arguments
    names = {function.target, "color"} | ({"prompt"} if function.name not in _SENTENCES else set())
    return {
        name: language.english(language.dropped.sub(" ", value).strip())
        if name in names and isinstance(value, str)
        else value
        for name, value in arguments.items()
    }


OPERATIONS = frozenset(intent.operation for intent in INTENTS.values())
"""Names of the operations that the classifier knows."""
_SENTENCES = frozenset(intent.operation for intent in INTENTS.values() if intent.words)
"""Operations whose prompt is the whole sentence."""
