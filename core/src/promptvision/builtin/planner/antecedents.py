"""What "it" and "the left one" stand for, by the words of earlier calls."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from promptvision.builtin.planner.phrases import Match
from promptvision.llm.messages import Message
from promptvision.llm.planner import PlannerFunction
from promptvision.tools.target_grammar import DARK, GENERIC, LIGHT
from promptvision.tools.targets import plural, read_target, read_targets

__all__ = ["Earlier", "earlier_calls", "with_antecedents"]


@dataclass(frozen=True)
class Earlier:
    """An earlier call of a function that acts on things.

    Args:
        target: the words that it was called with; None where it took up what a step before it was about.
        has_found: whether it succeeded and found something.
    """

    target: str | None
    has_found: bool


def earlier_calls(messages: Sequence[Message], functions: Sequence[PlannerFunction]) -> Iterator[Earlier]:
    """The calls of earlier turns that were about things, newest first."""
    targets = {function.name: function.target for function in functions if function.target}
    results = {message.tool_call_id: message.content for message in messages if message.role == "tool"}
    for message in reversed(messages):
        for call in reversed(message.tool_calls):
            if call.name in targets:
                target = _decoded(call.arguments).get(targets[call.name])
                words = target if isinstance(target, str) else None
                yield Earlier(words or None, _has_found(results.get(call.id, "")))


def with_antecedents(matches: Sequence[Match], calls: Sequence[Earlier]) -> list[Match]:
    """The matches with the words that they leave out, where earlier calls supply them.

    "It" stays with the core, which knows what the last step was about, unless that step failed: then the
    same thing is looked for again, perhaps with another result. "The left one" gets the noun of the last
    call that named a thing.
    """
    named = next((call.target for call in calls if call.target), None)
    failed = calls[0].target if calls and not calls[0].has_found else None
    return [_completed(match, named, failed if place == 0 else None) for place, match in enumerate(matches)]


def _completed(match: Match, named: str | None, failed: str | None) -> Match:
    name = match.function.target
    if name is None:
        return match
    if match.is_follow_up:
        if failed is None:
            return match
        return replace(match, arguments=((name, failed), *match.arguments), is_follow_up=False)
    arguments = tuple(
        (key, _with_noun(value, named) if key == name and named else value) for key, value in match.arguments
    )
    return replace(match, arguments=arguments)


def _with_noun(target: Any, named: str) -> Any:
    """ "Left one" after "red balls" as "left red ball"."""
    words = str(target).split()
    if not words or words[-1].lower() not in GENERIC or len(read_targets(str(target))) != 1:
        return target
    phrase, (about, *others) = read_target(str(target)), read_targets(named)
    is_described = not all(word in DARK or word in LIGHT for word in phrase.modifiers)
    if is_described or phrase.clause or phrase.possessor or others or not about.head:
        return target
    noun = about.head if words[-1].lower() == "one" else plural(about.head)
    return " ".join((*words[:-1], *about.modifiers, noun))


def _decoded(arguments: str | Mapping[str, Any]) -> Mapping[str, Any]:
    if not isinstance(arguments, str):
        return arguments
    try:
        decoded = json.loads(arguments)
    except ValueError:
        return {}
    return decoded if isinstance(decoded, dict) else {}


def _has_found(result: str) -> bool:
    """Whether a result is of a call that succeeded and found something; a shortened one counts as such."""
    try:
        decoded = json.loads(result)
    except ValueError:
        return True
    if not isinstance(decoded, dict):
        return True
    return decoded.get("success") is not False and decoded.get("bounding_boxes") != []
