"""Keep the functions of a request short: schemas only for those that the request may need.

Every function stays callable with all of its arguments. One that the user's words do not concern is sent with
the names of its arguments only, so that a large installation does not cost thousands of tokens per request.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from promptvision.llm.budget import CHARS_PER_TOKEN
from promptvision.llm.dialects import Dialect
from promptvision.llm.messages import Function, Message
from promptvision.llm.stems import stems_of

__all__ = ["FUNCTION_TOKENS", "brief_schema", "functions_on_the_wire"]

FUNCTION_TOKENS = 2500
"""What the functions of a request may take together, estimated at four characters a token."""

_LIMITS = " Limits: "
_RECENT = 2
"""How many of the user's last messages count."""
_CALLED, _WORDING = 100.0, 3.0
"""Scores of a function that was called in this conversation, since the request may be about its arguments,
and of each word of a phrase or verb for it that the user said."""
_CHECKED_ANYWAY = frozenset(
    (
        *("title", "additionalProperties", "uniqueItems", "pattern"),
        *("minLength", "maxLength", "minItems", "maxItems"),
    )
)
_ANY_OBJECT = {"type": "object", "properties": {}, "additionalProperties": True}


def functions_on_the_wire(
    functions: Sequence[Function],
    messages: Sequence[Message],
    dialect: Dialect,
    budget_tokens: int = FUNCTION_TOKENS,
) -> list[dict[str, Any]]:
    """The ``tools`` of a request, with as many schemas as the budget allows.

    Args:
        functions: all that can be called; none is left out.
        messages: of the request. The user's last words and the functions called before decide which
            functions have their schemas. The system prompt holds the limits of all functions, so that a
            description does not repeat them.
        dialect: of the host.
        budget_tokens: for all functions together; exceeded only if their names and descriptions exceed it.
    """
    short = [_tool(function, _with_names(function), _ANY_OBJECT, dialect) for function in functions]
    whole = [
        _tool(function, _description(function), brief_schema(function.parameters), dialect)
        for function in functions
    ]
    left = budget_tokens * CHARS_PER_TOKEN - sum(map(_size, short))
    scores = _scores(functions, messages)
    chosen = list(short)
    for index in sorted(range(len(functions)), key=lambda index: -scores[index]):
        cost = _size(whole[index]) - _size(short[index])
        if cost <= left:
            chosen[index] = whole[index]
            left -= cost
    return chosen


def brief_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON schema without what the core checks anyway, with an error that says what is wrong.

    A field that may be null is a plain one that may be left out.

    Args:
        schema: of the arguments, or of a part of them.
    """
    variants = [part for part in schema.get("anyOf", ()) if part.get("type") != "null"]
    if len(variants) == 1:
        schema = {**variants[0], **{key: value for key, value in schema.items() if key != "anyOf"}}
    brief: dict[str, Any] = {}
    for key, value in schema.items():
        if key in ("properties", "$defs"):
            brief[key] = {name: brief_schema(part) for name, part in value.items()}
        elif key == "anyOf":
            brief[key] = [brief_schema(part) for part in value]
        elif key == "items" and isinstance(value, Mapping):
            brief[key] = brief_schema(value)
        elif key not in _CHECKED_ANYWAY and (key != "required" or value):
            brief[key] = value
    return brief


def _tool(
    function: Function, description: str, parameters: Mapping[str, Any], dialect: Dialect
) -> dict[str, Any]:
    described = {"name": function.name, "description": description or function.name}
    return {"type": "function", "function": {**described, **dialect(parameters)}}


def _size(tool: dict[str, Any]) -> int:
    return len(json.dumps(tool, ensure_ascii=False, separators=(",", ":")))


def _description(function: Function) -> str:
    return function.description.partition(_LIMITS)[0]


def _with_names(function: Function) -> str:
    """The description and the names of the arguments, with the words that they may hold."""
    fields = brief_schema(function.parameters).get("properties", {})
    names = [
        f"{name} ({'|'.join(map(str, field['enum']))})" if "enum" in field else name
        for name, field in fields.items()
    ]
    return f"{_description(function)} Arguments: {', '.join(names)}." if names else _description(function)


# Functions that the user's words concern


def _scores(functions: Sequence[Function], messages: Sequence[Message]) -> list[float]:
    """The relevance of each function to the conversation; a word of few functions counts more."""
    asked = [message.content for message in messages if message.role == "user"][-_RECENT:]
    said = stems_of(*asked)
    called = {call.name for message in messages for call in message.tool_calls}
    shares = {stem: 1 / max(1, sum(stem in function.stems for function in functions)) for stem in said}
    return [
        _CALLED * (function.name in called)
        + _WORDING * max((len(wording) for wording in function.wordings if wording <= said), default=0)
        + sum(shares[stem] for stem in said & function.stems)
        for function in functions
    ]
