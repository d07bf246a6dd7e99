"""What a reply changes about the last call: "in gold letters, please", "at the bottom instead"."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from promptvision.builtin.planner.intents.calls import INTENTS, Intent, arguments_of
from promptvision.builtin.planner.intents.classifier import tag
from promptvision.builtin.planner.intents.features import MAX_TOKENS, tokens
from promptvision.builtin.planner.phrases import Match

__all__ = ["changed_arguments"]

MIN_CERTAINTY = 0.3
_THING = "t"


def changed_arguments(words: str, last: Match) -> dict[str, Any] | None:
    """The arguments that a reply names, without the thing that the call is about; None if there are none."""
    label = _intent_of(last)
    if label is None or len(tokens(words)) > MAX_TOKENS:
        return None
    intent = INTENTS[label]
    tagging = tag(words, label, tuple(intent.slots))
    slots = {slot: value for slot, value in tagging.slots.items() if slot != _THING}
    if not slots or tagging.probability < MIN_CERTAINTY:
        return None
    return arguments_of(replace(intent, fixed={}, needed=(), words=""), slots, words, last.function)


def _intent_of(last: Match) -> str | None:
    """The intent whose call is most like the last one."""
    given = dict(last.arguments)

    def likeness(intent: Intent) -> int:
        is_like = all(given.get(name) == value for name, value in intent.fixed.items())
        return len(intent.fixed) if is_like else -1

    likely = {
        label: likeness(intent) for label, intent in INTENTS.items() if intent.operation == last.function.name
    }
    best = max(likely, key=lambda label: likely[label], default=None)
    return best if best is not None and likely[best] >= 0 else None
