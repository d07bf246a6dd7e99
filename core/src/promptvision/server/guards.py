"""ASGI middleware for all routes: checks of Host and Origin, and limits on requests at once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection
from typing import NamedTuple

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Receive, Scope, Send

from promptvision.server.problems import problem

__all__ = ["LOOPBACK", "HostGuard", "RequestLimit"]

LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""Host names that always mean this machine."""

MAX_REQUESTS = 1280
"""Maximum number of concurrent requests and open streams in one process. It exceeds the limit on connections,
so slow clients cannot exhaust it: their connections are closed in favour of new ones."""
MAX_USER_REQUESTS = 128
"""Maximum number of those of one user with an API key, so that no user can take all connections."""

_PORTS = {"http": 80, "https": 443}
_AUTHORITY = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\s\x00-\x20\[\]:/?#@\\]+?)\.?)(?::([0-9]{0,5}))?")
_ORIGIN = re.compile(r"(https?)://([^/?#@]+)")
_ABSOLUTE = re.compile(r"(https?)://([^/?#]*)(/.*)?", re.ASCII | re.IGNORECASE | re.DOTALL)


class _Authority(NamedTuple):
    """A host, lower case and without brackets or a trailing dot, and its port."""

    host: str
    port: int | None


class RequestLimit:
    """Limit the requests in progress, open event streams included: 503 for all users, 429 for one.

    Args:
        app: the next ASGI app.
        limit: maximum number of concurrent requests.
        per_user: maximum number of those of one user.
        user: the user of a request; requests without one share only ``limit``.
    """

    def __init__(
        self,
        app: ASGIApp,
        limit: int = MAX_REQUESTS,
        *,
        per_user: int = MAX_USER_REQUESTS,
        user: Callable[[Scope], str] = lambda _: "",
    ) -> None:
        self._app = app
        self._limit = limit
        self._per_user = per_user
        self._user = user
        self._running: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward or reject a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        user = self._user(scope)
        wait = {"Retry-After": "2"}
        if self._running.total() >= self._limit:
            response = problem(503, f"{self._limit} requests are in progress; try again", headers=wait)
        elif user and self._running[user] >= self._per_user:
            response = problem(429, f"{self._per_user} requests of this user are in progress", headers=wait)
        else:
            self._running[user] += 1
            try:
                await self._app(scope, receive, send)
            finally:
                self._running[user] -= 1
                if not self._running[user]:
                    del self._running[user]
            return
        await response(scope, receive, send)


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
