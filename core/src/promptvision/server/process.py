"""The standalone server: uvicorn with limits on connections and a graceful shutdown."""

from __future__ import annotations

import asyncio
import copy
import ipaddress
import logging
import socket
from collections.abc import Callable
from contextlib import closing
from typing import Any

import uvicorn
from uvicorn.config import LOGGING_CONFIG

from promptvision.agent.agent import Agent
from promptvision.errors import SetupError
from promptvision.images.memory import return_freed_blocks
from promptvision.logs import JsonFormatter
from promptvision.server.app import DRAIN_S, create_app
from promptvision.server.connections import ConnectionLimits, limited_protocol
from promptvision.server.long_lived import LongLived
from promptvision.settings import Settings

__all__ = ["run_server"]

GRACE_S = 2
"""How long connections may stay open after their turns have ended."""
KEEP_ALIVE_S = 15
"""How long an idle connection is kept."""
BACKLOG = 512
SPARE_FILES = 128
"""File descriptors reserved for the database, images and models."""


def run_server(settings: Settings, host: str, port: int, announce: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM. Logs go to stderr.

    Args:
        settings: the active settings.
        host: address to bind.
        port: 0 picks a free one.
        announce: called with the URL once the server accepts requests.

    Raises:
        SetupError: other machines could connect and no API key is set, the address cannot be bound, or a
            store or a planner cannot be created from the settings.
    """
    _check_bind(host, settings)
    return_freed_blocks()
    with closing(_bind(host, port)) as listener, LongLived() as long_lived:
        app = create_app(settings)
        limits = ConnectionLimits(total=_max_connections(), trusted=frozenset(settings.trusted_proxies))
        config = uvicorn.Config(
            app,
            http=limited_protocol(limits),
            ws="none",
            log_config=_logging(settings),
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=int(DRAIN_S) + GRACE_S,
            server_header=False,
            root_path=settings.root_path,
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=list(settings.trusted_proxies),
        )
        _Server(config, app.state.agent, long_lived, announce).run([listener])


def _check_bind(host: str, settings: Settings) -> None:
    """Refuse to listen on other than loopback addresses without API keys.

    Raises:
        SetupError: ``host`` is not a loopback address and no key is set.
    """
    if not _is_loopback(host) and not settings.api_keys:
        raise SetupError(
            f"serve: {host} accepts connections from other machines, but no API key is set",
            hint="set PROMPTVISION_API_KEYS=alice:key1 or bind 127.0.0.1",
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _bind(host: str, port: int) -> socket.socket:
    """Bind the address before anything is loaded.

    Raises:
        SetupError: it is in use, or is not an address of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
        except OSError:
            listener.close()
            raise
    except OSError as exc:
        hint = "choose another port with --port" if port > 0 else "choose another address with --host"
        raise SetupError(f"serve: cannot listen on {host}:{port}: {exc.strerror}", hint=hint) from exc
    listener.setblocking(False)
    return listener


def _max_connections() -> int:
    """Maximum number of connections: limited by file descriptors, at most 1,024."""
    default = ConnectionLimits().total
    try:
        import resource
    except ImportError:  # Windows
        return default
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return default if soft == resource.RLIM_INFINITY else max(16, min(default, soft - SPARE_FILES))


class _Server(uvicorn.Server):
    def __init__(
        self, config: uvicorn.Config, agent: Agent, long_lived: LongLived, announce: Callable[[str], None]
    ) -> None:
        super().__init__(config)
        self._agent = agent
        self._long_lived = long_lived
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        preparing = asyncio.create_task(self._agent.services.prepare_planner())
        await super().startup(sockets)
        await preparing
        if self.started:
            self._long_lived.freeze()
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            self._announce(f"http://{f'[{host}]' if ':' in host else host}:{port}")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain while uvicorn waits for connections: turns that still run after ``DRAIN_S`` are stopped and
        marked interrupted, which ends the responses that wait for them."""
        draining = asyncio.create_task(self._agent.drain(DRAIN_S))
        await super().shutdown(sockets)
        await draining


class _PathOnly(logging.Filter):
    """Log requests without their query string, which may contain a key."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten the path of an access log record; keep every record."""
        if isinstance(record.args, tuple) and len(record.args) == 5:
            client, method, path, *rest = record.args
            record.args = (client, method, str(path).partition("?")[0], *rest)
        return True


def _logging(settings: Settings) -> dict[str, Any]:
    """Logging configuration for uvicorn and promptvision, all on stderr."""
    config: dict[str, Any] = copy.deepcopy(LOGGING_CONFIG)
    config["filters"] = {"path_only": {"()": _PathOnly}}
    if settings.log_format == "json":
        config["formatters"] = {name: {"()": JsonFormatter} for name in config["formatters"]}
    config["handlers"]["access"] |= {"stream": "ext://sys.stderr", "filters": ["path_only"]}
    config["loggers"]["promptvision"] = {
        "handlers": ["default"],
        "level": min(logging.INFO, logging.getLogger("promptvision").getEffectiveLevel()),
        "propagate": False,
    }
    return config
