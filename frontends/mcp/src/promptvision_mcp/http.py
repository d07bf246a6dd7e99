"""Streamable HTTP at ``/mcp`` of the server, behind its API keys."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.routing import Route, Router
from starlette.types import Message, Receive, Scope, Send

from promptvision.plugin import user_of

__all__ = ["make_router"]

MAX_BODY = 25 * 2**20
"""Maximum size of a request in bytes; too small for an image of 20 MB as a data URI, which needs a URL."""
MAX_SESSIONS = 1000


def make_router() -> Router:
    """The route, with a lifespan that runs the session manager."""
    return Router([Route("/mcp", _Endpoint(), methods=["GET", "POST", "DELETE"])], lifespan=_lifespan)


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

    from promptvision_mcp.server import make_server

    # The server's own middleware checks Host and Origin, for all routes alike.
    manager = StreamableHTTPSessionManager(
        make_server(app.state.agent), max_request_body_size=MAX_BODY, max_sessions=MAX_SESSIONS
    )
    async with manager.run():
        app.state.mcp = manager
        try:
            yield
        finally:
            app.state.mcp = None


class _Endpoint:
    """An ASGI app that checks the API key and passes the request to the session manager."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
        from mcp.server.auth.provider import AccessToken

        app: Any = scope["app"]
        user = user_of(Request(scope), app.state.agent.settings)
        manager = getattr(app.state, "mcp", None)
        if manager is None:
            raise HTTPException(503, "the lifespan of the app does not run; enter it in that of the host app")
        body = bytearray()  # a list of small chunks would leave gaps in the heap that are not returned
        try:
            async for chunk in Request(scope, receive).stream():
                body += chunk
        except ClientDisconnect:  # the session manager would log a traceback
            return
        # The session manager binds a session to the user who has opened it.
        owner = AuthenticatedUser(AccessToken(token="", client_id=user, scopes=[]))
        await manager.handle_request({**scope, "user": owner}, _replay(bytes(body), receive), send)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Give a body that has been read once more, and then what the server sends."""
    parts = iter([body])

    async def replay() -> Message:
        part = next(parts, None)
        if part is None:
            return await receive()
        return {"type": "http.request", "body": part, "more_body": False}

    return replay
