"""ASGI middleware that limits request bodies: their size, the parts of JSON, and the bytes held at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from promptvision.server.bodies import SMALL_BODY, is_json
from promptvision.server.problems import problem

__all__ = ["BODY_LIMIT", "BodyLimit", "BodyRoom"]

BODY_LIMIT = 25 * 2**20
"""Maximum size of a request body in bytes, file parts included."""
ROOM = 320 * 2**20
"""Bytes of bodies that are held at once, for all users; small bodies are not counted."""
MAX_TOKENS = 50_000
"""Maximum number of commas, colons and opening brackets in a large JSON body; parsing many takes long."""

_TOKENS = b",", b":", b"[", b"{"
_MESSAGES_PER_YIELD = 64
_CLOSE = {"Connection": "close"}


class BodyRoom:
    """The bytes of bodies that are held at once, shared among users.

    A user may hold as many bytes as are left for everyone else, so that no number of bodies of one user
    leaves none for the next user.

    Source: Choudhury and Hahne, "Dynamic Queue Length Thresholds for Shared-Memory Packet Switches", 1998.

    Args:
        total: bytes for all users.
    """

    def __init__(self, total: int = ROOM) -> None:
        self._total = total
        self._held: Counter[str] = Counter()

    def take(self, user: str, size: int) -> bool:
        """Add bytes that a user holds; False, and nothing is added, if that is more than the share."""
        if self._held[user] + size > self._total - self._held.total():
            return False
        self._held[user] += size
        return True

    def release(self, user: str, size: int) -> None:
        """Remove bytes that a user no longer holds."""
        self._held[user] -= size
        if self._held[user] <= 0:
            del self._held[user]


class BodyLimit:
    """Limit request bodies, whether their length is declared or not.

    A body over the limit is refused with 413, JSON of too many parts with 400, and a large body for which
    there is no room with 429. A request with both ``Content-Length`` and ``Transfer-Encoding`` is refused
    with 400, since parsers may disagree about its end (RFC 9112, section 6.1).

    Args:
        app: the next ASGI app.
        limit: maximum size in bytes.
        room: for large bodies; bytes are held until the response begins.
        user: the user of a request, whose share it takes.
    """

    def __init__(
        self,
        app: ASGIApp,
        limit: int = BODY_LIMIT,
        *,
        room: BodyRoom | None = None,
        user: Callable[[Scope], str] = lambda _: "",
    ) -> None:
        self._app = app
        self.limit = limit
        self._room = room or BodyRoom()
        self._user = user

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward or reject a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        declared = headers.get("content-length", "")
        if declared and "transfer-encoding" in headers:
            response = problem(400, "send Content-Length or Transfer-Encoding, not both", headers=_CLOSE)
            await response(scope, receive, send)
            return
        body = _Body(receive, headers, self.limit, _Share(self._room, lambda: self._user(scope)))
        has_started = False

        async def watched_send(message: Message) -> None:
            nonlocal has_started
            if body.refusal is None:
                has_started = True
                body.share.release()
                await send(message)

        try:
            body.expect(int(declared) if declared.isdigit() else 0)
            if body.refusal is None:
                await self._app(scope, body.receive, watched_send)
        except Exception:
            if body.refusal is None:
                raise
        finally:
            body.share.release()
        if body.refusal is not None and not has_started:
            await body.refusal(scope, receive, send)


class _Share:
    """The room that one body takes."""

    def __init__(self, room: BodyRoom, user: Callable[[], str]) -> None:
        self._room = room
        self._find_user = user
        self._user = ""
        self._held = 0

    def hold(self, size: int) -> bool:
        """Hold a number of bytes in all; False if there is no room for them."""
        more = size - SMALL_BODY - self._held
        if more <= 0:
            return True
        if not self._held:
            self._user = self._find_user()
        if not self._room.take(self._user, more):
            return False
        self._held += more
        return True

    def release(self) -> None:
        """Hold nothing."""
        if self._held:
            self._room.release(self._user, self._held)
            self._held = 0


class _Body:
    """The body of one request; the app reads it by :meth:`receive`.

    Args:
        receive: of the server.
        headers: of the request.
        limit: maximum size in bytes.
        share: the room that it takes.
    """

    def __init__(self, receive: Receive, headers: Headers, limit: int, share: _Share) -> None:
        self._receive = receive
        self._limit = limit
        self._is_json = is_json(headers.get("content-type", ""))
        self._size = self._messages = self._tokens = 0
        self.share = share
        self.refusal: Response | None = None
        """The response once a limit is exceeded; the app receives ``http.disconnect``."""

    def expect(self, size: int) -> None:
        """Check a size and take the room for it."""
        if size > self._limit:
            self.refusal = problem(413, f"the body is over {self._limit // 2**20} MiB", headers=_CLOSE)
        elif not self.share.hold(size):
            headers = {"Retry-After": "1", **_CLOSE}
            self.refusal = problem(429, "too many large requests are being received", headers=headers)

    async def receive(self) -> Message:
        """The next part of the body."""
        message = await self._next()
        if self._is_json and self._size > SMALL_BODY and self._tokens > MAX_TOKENS:
            while (
                message.get("more_body") and self.refusal is None
            ):  # a client reads a response after it has sent
                message = await self._next()
            detail = f"the JSON has over {MAX_TOKENS} members, items and punctuation marks"
            self.refusal = self.refusal or problem(400, detail)
        return message if self.refusal is None else {"type": "http.disconnect"}

    async def _next(self) -> Message:
        message = await self._receive()
        chunk = message.get("body", b"")
        self._size += len(chunk)
        self._messages += 1
        if self._is_json:
            self._tokens += sum(chunk.count(token) for token in _TOKENS)
        self.expect(self._size)
        if self._messages % _MESSAGES_PER_YIELD == 0:  # many small chunks must not block the event loop
            await asyncio.sleep(0)
        return message
