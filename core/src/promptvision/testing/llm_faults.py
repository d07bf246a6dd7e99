"""Faults of LLM hosts and models, simulated by :class:`~promptvision.testing.llm_server.LLMServer`.

The texts in :data:`FAILED_GENERATIONS` have the shapes that public issues of many projects report from Groq.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse

from promptvision.errors import ProviderErrorKind
from promptvision.llm.messages import ChatReply
from promptvision.testing.llm_wire import call, chunks, completion, event

__all__ = [
    "FAILED_GENERATIONS",
    "FAULTS",
    "KINDS",
    "Fault",
    "Scripted",
    "endless_call",
    "failed_generation",
    "respond",
    "stringified_arguments",
]

Body = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """One kind of failure.

    Args:
        name: shown in test output.
        respond: creates the response from the request and its body.
    """

    name: str
    respond: Callable[[Request, Body], Awaitable[Response]]

    def __repr__(self) -> str:
        return f"Fault({self.name})"

    @classmethod
    def status(
        cls,
        code: int,
        *,
        message: str = "something went wrong",
        retry_after: str | None = None,
        error: Mapping[str, Any] | None = None,
    ) -> Fault:
        """An HTTP error; ``error`` adds to the error object in its body."""
        headers = {} if retry_after is None else {"retry-after": retry_after}

        async def respond(request: Request, body: Body) -> Response:
            described = {"message": message, "type": "stub_error", **(error or {})}
            return JSONResponse({"error": described}, status_code=code, headers=headers)

        return cls(f"status {code}", respond)

    @classmethod
    def tool_use_failed(cls, generation: str | None, message: str = "Failed to call a function.") -> Fault:
        """Groq's HTTP 400 for a bad call; None omits ``failed_generation``."""
        error = {"type": "invalid_request_error", "code": "tool_use_failed"}
        if generation is not None:
            error["failed_generation"] = generation
        return cls.status(400, message=message, error=error)

    @classmethod
    def tool_use_failed_in_stream(cls, text: str) -> Fault:
        """A stream of text that ends with Groq's error and an empty ``failed_generation``."""
        error = {"message": "Failed to call a function.", "type": "invalid_request_error"}
        error |= {"code": "tool_use_failed", "failed_generation": ""}

        async def respond(request: Request, body: Body) -> Response:
            if not body.get("stream"):
                return await cls.tool_use_failed("").respond(request, body)
            return _stream(
                [*map(event, chunks(body["model"], ChatReply(text=text))[:-2]), event({"error": error})]
            )

        return cls("tool_use_failed in stream", respond)

    @classmethod
    def model_gone(cls, model: str, code: str = "model_not_found", status: int = 404) -> Fault:
        """The host does not offer the model, or no longer offers it."""
        message = f"The model `{model}` does not exist or you do not have access to it."
        return cls.status(status, message=message, error={"code": code})

    @classmethod
    def slow(cls, seconds: float, reply: ChatReply) -> Fault:
        """A correct but late answer."""

        async def respond(request: Request, body: Body) -> Response:
            await asyncio.sleep(seconds)
            return _reply(body, reply)

        return cls("slow", respond)

    @classmethod
    def stalled(cls, text: str = "") -> Fault:
        """Some text if a stream is requested, then nothing until the client disconnects."""

        async def respond(request: Request, body: Body) -> Response:
            if not body.get("stream"):
                await _client_gone(request)
                return Response()

            async def endless() -> AsyncIterator[str]:
                for chunk in chunks(body["model"], ChatReply(text=text))[:-2]:
                    yield event(chunk)
                await _client_gone(request)

            return StreamingResponse(endless(), media_type="text/event-stream")

        return cls("stalled", respond)

    @classmethod
    def cut(cls, text: str = "The lion is") -> Fault:
        """An answer that ends early and without a finish reason, in a well-formed response."""

        async def respond(request: Request, body: Body) -> Response:
            reply = ChatReply(text=text)
            if body.get("stream"):
                return _stream([*map(event, chunks(body["model"], reply)[:-2]), event("[DONE]")])
            whole = completion(body["model"], reply)
            whole["choices"][0]["finish_reason"] = None
            return JSONResponse(whole)

        return cls("cut", respond)

    @classmethod
    def aborted(cls, text: str = "The lion is") -> Fault:
        """The connection drops in the middle of an answer."""

        async def respond(request: Request, body: Body) -> Response:
            async def breaking() -> AsyncIterator[str]:
                yield event(chunks(body["model"], ChatReply(text=text))[1])
                raise ConnectionAbortedError("the stub server drops this connection")

            return StreamingResponse(breaking(), media_type="text/event-stream")

        return cls("aborted", respond)

    @classmethod
    def html(cls) -> Fault:
        """HTTP 200 with a web page, as sent by proxies."""

        async def respond(request: Request, body: Body) -> Response:
            return HTMLResponse("<html><body>Please sign in to the network</body></html>")

        return cls("html", respond)

    @classmethod
    def truncated_json(cls) -> Fault:
        """HTTP 200 with truncated JSON."""

        async def respond(request: Request, body: Body) -> Response:
            if body.get("stream"):
                return _stream([event(json.dumps(chunks(body["model"], ChatReply(text="Hi"))[1])[:40])])
            text = json.dumps(completion(body["model"], ChatReply(text="Hi")))
            return Response(text[: len(text) // 2], media_type="application/json")

        return cls("truncated JSON", respond)

    @classmethod
    def choices(cls, choices: object) -> Fault:
        """HTTP 200 with invalid ``choices``, such as None."""

        async def respond(request: Request, body: Body) -> Response:
            made = {**completion(body["model"], ChatReply(text="Hi")), "choices": choices}
            return _stream([event(made), event("[DONE]")]) if body.get("stream") else JSONResponse(made)

        return cls(f"choices {choices!r}", respond)


Answer = ChatReply | Fault | str
Scripted = Answer | Callable[[Body], Answer]
"""A reply, its text alone, a fault, or a function that creates one of these from the request's body."""


async def respond(answer: Answer, request: Request, body: Body) -> Response:
    """The response for an answer, streamed if the request asks for it."""
    if isinstance(answer, Fault):
        return await answer.respond(request, body)
    return _reply(body, ChatReply(text=answer) if isinstance(answer, str) else answer)


FAILED_GENERATIONS: Mapping[str, str | None] = {
    "tag": "<function={name}>{arguments}</function>",
    "tag with junk": "<function={name}{arguments},-----",
    "bare name": "{name}{arguments}</function>",
    "fenced tool_calls": '```json\n{"tool_calls": [{"id": "call_1", "type": "function", '
    '"function": {"name": "{name}"}, "parameters": {arguments}}]}\n```',
    "tool-use tag": '<tool-use>\n{"tool_calls": [{"id": "call_1", "type": "function", '
    '"function": {"name": "{name}", "parameters": {arguments}}}]}\n</tool-use>',
    "object": '{"name": "{name}", "arguments": {arguments}}',
    "object, quoted arguments": '{"name": "{name}", "arguments": {quoted}}',
    "prose": "There are two lions in the image.",
    "absent": None,
}
"""Shapes of ``failed_generation``, to be filled in by :func:`failed_generation`."""


def failed_generation(shape: str, name: str, arguments: Mapping[str, Any]) -> str | None:
    """A failed generation of a shape of :data:`FAILED_GENERATIONS`."""
    written = json.dumps(arguments)
    text = FAILED_GENERATIONS[shape]
    for slot, value in (("name", name), ("arguments", written), ("quoted", json.dumps(written))):
        text = text and text.replace(f"{{{slot}}}", value)
    return text


def stringified_arguments(body: Body) -> Answer:
    """A call of the first function offered, all its arguments as text; an answer when none is offered."""
    tools = body.get("tools") or []
    if not tools or body.get("tool_choice") == "none":
        return ChatReply(text="Done.")
    function = tools[0]["function"]
    fields = function["parameters"].get("properties", {})
    written = {name: _sample(name, field) for name, field in fields.items()}
    return ChatReply(tool_calls=(call(function["name"], written),))


def endless_call(body: Body) -> Answer:
    """The same call for every request, even if no call is requested."""
    tools = body.get("tools") or []
    if not tools:
        return ChatReply(text="Done.")
    return ChatReply(
        tool_calls=(call(tools[0]["function"]["name"], {"image_url": "img_1", "prompt": "lion"}),)
    )


def _sample(name: str, field: Mapping[str, Any]) -> str:
    if name.endswith("_url"):
        return "img_1"
    parts = field.get("anyOf", [field])
    kinds = [part.get("type", "string") for part in parts]
    known = {"integer": "1", "number": "0.5", "boolean": "true", "array": "[[1, 2, 30, 40]]", "object": "{}"}
    return next((known[kind] for kind in kinds if kind in known), "lion")


FAULTS: Mapping[str, Callable[[], Scripted]] = {
    "rate limit, short": lambda: Fault.status(429, retry_after="0.05"),
    "rate limit, 90 s": lambda: Fault.status(429, retry_after="90"),
    "server error": lambda: Fault.status(500),
    "overloaded": lambda: Fault.status(503, retry_after="0.05"),
    "unauthorized": lambda: Fault.status(401),
    "slow": lambda: Fault.slow(0.1, ChatReply(text="Done, late.")),
    "stalled": lambda: Fault.stalled("I am"),
    "cut": Fault.cut,
    "aborted": Fault.aborted,
    "html": Fault.html,
    "truncated JSON": Fault.truncated_json,
    "null choices": lambda: Fault.choices(None),
    "empty choices": lambda: Fault.choices([]),
    "choices of text": lambda: Fault.choices(["Hi"]),
    "empty reply": lambda: ChatReply(),
    "unknown tool": lambda: ChatReply(tool_calls=(call("no_such_tool", {"x": 1}),)),
    "malformed arguments": lambda: ChatReply(tool_calls=(call("detect_objects", '{"image_url": "img_1"'),)),
    "no arguments": lambda: ChatReply(tool_calls=(call("detect_objects", ""),)),
    "stringified arguments": lambda: stringified_arguments,
    "endless call": lambda: endless_call,
    "tool_use_failed in stream": lambda: Fault.tool_use_failed_in_stream("I will look"),
    **{
        f"tool_use_failed, {shape}": lambda shape=shape: Fault.tool_use_failed(  # type: ignore[misc]
            failed_generation(shape, "detect_objects", {"image_url": "img_1", "prompt": "lion"})
        )
        for shape in FAILED_GENERATIONS
    },
}
"""Every fault by name, for tests that go through all of them or draw them at random.

``stalled`` lasts until the client disconnects; all others take a tenth of a second at most.
"""

KINDS: Mapping[str, ProviderErrorKind] = {
    "rate limit, short": "rate_limit",
    "rate limit, 90 s": "rate_limit",
    "server error": "server",
    "overloaded": "server",
    "unauthorized": "auth",
    "stalled": "timeout",
    "cut": "cut",
    "aborted": "connection",
    "html": "malformed",
    "truncated JSON": "malformed",
    "null choices": "malformed",
    "empty choices": "malformed",
    "choices of text": "malformed",
    "empty reply": "malformed",
    **{name: "invalid_call" for name in FAULTS if name.startswith("tool_use_failed")},
}
"""The kind of ProviderError that a provider must raise for a fault; other faults result in a reply."""


async def _client_gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _stream(events: Iterable[str]) -> Response:
    async def body() -> AsyncIterator[str]:
        for one in events:
            yield one

    return StreamingResponse(body(), media_type="text/event-stream")


def _reply(body: Body, reply: ChatReply) -> Response:
    if body.get("stream"):
        return _stream([*map(event, chunks(body["model"], reply)), event("[DONE]")])
    return JSONResponse(completion(body["model"], reply))
