"""What stands before every request: a limit on bodies, and a check of Host and Origin."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from promptvision.server.problems import problem

__all__ = ["BODY_LIMIT", "BodyLimit", "HostGuard"]

BODY_LIMIT = 25 * 2**20
"""Bytes of a request body, file parts included."""


class BodyLimit:
    """Refuses bodies over a limit with 413, declared or streamed.

    Args:
        app: the app behind.
        limit: in bytes.
    """

    def __init__(self, app: ASGIApp, limit: int = BODY_LIMIT) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdigit() and int(declared) > self._limit:
            await self._refuse(scope, receive, send)
            return
        seen, is_over, has_started = 0, False, False

        async def limited_receive() -> Message:
            nonlocal seen, is_over
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._limit:
                is_over = True
                return {"type": "http.disconnect"}
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


class HostGuard:
    """Answers only to known Host headers, and to pages of the same host: a page elsewhere must not drive
    a server on the reader's own machine, not even after its name was made to point here.

    Args:
        app: the app behind.
        hosts: names, without ports, that are known; empty: no check.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str] = ()) -> None:
        self._app = app
        self._hosts = {host.lower() for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host = _name(headers.get("host", ""))
        origin = headers.get("origin")
        if self._hosts and host not in self._hosts:
            await problem(421, f"this server does not answer to the host name {host[:100]!r}")(
                scope, receive, send
            )
        elif origin is not None and scope["method"] not in ("GET", "HEAD") and _name(_netloc(origin)) != host:
            await problem(403, "requests from pages of other hosts are refused")(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _name(netloc: str) -> str:
    """A host without its port, lower case, IPv6 brackets kept off."""
    if netloc.startswith("["):
        return netloc[1:].partition("]")[0].lower()
    return netloc.partition(":")[0].lower()
