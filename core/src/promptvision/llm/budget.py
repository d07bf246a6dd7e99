"""Trim a request to a provider's context: first whole old turns, then long tool results."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

from promptvision.llm.messages import ChatRequest, Function, Message

__all__ = ["estimate_tokens", "fit_request", "shorten"]

CHARS_PER_TOKEN = 4
"""A rough, stable estimate; exact counts differ by model and would need a tokenizer."""
MESSAGE_CHARS = 12
"""Approximate overhead of a message on the wire."""

RequestT = TypeVar("RequestT", bound=ChatRequest)

_VALUE_CHARS = 60
_LINE_CHARS = 400


def estimate_tokens(messages: Sequence[Message], functions: Sequence[Function] = ()) -> int:
    """Estimate the number of tokens of a request."""
    chars = sum(message.chars + MESSAGE_CHARS for message in messages)
    return (chars + sum(function.chars for function in functions)) // CHARS_PER_TOKEN


def fit_request(request: RequestT, context_tokens: int) -> RequestT:
    """Trim a request to a token budget, as far as possible without separating a call from its result.

    Whole turns are removed, oldest first; then tool results of the last turn are shortened to one line each,
    oldest first. The system prompt, the user's last message and all calls of the last turn always stay.

    Args:
        request: system prompt, history and the last turn.
        context_tokens: as in :class:`~promptvision.llm.planner.Planner`.
    """
    over = estimate_tokens(request.messages, request.functions) - context_tokens
    if over <= 0:
        return request
    messages, over = _drop_turns(list(request.messages), over)
    for index, message in enumerate(messages):
        if over <= 0:
            break
        if message.role == "tool":
            messages[index] = replace(message, content=shorten(message.content))
            over -= estimate_tokens([message]) - estimate_tokens([messages[index]])
    return replace(request, messages=tuple(messages))


def _drop_turns(messages: list[Message], over: int) -> tuple[list[Message], int]:
    """Remove whole turns until the request fits, but never the last one."""
    starts = [index for index, message in enumerate(messages) if message.role == "user"]
    if len(starts) < 2:
        return messages, over
    begin = end = starts[0]
    for end in starts[1:]:
        if over - estimate_tokens(messages[begin:end]) <= 0:
            break
    return messages[:begin] + messages[end:], over - estimate_tokens(messages[begin:end])


def shorten(result: str) -> str:
    """Shorten a tool result to one line: cut long values, count lists, keep labels of untrusted text."""
    try:
        value = json.loads(result)
    except ValueError:
        return " ".join(result.split())[:_LINE_CHARS]
    if not isinstance(value, dict):
        return result[:_LINE_CHARS]
    short: dict[str, Any] = {}
    for name, item in value.items():
        if len(json.dumps(short, ensure_ascii=False)) > _LINE_CHARS:
            break
        short[name] = _brief(item)
    return json.dumps(short, ensure_ascii=False, separators=(",", ":"))


def _brief(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= _VALUE_CHARS else value[:_VALUE_CHARS] + "…"
    if isinstance(value, list):
        return f"({len(value)} items)"
    if isinstance(value, dict):
        return {name: _brief(item) for name, item in list(value.items())[:2]}
    return value
