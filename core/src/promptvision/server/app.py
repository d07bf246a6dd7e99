"""The Starlette app, served standalone or mounted in another app."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import BaseRoute, Route, Router
from starlette.types import Scope

from promptvision.agent.agent import Agent
from promptvision.batches.service import BatchService
from promptvision.errors import StoreError
from promptvision.images.isolated import shared_decoders
from promptvision.instruments import Instruments
from promptvision.server import (
    approvals,
    batches,
    chat,
    conversations,
    health,
    images,
    metrics,
    openapi,
    stream,
    tools,
)
from promptvision.server.body_limit import BodyLimit, BodyRoom
from promptvision.server.guards import LOOPBACK, HostGuard, RequestLimit
from promptvision.server.identity import key_owner
from promptvision.server.instrumented import RequestInstruments
from promptvision.server.problems import HANDLERS
from promptvision.server.response_limit import ResponseLimit
from promptvision.server.variants import Variants
from promptvision.settings import Settings

__all__ = ["create_app"]

log = logging.getLogger(__name__)

DRAIN_S = 20.0
"""How long running turns may take to end when the server stops."""

ROUTES = [
    Route("/chat", chat.post_chat, methods=["POST"]),
    Route("/turns/{turn_id}/events", stream.get_events, methods=["GET"]),
    Route("/turns/{turn_id}/cancel", chat.cancel_turn, methods=["POST"]),
    Route("/turns/{turn_id}/approvals", approvals.get_approvals, methods=["GET"]),
    Route("/turns/{turn_id}/approvals/{approval_id}", approvals.post_answer, methods=["POST"]),
    Route("/batches", batches.post_batch, methods=["POST"]),
    Route("/batches/{batch_id}", batches.get_batch, methods=["GET"]),
    Route("/batches/{batch_id}/cancel", batches.cancel_batch, methods=["POST"]),
    Route("/batches/{batch_id}/results", batches.get_results, methods=["GET"]),
    Route("/images", images.post_image, methods=["POST"]),
    Route("/images/{image_id}", images.get_image, methods=["GET"], name="image"),
    Route("/tools", tools.list_tools, methods=["GET"]),
    Route("/tools/{operation}", tools.run_tool, methods=["POST"]),
    Route("/conversations", conversations.list_conversations, methods=["GET"]),
    Route(
        "/conversations/{conversation_id:path}",
        conversations.one_conversation,
        methods=["GET", "PATCH", "DELETE"],
    ),
    Route("/health", health.get_health, methods=["GET"]),
    Route("/ready", health.get_ready, methods=["GET"]),
    Route("/metrics", metrics.get_metrics, methods=["GET"]),
    Route("/openapi.json", openapi.get_openapi, methods=["GET"]),
]


def create_app(settings: Settings | None = None, *, agent: Agent | None = None) -> Starlette:
    """Create the app.

    Starlette does not run the lifespan of a mounted app: the host enters ``app.router.lifespan_context(app)``
    in its own, or awaits ``app.state.agent.close()`` when it stops. Routes of plugins may need the former.

    Args:
        settings: default: read from the environment.
        agent: default: created from the settings.

    Raises:
        SetupError: a store or a planner cannot be created from the settings.
    """
    agent = agent or Agent(settings)
    offered = agent.registry.routes()
    app = Starlette(
        routes=[*ROUTES, *_flatten(offered)],
        middleware=_middleware(agent.settings, agent.services.instruments),
        exception_handlers=HANDLERS,
        lifespan=_lifespan,
    )
    app.state.agent = agent
    app.state.routers = [router for router in offered if isinstance(router, Router)]
    app.state.variants = Variants(agent)
    app.state.batches = BatchService(agent)
    app.state.archives = BodyRoom()
    app.state.metrics = metrics.Metrics(agent)
    return app


def _flatten(offered: Iterable[BaseRoute | Router]) -> Iterator[BaseRoute]:
    for item in offered:
        if isinstance(item, Router):
            yield from item.routes
        else:
            yield item


def _middleware(settings: Settings, instruments: Instruments) -> list[Middleware]:
    """The middleware, outermost first. Without API keys only loopback and configured hosts are allowed."""
    hosts = settings.server_hosts if settings.api_keys else (*LOOPBACK, *settings.server_hosts)

    def user(scope: Scope) -> str:
        return key_owner(scope, settings) or ""

    stack = [
        Middleware(RequestLimit, user=user),
        Middleware(HostGuard, hosts=hosts, origins=settings.cors_origins),
        Middleware(BodyLimit, user=user),
        Middleware(ResponseLimit, user=user),
    ]
    if settings.cors_origins:
        cors = Middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=("GET", "POST", "PATCH", "DELETE"),
            allow_headers=("Authorization", "Content-Type", "Last-Event-ID"),
            expose_headers=("Location", "Retry-After"),
            max_age=600,
        )
        stack.insert(0, cors)
    if instruments:
        stack.insert(0, Middleware(RequestInstruments, instruments))
    return stack


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    agent: Agent = app.state.agent
    await agent.registry.availability.refresh()
    sweeper = asyncio.create_task(_sweep(agent))
    if agent.settings.image_decoding != "inline":
        shared_decoders().warm_up()
    try:
        async with AsyncExitStack() as stack:
            await _enter_lifespans(stack, app)
            yield
    finally:
        sweeper.cancel()
        with suppress(asyncio.CancelledError):
            await sweeper
        await app.state.batches.close()
        await agent.drain(DRAIN_S)
        await agent.close()


async def _enter_lifespans(stack: AsyncExitStack, app: Starlette) -> None:
    """Enter the lifespans of the routers of plugins."""
    for router in app.state.routers:
        try:
            await stack.enter_async_context(router.lifespan_context(app))
        except Exception:  # isolation: the server starts without the failed plugin
            paths = ", ".join(getattr(route, "path", "?") for route in router.routes)
            log.exception("routes %s: their lifespan failed to start", paths)


async def _sweep(agent: Agent) -> None:
    """Close the turns of dead processes at startup and then once per lease."""
    while True:
        try:
            if closed := await agent.close_stale():
                log.warning("closed %d turns that dead processes left open; they are not restarted", closed)
        except StoreError as exc:
            log.warning("interrupted turns could not be closed: %s", exc)
        await asyncio.sleep(agent.settings.lease_s)
