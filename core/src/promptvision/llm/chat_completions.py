"""The chat-completions wire format, without importing an SDK.

Requests become keyword arguments for ``client.chat.completions.create``. Responses are validated completely,
since the SDKs return HTML, null choices and truncated replies without an error.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn
from uuid import uuid4

from promptvision.errors import ProviderError
from promptvision.llm.brevity import functions_on_the_wire
from promptvision.llm.dialects import Dialect
from promptvision.llm.failures import error_object, one_line
from promptvision.llm.messages import (
    ChatReply,
    ChatRequest,
    FinishReason,
    Message,
    ToolCall,
    Usage,
)
from promptvision.llm.repair import load_json
from promptvision.types import neutralize_chat_markers

__all__ = ["StreamReader", "fresh_id", "read_reply", "request_body"]

_ILLEGAL = re.compile(r"[^a-zA-Z0-9_-]")
_MAX_ID = 40
_MAX_REPLY_CHARS = 1_000_000
_MAX_CALLS = 64


def request_body(request: ChatRequest, *, model: str, dialect: Dialect) -> dict[str, Any]:
    """Return a request as keyword arguments of ``create``, without ``stream`` and host-specific options.

    The content of an earlier turn cannot make the host reject the request: call arguments are always a JSON
    object, names and ids have a valid alphabet and length, text is valid Unicode, and text from users, models
    and images has no chat-template markers (:func:`~promptvision.types.neutralize_chat_markers`).
    """
    body: dict[str, Any] = {"model": model, "messages": [_message(message) for message in request.messages]}
    if request.functions:
        body["tools"] = functions_on_the_wire(request.functions, request.messages, dialect)
        body["tool_choice"] = request.tool_choice
    if request.temperature is not None:
        body["temperature"] = request.temperature
    return body


def fresh_id() -> str:
    """Return a new tool-call id."""
    return f"call_{uuid4().hex[:24]}"


def _message(message: Message) -> dict[str, Any]:
    content = message.content if message.role == "system" else neutralize_chat_markers(message.content)
    wire: dict[str, Any] = {"role": message.role, "content": _unicode(content)}
    if message.tool_calls:
        wire["tool_calls"] = [_call(call) for call in message.tool_calls]
        wire["content"] = wire["content"] or None
    if message.role == "tool":
        wire["tool_call_id"] = _id(message.tool_call_id or "")
    return wire


def _call(call: ToolCall) -> dict[str, Any]:
    name = _ILLEGAL.sub("_", call.name)[:64] or "unnamed"
    function = {"name": name, "arguments": _arguments(call.arguments)}
    return {"id": _id(call.id), "type": "function", "function": function}


def _arguments(arguments: str | Mapping[str, Any]) -> str:
    """Arguments as a JSON object; anything else becomes an empty one, and its tool message says why."""
    try:
        value = load_json(arguments) if isinstance(arguments, str) else dict(arguments)
        if isinstance(value, dict):
            return _unicode(neutralize_chat_markers(json.dumps(value, ensure_ascii=False, allow_nan=False)))
    except (ValueError, TypeError):
        pass
    return "{}"


def _id(written: str) -> str:
    if len(written) <= _MAX_ID and written.isascii():
        return written
    return "call_" + hashlib.sha256(written.encode("utf-8", "replace")).hexdigest()[:24]


def _unicode(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def read_reply(response: object, planner: str) -> ChatReply:
    """Convert a response, an SDK model or a dict, to a reply.

    Raises:
        ProviderError: ``malformed``, or ``cut`` when it has no finish reason.
    """
    body = _plain(response)
    if not isinstance(body, Mapping):
        _malformed(planner, f"not a chat completion but {type(body).__name__}: {one_line(body, 80)}")
    choice = _first_choice(body, planner)
    if choice is None:
        _malformed(
            planner, "no choices" + (f": {one_line(found)}" if (found := _error_message(body)) else "")
        )
    message = choice.get("message")
    if not isinstance(message, Mapping):
        _malformed(planner, "a choice without a message")
    return _make_reply(message, choice.get("finish_reason"), body.get("usage"), planner)


class StreamReader:
    """Assembles a reply from the chunks of a stream.

    Args:
        planner: name of the provider.
        usage_of: finds the token counts of a chunk, where the host has a field of its own for them.
    """

    def __init__(
        self, planner: str, usage_of: Callable[[Mapping[str, Any]], object] = lambda chunk: None
    ) -> None:
        self._planner = planner
        self._usage_of = usage_of
        self._text: list[str] = []
        self._calls: list[dict[str, str]] = []
        self._slots: dict[object, int] = {}
        self._finish_reason: object = None
        self._usage: object = None
        self._chars = 0
        self._has_begun = False

    def feed(self, chunk: object) -> str:
        """Add the next chunk and return the text in it.

        Raises:
            ProviderError: ``malformed``.
        """
        body = _plain(chunk)
        if not isinstance(body, Mapping) or (not body.get("choices") and _error_message(body)):
            _malformed(
                self._planner,
                f"not a stream of chat completions: {one_line(_error_message(body) or body, 80)}",
            )
        self._usage = body.get("usage") or self._usage_of(body) or self._usage
        choice = _first_choice(body, self._planner)
        if choice is None:
            return ""
        self._has_begun = True
        self._finish_reason = choice.get("finish_reason") or self._finish_reason
        delta = choice.get("delta") or {}
        if not isinstance(delta, Mapping):
            _malformed(self._planner, "a chunk without a delta")
        for fragment in _items(delta.get("tool_calls"), self._planner):
            self._add_fragment(fragment)
        text = _text_of(delta, self._planner)
        self._text.append(text)
        self._count(len(text))
        return text

    def finish(self) -> ChatReply:
        """Return the whole reply, after the last chunk.

        Raises:
            ProviderError: ``cut`` without a finish reason, ``malformed`` if the reply is invalid or empty.
        """
        if not self._has_begun:
            _malformed(self._planner, "a stream without choices")
        calls = [{"id": call["id"], "function": call} for call in self._calls]
        message = {"content": "".join(self._text), "tool_calls": calls}
        return _make_reply(message, self._finish_reason, self._usage, self._planner)

    def _add_fragment(self, fragment: Mapping[str, Any]) -> None:
        function = fragment.get("function") or {}
        if not isinstance(function, Mapping):
            _malformed(self._planner, "a call without a function")
        call = self._slot(fragment)
        call["id"] = call["id"] or _string(fragment.get("id"))
        name, arguments = _string(function.get("name")), function.get("arguments")
        call["name"] += name if name != call["name"] else ""
        written = json.dumps(arguments) if isinstance(arguments, Mapping) else _string(arguments)
        call["arguments"] += written
        self._count(len(name) + len(written))

    def _slot(self, fragment: Mapping[str, Any]) -> dict[str, str]:
        """The call that a fragment belongs to. Some hosts send each call whole, all with index 0."""
        index, new_id = fragment.get("index"), _string(fragment.get("id"))
        known = self._slots.get(index) if isinstance(index, int) else len(self._calls) - 1
        if known is None or known < 0 or (new_id and self._calls[known]["id"] not in ("", new_id)):
            if len(self._calls) >= _MAX_CALLS:
                _malformed(self._planner, f"more than {_MAX_CALLS} calls in one reply")
            self._calls.append({"id": "", "name": "", "arguments": ""})
            known = len(self._calls) - 1
            if isinstance(index, int):
                self._slots[index] = known
        return self._calls[known]

    def _count(self, chars: int) -> None:
        self._chars += chars
        if self._chars > _MAX_REPLY_CHARS:
            _malformed(self._planner, f"a reply of more than {_MAX_REPLY_CHARS} characters")


def _make_reply(message: Mapping[str, Any], finish_reason: object, usage: object, planner: str) -> ChatReply:
    if not isinstance(finish_reason, str) or not finish_reason:
        raise ProviderError(f"{planner}: the reply was cut off", kind="cut", retryable=True)
    text = _text_of(message, planner) or _string(message.get("refusal"))
    calls = tuple(_read_calls(message, planner))
    if not text.strip() and not calls:
        _malformed(planner, f"an empty reply (finish reason {one_line(finish_reason, 40)})")
    reason: FinishReason = (
        "length" if finish_reason in ("length", "max_tokens") else "tool_calls" if calls else "stop"
    )
    tokens = usage if isinstance(usage, Mapping) else {}
    counted = Usage(_count_of(tokens.get("prompt_tokens")), _count_of(tokens.get("completion_tokens")))
    return ChatReply(text=text, tool_calls=calls, finish_reason=reason, usage=counted, planner=planner)


def _read_calls(message: Mapping[str, Any], planner: str) -> Iterator[ToolCall]:
    taken: set[str] = set()
    for item in _items(message.get("tool_calls"), planner):
        function = item.get("function")
        name = function.get("name") if isinstance(function, Mapping) else None
        if not isinstance(function, Mapping) or not isinstance(name, str) or not name:
            _malformed(planner, "a call without a name")
        arguments = function.get("arguments")
        if not isinstance(arguments, str | Mapping):
            arguments = "" if arguments is None else json.dumps(arguments)
        written = _string(item.get("id"))
        call_id = written if written and written not in taken else fresh_id()
        taken.add(call_id)
        yield ToolCall(id=call_id, name=name, arguments=arguments)


def _plain(response: object) -> object:
    """Convert SDK models to dicts, without warnings about unexpected values."""
    dump = getattr(response, "model_dump", None)
    return dump(warnings=False) if callable(dump) else response


def _error_message(body: object) -> str:
    error = body.get("error") if isinstance(body, Mapping) else None
    return str(error_object(error).get("message", error)) if error else ""


def _first_choice(body: Mapping[str, Any], planner: str) -> Mapping[str, Any] | None:
    choices = _items(body.get("choices"), planner)
    return choices[0] if choices else None


def _items(value: object, planner: str) -> list[Mapping[str, Any]]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        _malformed(planner, f"expected a list of objects, not {one_line(value, 80)}")
    return value


def _text_of(message: Mapping[str, Any], planner: str) -> str:
    """The text of a message: a string, null, or a list of parts."""
    content = message.get("content")
    if isinstance(content, list):
        return "".join(_string(part.get("text")) for part in _items(content, planner))
    if content is not None and not isinstance(content, str):
        _malformed(planner, f"content of type {type(content).__name__}")
    return content or ""


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _count_of(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _malformed(planner: str, what: str) -> NoReturn:
    raise ProviderError(f"{planner}: malformed reply: {what}", kind="malformed", retryable=True)
