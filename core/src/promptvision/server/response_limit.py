"""ASGI middleware that bounds the memory of large responses that clients read slowly."""

from __future__ import annotations

from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from promptvision.server.body_limit import BodyRoom
from promptvision.server.problems import problem

__all__ = ["LARGE_RESPONSE", "ResponseLimit"]

LARGE_RESPONSE = 2**20
"""Bytes from which a response takes room."""
PIECE = 256 * 2**10
"""Bytes that are handed to the server at a time, which copies them until the client reads."""


class ResponseLimit:
    """Send large bodies in pieces as the client reads them, and answer 429 if too many are being sent.

    Args:
        app: the next ASGI app.
        room: for responses of declared length; bytes are held until the response ends.
        user: the user of a request, whose share its response takes.
    """

    def __init__(
        self, app: ASGIApp, *, room: BodyRoom | None = None, user: Callable[[Scope], str] = lambda _: ""
    ) -> None:
        self._app = app
        self._room = room or BodyRoom()
        self._user = user

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward a request, and its response in pieces."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        user, held, is_refused = self._user(scope), 0, False

        async def limited_send(message: Message) -> None:
            nonlocal held, is_refused
            if is_refused:
                return
            if message["type"] == "http.response.start":
                size = int(Headers(raw=message["headers"]).get("content-length", 0))
                if size >= LARGE_RESPONSE and not self._room.take(user, size):
                    is_refused = True
                    detail = "too many large responses are being sent"
                    await problem(429, detail, headers={"Retry-After": "2"})(scope, receive, send)
                    return
                held = size if size >= LARGE_RESPONSE else 0
            await _send_pieces(message, send)

        try:
            await self._app(scope, receive, limited_send)
        finally:
            if held:
                self._room.release(user, held)


async def _send_pieces(message: Message, send: Send) -> None:
    body = message.get("body", b"")
    if len(body) <= PIECE:
        await send(message)
        return
    view = memoryview(body)
    for start in range(0, len(body), PIECE):
        is_last = start + PIECE >= len(body)
        more = not is_last or message.get("more_body", False)
        await send({**message, "body": bytes(view[start : start + PIECE]), "more_body": more})
