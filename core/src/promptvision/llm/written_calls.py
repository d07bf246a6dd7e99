"""Parsing of tool calls that a model wrote as text instead of making them.

Some hosts pass such text on as the answer; others check tool calls themselves and return a rejected one with
their error. Shapes seen in public issues of many projects:

1. ``<function=find>{"q": "x"}</function>``
2. ``<function=find{"q": "x"},-----``
3. ``find{"q": "x"}</function>``
4. fenced ``{"tool_calls": [{"function": {"name": "find"}, "parameters": {...}}]}``
5. the same inside ``<tool-use>...</tool-use>``
6. ``{"name": "find", "arguments": {...}}``
7. prose: the answer
8. nothing at all
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from promptvision.llm.chat_completions import fresh_id
from promptvision.llm.messages import ToolCall
from promptvision.llm.repair import finite_float, refuse_constant

__all__ = ["WrittenCalls", "looks_like_call", "parse_written_calls"]

_MAX_CHARS = 32_000
_MAX_CALLS = 16
_MAX_ATTEMPTS = 32

_TAGGED = re.compile(r"<function\s*[=(/:]\s*[\"']?([\w.-]{1,64})[\"']?[\s>=,():;\"']{0,8}")
_BARE = re.compile(r"([A-Za-z_][\w.-]{0,63})\s{0,4}\(?(?=\{)")
_MARKS = re.compile(r"<function|<tool[-_]?(?:use|call)|<\|python_tag\|>|\"tool_calls\"", re.IGNORECASE)
_OPENING = re.compile(
    r"\s*(?:```\w*\s*)?(?:<function\b|<tool[-_]?(?:use|call)|<\|python_tag\|>|\{\s*\"tool_calls\")",
    re.IGNORECASE,
)
_BARE_END = re.compile(r"[\s),;.-]*(?:<|$)")
_CLOSED = re.compile(r"\s*(?:</function|$)")
_SELF_CLOSED = re.compile(r"/>")
_OBJECT = re.compile(r"[{\[]")
_ARGUMENTS = ("arguments", "parameters")


_DECODER = json.JSONDecoder(strict=False, parse_constant=refuse_constant, parse_float=finite_float)


@dataclass(frozen=True)
class WrittenCalls:
    """The content of a text: calls, or an answer in prose; both empty if it cannot be parsed."""

    calls: tuple[ToolCall, ...] = ()
    prose: str = ""


def parse_written_calls(text: object) -> WrittenCalls:
    """Parse a text that may hold tool calls.

    Never raises, reads the first 32,000 characters, and returns at most 16 calls. Calls get fresh ids and
    must be validated like any others: names may be unknown, arguments may be wrong.
    """
    if not isinstance(text, str):
        return WrittenCalls()
    text = text[:_MAX_CHARS]
    calls = _tagged(text) or _bare(text) or _as_json(text)
    if calls:
        return WrittenCalls(calls=tuple(calls[:_MAX_CALLS]))
    is_prose = not _MARKS.search(text) and not text.lstrip().startswith(("{", "[", "```"))
    return WrittenCalls(prose=text.strip() if is_prose else "")


def looks_like_call(text: str) -> bool:
    """Return whether a text begins like a tool call."""
    return bool(_OPENING.match(text))


def _decode(text: str, start: int) -> tuple[Any, int] | None:
    """The JSON value at ``start`` and where it ends."""
    try:
        return _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None


def _tagged(text: str) -> list[ToolCall]:
    """Shapes 1 and 2. A tag without an object after it is a call without arguments, if it is closed."""
    calls: list[ToolCall] = []
    for match in _TAGGED.finditer(text):
        if len(calls) == _MAX_CALLS:
            break
        found = _decode(text, match.end()) if text.startswith("{", match.end()) else None
        if found:
            calls.append(_call(match[1], found[0]))
        elif (_CLOSED if ">" in match[0] else _SELF_CLOSED).match(text, match.end()):
            calls.append(_call(match[1], None))
    return calls


def _bare(text: str) -> list[ToolCall]:
    """Shape 3: the text is a name and an object, and perhaps a closing tag."""
    text = text.lstrip()
    match = _BARE.match(text)
    found = _decode(text, match.end()) if match else None
    return [_call(match[1], found[0])] if match and found and _BARE_END.match(text, found[1]) else []


def _as_json(text: str) -> list[ToolCall]:
    """Shapes 4 to 6: objects anywhere in the text, in a fence or a tag or bare."""
    calls: list[ToolCall] = []
    start = 0
    for _ in range(_MAX_ATTEMPTS):
        opening = _OBJECT.search(text, start)
        if opening is None or len(calls) >= _MAX_CALLS:
            break
        found = _decode(text, opening.start())
        start = found[1] if found else opening.end()
        if found:
            calls += _calls_in(found[0], depth=0)
    return calls


def _calls_in(value: Any, depth: int) -> Iterator[ToolCall]:
    if isinstance(value, list) and depth < 3:
        for item in value[:_MAX_CALLS]:
            yield from _calls_in(item, depth + 1)
    if not isinstance(value, Mapping) or depth >= 3:
        return
    if isinstance(value.get("tool_calls"), list):
        yield from _calls_in(value["tool_calls"], depth + 1)
        return
    function = value.get("function")
    inner = function if isinstance(function, Mapping) else {}
    name = inner.get("name", function if isinstance(function, str) else value.get("name"))
    arguments = [part[key] for part in (inner, value) for key in _ARGUMENTS if key in part]
    if isinstance(name, str) and 0 < len(name) <= 128 and (arguments or inner):
        yield _call(name, arguments[0] if arguments else None)


def _call(name: str, arguments: Any) -> ToolCall:
    if not isinstance(arguments, str | Mapping):
        arguments = "" if arguments is None else json.dumps(arguments)
    return ToolCall(id=fresh_id(), name=name, arguments=arguments)
