"""The Starlette app; mount it in any other, or serve it by itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from promptvision.agent.agent import Agent
from promptvision.errors import StoreError
from promptvision.server import chat, conversations, health, images, metrics, openapi, stream, tools
from promptvision.server.guards import BodyLimit, HostGuard
from promptvision.server.problems import HANDLERS
from promptvision.settings import Settings

__all__ = ["create_app"]

log = logging.getLogger(__name__)

DRAIN_S = 20.0
"""How long running turns may take to end when the server stops."""

LOOPBACK = ("localhost", "127.0.0.1", "::1")

ROUTES = [
    Route("/chat", chat.post_chat, methods=["POST"]),
    Route("/turns/{turn_id}/events", stream.get_events, methods=["GET"]),
    Route("/turns/{turn_id}/cancel", chat.cancel_turn, methods=["POST"]),
    Route("/images", images.post_image, methods=["POST"]),
    Route("/images/{image_id}", images.get_image, methods=["GET"], name="image"),
    Route("/tools", tools.list_tools, methods=["GET"]),
    Route("/tools/{operation}", tools.run_tool, methods=["POST"]),
    Route("/conversations", conversations.list_conversations, methods=["GET"]),
    Route(
        "/conversations/{conversation_id}",
        conversations.one_conversation,
        methods=["GET", "PATCH", "DELETE"],
    ),
    Route("/health", health.get_health, methods=["GET"]),
    Route("/ready", health.get_ready, methods=["GET"]),
    Route("/metrics", metrics.get_metrics, methods=["GET"]),
    Route("/openapi.json", openapi.get_openapi, methods=["GET"]),
]


def create_app(settings: Settings | None = None, *, agent: Agent | None = None) -> Starlette:
    """Make the app.

    Mounted in another app it needs nothing from it; Starlette does not run the lifespan of mounted apps,
    so the host may await ``app.state.agent.close()`` when it stops.

    Args:
        settings: default: read from the environment.
        agent: default: made of the settings.

    Raises:
        SetupError: a store or a planner cannot be made of the settings.
    """
    agent = agent or Agent(settings)
    hosts = () if agent.settings.api_keys else (*LOOPBACK, *agent.settings.server_hosts)
    app = Starlette(
        routes=ROUTES,
        middleware=[Middleware(HostGuard, hosts=hosts), Middleware(BodyLimit)],
        exception_handlers=HANDLERS,
        lifespan=_lifespan,
    )
    app.state.agent = agent
    app.state.metrics = metrics.Metrics(agent)
    return app


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    agent: Agent = app.state.agent
    sweeper = asyncio.create_task(_sweep(agent))
    try:
        yield
    finally:
        sweeper.cancel()
        with suppress(asyncio.CancelledError):
            await sweeper
        await agent.drain(DRAIN_S)
        await agent.close()


async def _sweep(agent: Agent) -> None:
    """Close turns of dead processes, at the start and then once per lease."""
    while True:
        try:
            if closed := await agent.close_stale():
                log.warning("turns that a dead process left open: %d; none is run again by itself", closed)
        except StoreError as exc:
            log.warning("interrupted turns could not be closed: %s", exc)
        await asyncio.sleep(agent.settings.lease_s)
