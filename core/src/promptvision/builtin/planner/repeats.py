"""Requests that repeat what an earlier turn did: "do it again", "do the same to the box"."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from promptvision.builtin.planner.phrases import Match
from promptvision.llm.messages import Message, ToolCall
from promptvision.llm.planner import PlannerFunction

__all__ = ["last_calls", "repeat_of", "repeated"]

_AGAIN = re.compile(
    r"(?:(?:and |now |please |ok(?:ay)?,? )*)(?:(?:do |run |try )?(?:it|that|this|the same(?: thing)?)?,? ?"
    r"(?:again|once more|one more time)|repeat(?: (?:it|that|the last step))?|(?P<other>another one|one more)"
    r"|(?:mach (?:es|das) )?(?:noch ?mal|noch einmal)|hazlo otra vez|otra vez|encore une fois|refais-le"
    r"|\u518d\u6765\u4e00\u6b21)(?:,? please)?",
    re.IGNORECASE,
)
_SAME_TO = re.compile(
    r"(?:(?:and |now |please )*)(?:(?:do )?(?:the )?same(?: thing)?|do (?:that|it|this)) (?:to|for|with"
    r"|on) (?:the |my )?"
    r"(?P<target>.+?)(?: too| as well)?(?: please)?"
    r"|(?:(?:and |now |please |ok,? )*)do (?:the |my )(?P<other>(?!same\b).+?) (?:too|as well|also)(?: "
    r"please)?",
    re.IGNORECASE,
)


def repeated(
    words: str, messages: Sequence[Message], functions: Sequence[PlannerFunction]
) -> tuple[Match, ...]:
    """The calls of the last turn that made any, on the current image; none if the words ask for others.

    Args:
        words: the request.
        messages: the conversation; the last message of the user is the request.
        functions: what can be called.
    """
    bare = words.strip(" .,!?")
    known = {function.name: function for function in functions}
    if (same := _SAME_TO.fullmatch(bare)) is not None:
        calls = [call for call in last_calls(messages) if call.name in known and known[call.name].target]
        return tuple(
            repeat_of(known[call.name], call, same["target"] or same["other"]) for call in calls[-1:]
        )
    if (again := _AGAIN.fullmatch(bare)) is None:
        return ()
    calls = [call for call in last_calls(messages) if call.name in known]
    if again["other"]:  # a variation: what was edited is not in the current image any more
        calls = [call for call in calls if known[call.name].image is None]
    return tuple(repeat_of(known[call.name], call) for call in calls)


def last_calls(messages: Sequence[Message]) -> tuple[ToolCall, ...]:
    """The calls of the newest turn before this one that has any."""
    users = [index for index, message in enumerate(messages) if message.role == "user"]
    for start, end in zip(reversed(users[:-1]), reversed(users), strict=False):
        calls = tuple(call for message in messages[start:end] for call in message.tool_calls)
        if calls:
            return calls
    return ()


def repeat_of(function: PlannerFunction, call: ToolCall, target: str | None = None) -> Match:
    """The call of an earlier turn for the current image, or for another target in it."""
    arguments = dict(_arguments(call))
    arguments.pop(str(function.image), None)  # the current image, not the one of that turn
    if target is not None:
        arguments[str(function.target)] = target
    return Match(function, tuple(arguments.items()), weight=len(call.name), slots=len(arguments))


def _arguments(call: ToolCall) -> Mapping[str, Any]:
    value = json.loads(call.arguments) if isinstance(call.arguments, str) else call.arguments
    return value if isinstance(value, Mapping) else {}
