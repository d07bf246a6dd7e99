"""ASGI middleware that bounds the memory of large responses that clients read slowly."""

from __future__ import annotations

from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from promptvision.errors import Busy
from promptvision.server.body_limit import BodyRoom
from promptvision.server.problems import problem

__all__ = ["LARGE_RESPONSE", "ResponseLimit", "hold_response"]

_HOLD = "promptvision.hold_response"
"""Key of the ASGI scope."""
_REFUSAL = "too many large responses are being sent"

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

        def hold(size: int) -> bool:
            nonlocal held
            more = size - held if size >= LARGE_RESPONSE else 0
            if more > 0 and not self._room.take(user, more):
                return False
            held += max(more, 0)
            return True

        async def limited_send(message: Message) -> None:
            nonlocal is_refused
            if message["type"] == "http.response.start":
                size = int(Headers(raw=message["headers"]).get("content-length", 0))
                if not hold(size):
                    is_refused = True
                    await problem(429, _REFUSAL, headers={"Retry-After": "2"})(scope, receive, send)
            if not is_refused:
                await _send_pieces(message, send)

        scope[_HOLD] = hold  # in the same scope, where the router sets the endpoint for outer middleware
        try:
            await self._app(scope, receive, limited_send)
        finally:
            if held:
                self._room.release(user, held)


def hold_response(request: Request, size: int) -> None:
    """Take the room for a response before its body is read into memory.

    Args:
        request: the request to answer.
        size: of the body in bytes.

    Raises:
        Busy: there is no room.
    """
    hold: Callable[[int], bool] | None = request.scope.get(_HOLD)
    if hold is not None and not hold(size):
        raise Busy(_REFUSAL, retry_after_s=2)


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
