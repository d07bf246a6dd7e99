"""Fair admission of turns: per-user limits for running and queued turns, and a limit for all users."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from promptvision.errors import Busy

__all__ = ["Admission"]

RUNNING_PER_USER = 4
WAITING_PER_USER = 16
MAX_ADMITTED = 512
"""Turns of all users that run or wait in one process."""


class Admission:
    """Decides which turns may start.

    On one event loop, at most ``running`` turns of a user run at a time, so that no user delays the turns of
    another; the rest wait in order of arrival, and turns that exceed the queue limit are refused.

    Args:
        running: turns of one user at once.
        waiting: turns of one user that may wait.
        total: turns of all users, running or waiting.
    """

    def __init__(
        self, running: int = RUNNING_PER_USER, waiting: int = WAITING_PER_USER, total: int = MAX_ADMITTED
    ) -> None:
        self._limit = running
        self._per_user = running + waiting
        self._total = total
        self._admitted: Counter[str] = Counter()
        self._slots: dict[tuple[asyncio.AbstractEventLoop, str], _Slots] = {}
        self.refused = 0
        """Turns refused so far."""

    @property
    def running(self) -> int:
        """Turns that run now, of all users."""
        return sum(slots.taken for slots in list(self._slots.values()))

    @property
    def waiting(self) -> int:
        """Turns that wait now, of all users."""
        return self._admitted.total() - self.running

    def admit(self, user_id: str) -> None:
        """Register a turn; call :meth:`leave` when it has ended.

        Raises:
            Busy: too many turns of the user, or of all users, run or wait.
        """
        if self._admitted.get(user_id, 0) >= self._per_user:
            self.refused += 1
            raise Busy(f"{self._per_user} requests of this user are running or waiting", retry_after_s=5)
        if self._admitted.total() >= self._total:
            self.refused += 1
            raise Busy(f"{self._total} requests are running or waiting", retry_after_s=5)
        self._admitted[user_id] += 1

    def leave(self, user_id: str) -> None:
        """Remove a turn that has ended."""
        self._admitted[user_id] -= 1
        if self._admitted[user_id] <= 0:
            del self._admitted[user_id]
            for key in [key for key in self._slots if key[1] == user_id]:
                del self._slots[key]

    @asynccontextmanager
    async def admitted(self, user_id: str) -> AsyncIterator[None]:
        """Admit work of a user, wait until it may run, and remove it when it has ended.

        Raises:
            Busy: too much work of the user, or of all users, runs or waits.
        """
        self.admit(user_id)
        try:
            async with self.slot(user_id):
                yield
        finally:
            self.leave(user_id)

    def slot(self, user_id: str) -> AbstractAsyncContextManager[None]:
        """Enter it to wait until an admitted turn of the user may run on this event loop."""
        key = (asyncio.get_running_loop(), user_id)
        slots = self._slots.get(key)
        if slots is None:
            slots = self._slots[key] = _Slots(self._limit)
        return slots


class _Slots(asyncio.Semaphore):
    """A semaphore that counts how often it is held."""

    taken = 0

    async def __aenter__(self) -> None:
        await self.acquire()
        self.taken += 1

    async def __aexit__(self, *_: object) -> None:
        self.taken -= 1
        self.release()
