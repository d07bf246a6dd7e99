"""A maximum-entropy classifier of intents and a linear-chain CRF that tags their slots.

Both are trained on the marked sentences in ``scripts/planner_sentences``.

Source: Lafferty, McCallum and Pereira 2001, "Conditional Random Fields"; the classifier is a chain of length
one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from promptvision.builtin.planner.intents.features import (
    Token,
    intent_features,
    slot_features,
    tokens,
)
from promptvision.builtin.planner.intents.weights import TRANSITION, Weights, load_weights

__all__ = ["Tagging", "classify", "load", "tag"]

_OUTSIDE = "O"
_NEVER = -1e3
_BEGIN, _INSIDE = "B-", "I-"


@dataclass(frozen=True)
class Tagging:
    """The slots of a sentence.

    Args:
        slots: slot to its words.
        probability: of this tagging among all taggings of the sentence, 0 to 1.
    """

    slots: dict[str, str]
    probability: float


def load() -> None:
    """Read the weights of both models, so that the first request need not wait for them."""
    load_weights("classifier")
    load_weights("tagger")


def classify(text: str) -> list[tuple[str, float]]:
    """The intents of a sentence with their probabilities, the most probable first.

    Args:
        text: the sentence.

    Returns:
        Pairs of a label and its probability; the probabilities add up to 1.
    """
    weights = load_weights("classifier")
    scores = weights.scores(intent_features(text))
    most = max(scores)
    shares = [math.exp(score - most) for score in scores]
    total = sum(shares)
    return sorted(
        ((label, share / total) for label, share in zip(weights.labels, shares, strict=True)),
        key=lambda pair: -pair[1],
    )


def tag(
    text: str,
    intent: str,
    slots: Sequence[str],
    needed: Sequence[str] = (),
    outside: frozenset[str] = frozenset(),
) -> Tagging:
    """The most probable slots of a sentence.

    Args:
        text: the sentence.
        intent: one of the labels of the classifier.
        slots: names of the slots that the intent has.
        needed: those that the sentence must have.
        outside: words in lower case that belong to no slot.
    """
    found = tokens(text)
    weights = load_weights("tagger")
    labels = [_OUTSIDE, *(f"{edge}{slot}" for slot in slots for edge in (_BEGIN, _INSIDE))]
    labels = [label for label in labels if label in weights.labels]
    places = [weights.labels.index(label) for label in labels]
    emitted = [
        [scores[place] for place in places]
        for scores in map(weights.scores, slot_features([token.word for token in found], intent))
    ]
    if not emitted:
        return Tagging({}, 1.0)
    transitions = _transitions(weights, places)
    total = _total(emitted, transitions)
    for token, scores in zip(found, emitted, strict=True):
        if token.word.lower() in outside:
            scores[1:] = [_NEVER] * (len(scores) - 1)
    score, path = _best(emitted, transitions, ())
    begins = [labels.index(begin) for begin in (f"{_BEGIN}{slot}" for slot in needed) if begin in labels]
    if not set(begins) <= set(path):
        score, path = _best(emitted, transitions, begins)
    spans = _spans(found, [labels[number] for number in path])
    words = {slot: text[start:end] for slot, (start, end) in spans.items()}
    return Tagging(words, math.exp(score - total))


def _spans(found: Sequence[Token], labels: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Where each slot is; of several parts with the name of one slot, the first."""
    spans: dict[str, tuple[int, int]] = {}
    last = ""
    for token, label in zip(found, labels, strict=True):
        slot = label[len(_BEGIN) :]
        if label.startswith(_INSIDE) and last == slot:
            spans[slot] = (spans[slot][0], token.end)
        elif label != _OUTSIDE and slot not in spans:
            spans[slot] = (token.start, token.end)
            last = slot
        else:
            last = ""
    return spans


def _transitions(weights: Weights, places: Sequence[int]) -> list[list[float]]:
    rows = [dict(weights.row(f"{TRANSITION}{weights.labels[place]}")) for place in places]
    return [[row.get(after, 0.0) for after in places] for row in rows]


def _best(
    emitted: Sequence[Sequence[float]], transitions: Sequence[Sequence[float]], needed: Sequence[int]
) -> tuple[float, list[int]]:
    """The score and the labels of the best path that has the needed labels (Viterbi).

    A state is the last label and which of the needed labels were passed, as bits.
    """
    bits = {label: 1 << place for place, label in enumerate(needed)}
    first, *others = emitted
    best = {(label, bits.get(label, 0)): (score, [label]) for label, score in enumerate(first)}
    for scores in others:
        after: dict[tuple[int, int], tuple[float, list[int]]] = {}
        for (label, passed), (score, path) in best.items():
            row = transitions[label]
            for now, own in enumerate(scores):
                state = now, passed | bits.get(now, 0)
                reached = score + row[now] + own
                if state not in after or after[state][0] < reached:
                    after[state] = reached, [*path, now]
        best = after
    complete = [found for (_, passed), found in best.items() if passed == (1 << len(needed)) - 1]
    return max(complete or best.values())


def _total(emitted: Sequence[Sequence[float]], transitions: Sequence[Sequence[float]]) -> float:
    """The logarithm of the sum over all paths (forward algorithm)."""
    numbers = range(len(transitions))
    total = list(emitted[0])
    for scores in emitted[1:]:
        total = [
            _log_sum([total[before] + transitions[before][now] for before in numbers]) + scores[now]
            for now in numbers
        ]
    return _log_sum(total)


def _log_sum(values: Sequence[float]) -> float:
    most = max(values)
    return most + math.log(sum(math.exp(value - most) for value in values))
