"""ASGI middleware for all routes: checks of Host and Origin, and limits on bodies and requests."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection
from typing import NamedTuple

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from promptvision.server.problems import problem

__all__ = ["BODY_LIMIT", "LOOPBACK", "BodyLimit", "HostGuard", "RequestLimit"]

LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""Host names that always mean this machine."""

BODY_LIMIT = 25 * 2**20
"""Maximum size of a request body in bytes, file parts included."""
MAX_REQUESTS = 1280
"""Maximum number of concurrent requests and open streams in one process. It exceeds the limit on connections,
so slow clients cannot exhaust it: their connections are closed in favour of new ones."""

_MESSAGES_PER_YIELD = 64
_PORTS = {"http": 80, "https": 443}
_AUTHORITY = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\s\x00-\x20\[\]:/?#@\\]+?)\.?)(?::([0-9]{1,5}))?")
_ORIGIN = re.compile(r"(https?)://([^/?#@]+)")
_ABSOLUTE = re.compile(r"(https?)://([^/?#]*)(/.*)?", re.ASCII | re.IGNORECASE | re.DOTALL)


class _Authority(NamedTuple):
    """A host, lower case and without brackets or a trailing dot, and its port."""

    host: str
    port: int | None


class BodyLimit:
    """Reject bodies over a limit with 413, whether their length is declared or not.

    A request with both ``Content-Length`` and ``Transfer-Encoding`` is refused with 400, since parsers may
    disagree about its end (RFC 9112, section 6.1).

    Args:
        app: the next ASGI app.
        limit: maximum size in bytes.
    """

    def __init__(self, app: ASGIApp, limit: int = BODY_LIMIT) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward or reject a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        declared = headers.get("content-length", "")
        if declared and "transfer-encoding" in headers:
            response = problem(
                400, "send Content-Length or Transfer-Encoding, not both", headers={"Connection": "close"}
            )
            await response(scope, receive, send)
            return
        if declared.isdigit() and int(declared) > self._limit:
            await self._refuse(scope, receive, send)
            return
        seen, messages, is_over, has_started = 0, 0, False, False

        async def limited_receive() -> Message:
            nonlocal seen, messages, is_over
            message = await receive()
            seen += len(message.get("body", b""))
            messages += 1
            if seen > self._limit:
                is_over = True
                return {"type": "http.disconnect"}
            if messages % _MESSAGES_PER_YIELD == 0:  # many small chunks must not block the event loop
                await asyncio.sleep(0)
            return message

        async def watched_send(message: Message) -> None:
            nonlocal has_started
            if not is_over:
                has_started = True
                await send(message)

        try:
            await self._app(scope, limited_receive, watched_send)
        except Exception:
            if not is_over:
                raise
        if is_over and not has_started:
            await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = problem(
            413, f"the body is over {self._limit // 2**20} MiB", headers={"Connection": "close"}
        )
        await response(scope, receive, send)


class RequestLimit:
    """Answer 503 while too many requests are in progress, open event streams included.

    Args:
        app: the next ASGI app.
        limit: maximum number of concurrent requests.
    """

    def __init__(self, app: ASGIApp, limit: int = MAX_REQUESTS) -> None:
        self._app = app
        self._limit = limit
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward or reject a request."""
        if scope["type"] == "http" and self._running >= self._limit:
            response = problem(
                503, f"{self._limit} requests are in progress; try again", headers={"Retry-After": "2"}
            )
            await response(scope, receive, send)
            return
        self._running += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._running -= 1


class HostGuard:
    """Check ``Host`` and ``Origin``, against DNS rebinding and cross-site requests.

    A malformed ``Host`` is refused with 400, an unknown one with 421. A request that may change something is
    refused with 403 when its ``Origin`` has another scheme, host or port than the request and is not in
    ``origins``. The authority of a request target in absolute form replaces the ``Host`` header (RFC 9112,
    section 3.2.2).

    Args:
        app: the next ASGI app.
        hosts: known host names, without ports; empty: any well-formed one.
        origins: exact origins of other sites that may send requests, such as ``http://localhost:3000``.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str] = (), origins: Collection[str] = ()) -> None:
        self._app = app
        self._hosts = {host.lower() for host in hosts}
        self._origins = {origin.lower() for origin in origins}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward or reject a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope = _in_origin_form(scope)
        headers = Headers(scope=scope)
        authority = _parse_authority(headers.get("host", ""))
        origin = headers.get("origin")
        if self._hosts and (authority is None or authority.host not in self._hosts):
            name = headers.get("host", "")[:100]
            response = problem(
                421,
                f"this server does not answer to the host name {name!r}; set PROMPTVISION_SERVER_HOSTS",
            )
        elif authority is None:
            response = problem(400, "Host: not a valid host name and port")
        elif origin is not None and not self._is_allowed(origin, scope, authority):
            response = problem(
                403, "requests from pages of other sites are rejected; PROMPTVISION_CORS_ORIGINS allows one"
            )
        else:
            await self._app(scope, receive, send)
            return
        await response(scope, receive, send)

    def _is_allowed(self, origin: str, scope: Scope, authority: _Authority) -> bool:
        if scope["method"] in ("GET", "HEAD") or origin.lower() in self._origins:
            return True
        found = _ORIGIN.fullmatch(origin.lower())
        sender = _parse_authority(found[2]) if found else None
        if found is None or sender is None:
            return False
        scheme = scope["scheme"]
        ours = (scheme, authority.host, authority.port or _PORTS.get(scheme))
        return (found[1], sender.host, sender.port or _PORTS[found[1]]) == ours


def _in_origin_form(scope: Scope) -> Scope:
    """The scope of a request whose target is an absolute URL, as if it had been sent with a path."""
    root = scope.get("root_path", "")
    found = _ABSOLUTE.fullmatch(scope["path"].removeprefix(root))
    if found is None:
        return scope
    path = root + (found[3] or "/")
    scope = {**scope, "path": path, "raw_path": path.encode(), "headers": list(scope["headers"])}
    MutableHeaders(scope=scope)["host"] = found[2]
    return scope


def _parse_authority(text: str) -> _Authority | None:
    found = _AUTHORITY.fullmatch(text)
    if found is None or int(found[3] or 0) > 65535:
        return None
    return _Authority((found[1] or found[2]).lower(), int(found[3]) if found[3] else None)
