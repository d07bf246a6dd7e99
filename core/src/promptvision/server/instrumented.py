"""ASGI middleware that makes an activity of each HTTP request."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from promptvision.instruments import Activity, Instruments

__all__ = ["RequestActivity", "RequestInstruments"]


@dataclass(eq=False)
class RequestActivity(Activity):
    """One HTTP request, until its response has been sent.

    Args:
        method: such as ``POST``.
        headers: of the request; they contain keys, so do not export them unfiltered.
        route: the template of its path, such as ``/images/{image_id}``; set at the end if a route matched.
        status: of the response; set once it has begun.
    """

    method: str
    headers: Headers
    route: str | None = None
    status: int | None = None


class RequestInstruments:
    """Enters the instruments around each HTTP request.

    Args:
        app: the next ASGI app.
        instruments: the instruments to enter.
    """

    def __init__(self, app: ASGIApp, instruments: Instruments) -> None:
        self._app = app
        self._instruments = instruments

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app inside the instruments."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with self._instruments.around(RequestActivity, scope["method"], Headers(scope=scope)) as activity:

            async def watched_send(message: Message) -> None:
                if activity is not None and message["type"] == "http.response.start":
                    activity.status = message["status"]
                await send(message)

            try:
                await self._app(scope, receive, watched_send)
            finally:
                if activity is not None:
                    activity.route = _route(scope)


def _route(scope: Scope) -> str | None:
    """The path template of the route that Starlette has selected."""
    endpoint = scope.get("endpoint")
    routes = getattr(scope.get("app"), "routes", ()) if endpoint is not None else ()
    return next((route.path for route in routes if getattr(route, "endpoint", None) is endpoint), None)
