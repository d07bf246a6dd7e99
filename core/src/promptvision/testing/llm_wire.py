"""Replies in the wire format of a chat-completions host."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

from promptvision.llm.messages import ChatReply, ToolCall

__all__ = ["call", "chunks", "completion", "event"]

_CHUNK_CHARS = 7


def call(name: str, arguments: Mapping[str, Any] | str = "") -> ToolCall:
    """A tool call with a fresh id; arguments that are text are sent as they are."""
    written = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return ToolCall(id=f"call_{uuid4().hex[:12]}", name=name, arguments=written)


def completion(model: str, reply: ChatReply) -> dict[str, Any]:
    """A reply as the body of a response."""
    message: dict[str, Any] = {"role": "assistant", "content": reply.text or None}
    if reply.tool_calls:
        message["tool_calls"] = [_wire(made) for made in reply.tool_calls]
    choice = {"index": 0, "message": message, "finish_reason": _finish_reason(reply)}
    return {**_head(model, "chat.completion"), "choices": [choice], "usage": _usage(reply)}


def chunks(model: str, reply: ChatReply) -> list[dict[str, Any]]:
    """A reply as the chunks of a stream: text and arguments in small pieces, then its end, then usage."""
    head = _head(model, "chat.completion.chunk")
    made = [{**head, "choices": [_choice(delta)]} for delta in _deltas(reply)]
    end = {**head, "choices": [_choice({}, _finish_reason(reply))]}
    return [*made, end, {**head, "choices": [], "usage": _usage(reply)}]


def event(data: Mapping[str, Any] | str) -> str:
    """Data as a server-sent event."""
    return f"data: {data if isinstance(data, str) else json.dumps(data)}\n\n"


def _deltas(reply: ChatReply) -> Iterator[dict[str, Any]]:
    yield {"role": "assistant", "content": ""}
    for piece in _pieces(reply.text):
        yield {"content": piece}
    for index, made in enumerate(reply.tool_calls):
        whole = _wire(made)
        arguments = whole["function"]["arguments"]
        whole["function"]["arguments"] = ""
        yield {"tool_calls": [{"index": index, **whole}]}
        for piece in _pieces(arguments):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def _choice(delta: Mapping[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "finish_reason": finish_reason}


def _pieces(text: str) -> list[str]:
    return [text[start : start + _CHUNK_CHARS] for start in range(0, len(text), _CHUNK_CHARS)]


def _wire(made: ToolCall) -> dict[str, Any]:
    arguments = made.arguments if isinstance(made.arguments, str) else json.dumps(made.arguments)
    return {"id": made.id, "type": "function", "function": {"name": made.name, "arguments": arguments}}


def _finish_reason(reply: ChatReply) -> str:
    return "tool_calls" if reply.tool_calls and reply.finish_reason == "stop" else reply.finish_reason


def _head(model: str, kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{uuid4().hex[:8]}", "object": kind, "created": 1, "model": model}


def _usage(reply: ChatReply) -> dict[str, int]:
    tokens = reply.usage
    return {
        "prompt_tokens": tokens.input_tokens,
        "completion_tokens": tokens.output_tokens,
        "total_tokens": tokens.input_tokens + tokens.output_tokens,
    }
