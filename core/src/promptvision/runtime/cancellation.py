"""Asking running work to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from promptvision.errors import Cancelled

__all__ = ["CancelToken"]


class CancelToken:
    """A flag that one side sets and the working side polls. Safe across threads."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._reason = "cancelled"
        self._wakers: list[Callable[[], object]] = []

    def cancel(self, reason: str = "cancelled") -> None:
        """Ask the work to stop at its next check point."""
        self._reason = reason
        self._event.set()
        for wake in tuple(self._wakers):
            wake()

    @contextmanager
    def waking(self, wake: Callable[[], object]) -> Iterator[None]:
        """Meanwhile, call ``wake`` when somebody asks to stop: for work that waits and cannot poll.

        Args:
            wake: called from the thread that asks; at once if somebody has asked already.
        """
        self._wakers.append(wake)
        try:
            if self._event.is_set():
                wake()
            yield
        finally:
            self._wakers.remove(wake)

    @property
    def is_cancelled(self) -> bool:
        """Whether somebody asked to stop."""
        return self._event.is_set()

    def check(self) -> None:
        """Raise :class:`Cancelled` if somebody asked to stop."""
        if self._event.is_set():
            raise Cancelled(self._reason)
