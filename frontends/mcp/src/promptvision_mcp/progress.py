"""Progress of a turn, step by step, and its cancellation by the client."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import anyio

from promptvision.plugin import Event, EventKind

if TYPE_CHECKING:
    from promptvision import Reply

__all__ = ["Report", "follow_turn"]

Report = Callable[[float, float | None, str | None], Awaitable[None]]
"""Sends progress, total and message to the client."""

_PAUSE_S = 0.1
_MAX_WAITING = 64


async def follow_turn(running: Any, report: Report) -> Reply:
    """Await the reply of a running turn and report its steps; stop it when the caller is cancelled.

    Progress counts steps: 1.5 is half of the second one. It never decreases, even if steps run in parallel.

    Args:
        running: the handle of the turn.
        report: sends progress.
    """
    steps = _Steps()
    running.listeners.append(steps.on_event)
    running.progress_listeners.append(steps.on_progress)
    sending = asyncio.create_task(_send(steps, report))
    try:
        reply: Reply = await running.reply()
        steps.updates.put_nowait(None)
        await sending
        return reply
    except asyncio.CancelledError:
        running.cancel.cancel("cancelled by the client")
        raise
    finally:
        sending.cancel()


class _Steps:
    """Converts events to monotonic progress."""

    def __init__(self) -> None:
        self.updates: asyncio.Queue[tuple[float, str] | None] = asyncio.Queue()
        self._last = -1.0
        self._names: dict[int, str] = {}
        self._reported_at = 0.0

    def on_event(self, event: Event) -> None:
        if event.kind is EventKind.STEP_STARTED:
            number, name = int(event.data["step"]), str(event.data["operation"])
            self._names[number] = name
            self._put(number - 1, f"step {number}: {name}")
        elif event.kind is EventKind.STEP_FINISHED:
            number = int(event.data["step"])
            self._put(number, f"step {number}: {event.data['operation']} {event.data['status']}")

    def on_progress(self, step: int, done: float, total: float, message: str) -> None:
        now = time.monotonic()
        if total <= 0 or now - self._reported_at < _PAUSE_S or self.updates.qsize() > _MAX_WAITING:
            return
        self._reported_at = now
        part = min(max(done / total, 0.0), 1.0)
        self._put(step - 1 + 0.98 * part, message or f"step {step}: {self._names.get(step, '')}")

    def _put(self, progress: float, message: str) -> None:
        self._last = max(progress, self._last + 0.001)
        self.updates.put_nowait((self._last, message[:500]))


async def _send(steps: _Steps, report: Report) -> None:
    with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):  # the client has left
        while (update := await steps.updates.get()) is not None:
            await report(round(update[0], 3), None, update[1])
