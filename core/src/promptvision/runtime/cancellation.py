"""Request the cancellation of running work."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

from promptvision.errors import Cancelled

__all__ = ["CancelToken"]

_Wake = Callable[[], object]


class CancelToken:
    """A cancellation flag that the requester sets and the running work polls. Safe across threads."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self.reason = "cancelled"
        self._wakers: list[_Wake] = []

    def cancel(self, reason: str = "cancelled") -> None:
        """Request that the work stops at its next check point."""
        self.reason = reason
        self._event.set()
        for wake in tuple(self._wakers):
            wake()

    def waking(self, wake: _Wake) -> AbstractContextManager[None]:
        """Call ``wake`` if cancellation is requested inside the block, for work that waits and cannot poll.

        Args:
            wake: called from the requesting thread; at once if cancellation was requested already.
        """
        return _Waking(self._wakers, self._event, wake)

    @property
    def is_cancelled(self) -> bool:
        """Whether cancellation was requested."""
        return self._event.is_set()

    def check(self) -> None:
        """Raise :class:`Cancelled` if cancellation was requested."""
        if self._event.is_set():
            raise Cancelled(self.reason)


class _Waking(AbstractContextManager[None]):
    """Adds a waker to a token while entered. A class, since a generator takes twice as long."""

    def __init__(self, wakers: list[_Wake], asked: threading.Event, wake: _Wake) -> None:
        self._wakers = wakers
        self._asked = asked
        self._wake = wake

    def __enter__(self) -> None:
        self._wakers.append(self._wake)
        if self._asked.is_set():
            self._wake()

    def __exit__(self, *_: object) -> None:
        self._wakers.remove(self._wake)
