"""Deadlines and limits of client connections: a uvicorn protocol that resists slow clients.

uvicorn has a keep-alive timeout and a limit on the number of connections, but waits for a request head or
body without a deadline, so half-open connections can exhaust the server. This protocol sets a deadline for
each phase of a connection, and closes the oldest connection that waits for its client when there are too
many.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, ClassVar

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from promptvision.server.problems import problem

__all__ = ["ConnectionLimits", "ConnectionTable", "LimitedProtocol", "limited_protocol"]


def _response(status: int, detail: str, **headers: str) -> bytes:
    """A whole response with a problem document, for connections that never reach the app."""
    response = problem(status, detail, headers={**headers, "Connection": "close"})
    lines = [b"HTTP/1.1 %d %s" % (status, HTTPStatus(status).phrase.encode())]
    lines += [b"%s: %s" % header for header in response.raw_headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + bytes(response.body)


_REFUSAL = _response(503, "too many connections are open; try again", **{"Retry-After": "2"})
_TIMEOUT = _response(408, "the request head took too long")
_INVALID = _response(400, "this is not a valid HTTP/1.1 request, or its head is over 64 KiB")


@dataclass(frozen=True, kw_only=True)
class ConnectionLimits:
    """Time limits and maximum numbers of client connections.

    Args:
        head_s: seconds for the whole request head, from the connection or the end of the previous response.
        body_s: seconds for a request body, in addition to its size divided by ``body_rate``.
        body_rate: minimum transfer rate of a body in bytes per second.
        write_s: seconds for which a client may leave a full send buffer unread.
        per_peer: maximum concurrent connections of one address.
        total: maximum concurrent connections.
        trusted: addresses of proxies, exempt from ``per_peer``.
    """

    head_s: float = 10.0
    body_s: float = 10.0
    body_rate: float = 2000.0
    write_s: float = 60.0
    per_peer: int = 256
    total: int = 1024
    trusted: Collection[str] = field(default_factory=frozenset)


class ConnectionTable:
    """The open connections of one server, by the address of their peer.

    Args:
        limits: ``per_peer`` and ``total`` are enforced here.
    """

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self._open: Counter[str] = Counter()
        self._waiting: dict[str, dict[LimitedProtocol, None]] = {}

    def __len__(self) -> int:
        return self._open.total()

    def admit(self, connection: LimitedProtocol) -> bool:
        """Register a new connection.

        If there are too many, the oldest waiting connection of the peer, or of the peer with the most
        connections, is closed.

        Returns:
            False if all of those have a request in progress.
        """
        peer = connection.peer
        if peer not in self.limits.trusted and self._open[peer] >= self.limits.per_peer:
            if not self._evict(peer):
                return False
        elif len(self) >= self.limits.total and not any(self._evict(p) for p, _ in self._open.most_common()):
            return False
        self._open[peer] += 1
        return True

    def wait(self, connection: LimitedProtocol) -> None:
        """Mark a connection as waiting for its client."""
        waiting = self._waiting.setdefault(connection.peer, {})
        waiting.pop(connection, None)
        waiting[connection] = None

    def work(self, connection: LimitedProtocol) -> None:
        """Mark a connection as having a request in progress."""
        waiting = self._waiting.get(connection.peer)
        if waiting is not None:
            waiting.pop(connection, None)
            if not waiting:
                del self._waiting[connection.peer]

    def remove(self, connection: LimitedProtocol) -> None:
        """Remove an admitted connection."""
        self.work(connection)
        self._open[connection.peer] -= 1
        if self._open[connection.peer] <= 0:
            del self._open[connection.peer]

    def _evict(self, peer: str) -> bool:
        oldest = next(iter(self._waiting.get(peer, ())), None)
        if oldest is None:
            return False
        oldest.abort()
        return True


class LimitedProtocol(H11Protocol):
    """HTTP/1.1 with a deadline for each phase of a connection. Create it with :func:`limited_protocol`."""

    table: ClassVar[ConnectionTable]

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.conn = _PieceLimit(h11.SERVER, self.conn._max_incomplete_event_size)  # noqa: SLF001  # has no getter
        self._limits = self.table.limits
        self._phase: object = None
        self._deadline: asyncio.TimerHandle | None = None
        self._write_deadline: asyncio.TimerHandle | None = None
        self._body_bytes = 0
        self._body_from = 0.0
        self._is_admitted = False

    @property
    def peer(self) -> str:
        """The client's address; empty on a Unix socket."""
        return self.client[0] if self.client else ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Admit or reject a connection."""
        super().connection_made(transport)
        self._is_admitted = self.table.admit(self)
        if self._is_admitted:
            self._watch()
        else:
            transport.write(_REFUSAL)
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Remove the connection."""
        self._cancel()
        if self._write_deadline is not None:
            self._write_deadline.cancel()
        if self._is_admitted:
            self._is_admitted = False
            self.table.remove(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse the received data."""
        if not self._is_admitted:
            return
        self._body_bytes += len(data)
        super().data_received(data)
        self._watch()

    def send_400_response(self, msg: str) -> None:
        """Answer a request that cannot be parsed, unless a response has begun, and close the connection."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.write(_INVALID)
        self.transport.close()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        self._watch()

    def pause_writing(self) -> None:
        """Set a deadline for a client that does not read."""
        super().pause_writing()
        self._write_deadline = self.loop.call_later(self._limits.write_s, self.abort)

    def resume_writing(self) -> None:
        """Clear the deadline."""
        super().resume_writing()
        if self._write_deadline is not None:
            self._write_deadline.cancel()
            self._write_deadline = None

    def abort(self) -> None:
        """Close the connection at once."""
        self._cancel()
        if not self.transport.is_closing():
            self.table.work(self)  # count it once only
            self.transport.abort()

    def _watch(self) -> None:
        """Set the deadline of the current phase, unless it is set."""
        phase = self.conn.their_state
        if phase is self._phase and self._deadline is not None:
            return
        self._cancel()
        self._phase = phase
        if self.transport.is_closing():
            return
        if phase is h11.IDLE:
            self.table.wait(self)
            self._deadline = self.loop.call_later(self._limits.head_s, self._head_is_late)
        elif phase is h11.SEND_BODY:
            self.table.wait(self)
            self._body_bytes, self._body_from = 0, self.loop.time()
            self._deadline = self.loop.call_later(self._limits.body_s, self._check_body)
        else:
            self.table.work(self)

    def _cancel(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _head_is_late(self) -> None:
        if not self.transport.is_closing():
            if self.conn.trailing_data[0]:
                self.transport.write(_TIMEOUT)
            self.transport.close()

    def _check_body(self) -> None:
        """Close the connection if its body is slower than ``body_rate`` while we read it."""
        if self.flow.read_paused:
            self._body_bytes, self._body_from = 0, self.loop.time()
        allowed_s = self._limits.body_s + self._body_bytes / self._limits.body_rate
        left_s = self._body_from + allowed_s - self.loop.time()
        if left_s <= 0:
            self.abort()
        else:
            self._deadline = self.loop.call_later(max(left_s, 0.05), self._check_body)


class _PieceLimit(h11.Connection):
    """A parser that rejects a body in very many small chunks, whose overhead exceeds their size."""

    _FREE_CHUNKS = 5000
    _MEAN_BYTES = 64

    def __init__(self, our_role: type[h11.SERVER], max_incomplete_event_size: int) -> None:
        super().__init__(our_role, max_incomplete_event_size)
        self._chunks = 0
        self._chunk_bytes = 0

    def next_event(self) -> Any:
        """The next event, as in h11."""
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._chunks = self._chunk_bytes = 0
        elif isinstance(event, h11.Data):
            self._chunks += 1
            self._chunk_bytes += len(event.data)
            if self._chunks > self._FREE_CHUNKS + self._chunk_bytes // self._MEAN_BYTES:
                raise h11.RemoteProtocolError("the body comes in too many small chunks")
        return event


def limited_protocol(limits: ConnectionLimits) -> type[LimitedProtocol]:
    """A protocol class with its own connection table, for ``uvicorn.Config(http=...)``."""
    return type("_Protocol", (LimitedProtocol,), {"table": ConnectionTable(limits)})
