"""Turns as streams of server-sent events.

Source: the WHATWG HTML standard, section "Server-sent events", for the wire format and ``Last-Event-ID``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from promptvision.agent.agent import Agent
from promptvision.agent.events.follow import Cursor, StreamEvent
from promptvision.errors import InputError, PromptvisionError
from promptvision.server.bodies import id_in_path
from promptvision.server.identity import user_of
from promptvision.server.images import image_urls

__all__ = ["get_events", "stream_turn", "wants_stream"]

HEARTBEAT_S = 15.0
_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no", "X-Content-Type-Options": "nosniff"}


def wants_stream(request: Request) -> bool:
    """Whether the client accepts an event stream."""
    accepted = request.headers.get("accept", "").lower().split(",")
    return any(part.partition(";")[0].strip() == "text/event-stream" for part in accepted)


async def get_events(request: Request) -> Response:
    """Stream the events of a turn from ``Last-Event-ID`` to its end; any number of clients may follow it."""
    agent: Agent = request.app.state.agent
    user = user_of(request, agent.settings)
    turn_id = id_in_path(request, "turn_id")
    return await stream_turn(request, user, turn_id, _after(request, turn_id))


async def stream_turn(request: Request, user: str, turn_id: str, after: Cursor | None = None) -> Response:
    """Stream the events of a turn. Errors before the first event are ordinary responses.

    Raises:
        NotFound: the user has no such turn.
    """
    agent: Agent = request.app.state.agent
    events = agent.follow(user, turn_id, image_urls(request), after=after)
    first = await anext(events, None)
    return StreamingResponse(_lines(turn_id, first, events), media_type="text/event-stream", headers=_HEADERS)


def _after(request: Request, turn_id: str) -> Cursor | None:
    last = request.headers.get("last-event-id", "") or request.query_params.get("last_event_id", "")
    if not last:
        return None
    name, _, cursor = last.rpartition(":")
    try:
        if name == turn_id:
            return Cursor.parse(cursor)
    except ValueError:
        pass
    raise InputError(
        "Last-Event-ID: not an event of this turn", hint="leave it out to start from the beginning"
    )


async def _lines(
    turn_id: str, first: StreamEvent | None, events: AsyncGenerator[StreamEvent, None]
) -> AsyncIterator[str]:
    """Encode events, with comments as heartbeat so that proxies do not close an idle connection."""
    if first is not None:
        yield _line(turn_id, first)
    async with aclosing(events):
        pending: asyncio.Future[StreamEvent | None] | None = None
        try:
            while True:
                pending = pending or asyncio.ensure_future(_next(events))
                done, _ = await asyncio.wait({pending}, timeout=HEARTBEAT_S)
                if not done:
                    yield ": heartbeat\n\n"
                    continue
                event, pending = pending.result(), None
                if event is None:
                    return
                yield _line(turn_id, event)
        except PromptvisionError as exc:
            yield _line(
                turn_id, StreamEvent({"type": "RUN_ERROR", "message": str(exc), "code": "store"}, None)
            )
        finally:
            if pending is not None:
                pending.cancel()
                await asyncio.gather(pending, return_exceptions=True)


async def _next(events: AsyncGenerator[StreamEvent, None]) -> StreamEvent | None:
    return await anext(events, None)


def _line(turn_id: str, event: StreamEvent) -> str:
    event_id = "" if event.cursor is None else f"id: {turn_id}:{event.cursor}\n"
    return f"{event_id}data: {json.dumps(event.event, separators=(',', ':'))}\n\n"
