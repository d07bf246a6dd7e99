"""The app as a process of its own: uvicorn, telling when it is ready, and draining when it is stopped."""

from __future__ import annotations

import asyncio
import copy
import logging
import socket
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.config import LOGGING_CONFIG

from promptvision.agent.agent import Agent
from promptvision.server.app import DRAIN_S, create_app
from promptvision.settings import Settings

__all__ = ["run_server"]

MAX_CONNECTIONS = 512
"""Requests and open streams at once; the next is told to come back later."""
GRACE_S = 2
"""How long connections may stay after the turns they wait for have ended."""


def run_server(settings: Settings, host: str, port: int, tell: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM. Logs go to stderr.

    Args:
        settings: the settings in force.
        host: address to bind.
        port: 0 picks a free one.
        tell: gets the URL once requests are answered.

    Raises:
        SetupError: a store or a planner cannot be made of the settings.
    """
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=_logging(),
        limit_concurrency=MAX_CONNECTIONS,
        timeout_graceful_shutdown=int(DRAIN_S) + GRACE_S,
        server_header=False,
    )
    _Server(config, app.state.agent, tell).run()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, agent: Agent, tell: Callable[[str], None]) -> None:
        super().__init__(config)
        self._agent = agent
        self._tell = tell

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            self._tell(f"http://{f'[{host}]' if ':' in host else host}:{port}")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain while uvicorn waits for connections: turns that are left after ``DRAIN_S`` are stopped and
        marked interrupted, which ends the responses that wait for them."""
        draining = asyncio.create_task(self._agent.drain(DRAIN_S))
        await super().shutdown(sockets)
        await draining


def _logging() -> dict[str, Any]:
    """uvicorn's own logging with all of it on stderr, and that of promptvision beside it."""
    config: dict[str, Any] = copy.deepcopy(LOGGING_CONFIG)
    config["handlers"]["access"]["stream"] = "ext://sys.stderr"
    config["loggers"]["promptvision"] = {
        "handlers": ["default"],
        "level": min(logging.INFO, logging.getLogger("promptvision").getEffectiveLevel()),
        "propagate": False,
    }
    return config
