"""The time limit of a planner's replies."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self

__all__ = ["PlannerLimit"]


class PlannerLimit:
    """Ends the wait for a planner when its time is up or the turn is cancelled.

    A context manager for one turn. One timer serves all replies of the turn, since most of them arrive long
    before it is due: if it is due while a later reply has more time, it is set again.
    """

    def __init__(self) -> None:
        self._timeout = asyncio.Timeout(None)
        self._ends_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def within(self, seconds: float) -> asyncio.Timeout:
        """The limit of the next reply, to be entered at once; it raises TimeoutError when it ends the wait.

        Args:
            seconds: how long the reply may take; it may not end before an earlier limit would have.
        """
        loop = asyncio.get_running_loop()
        self._timeout = asyncio.Timeout(None)
        self._ends_at = loop.time() + seconds
        if self._timer is None:
            self._timer = loop.call_at(self._ends_at, self._on_timer)
        return self._timeout

    def stop(self) -> None:
        """End the wait for the reply that is awaited, if there is one. Only on the event loop."""
        with suppress(RuntimeError):  # no reply is awaited
            self._timeout.reschedule(0)

    def _on_timer(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        if loop.time() < self._ends_at:
            self._timer = loop.call_at(self._ends_at, self._on_timer)
        else:
            self.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
