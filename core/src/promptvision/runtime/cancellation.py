"""Request the cancellation of running work."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from promptvision.errors import Cancelled

__all__ = ["CancelToken"]

_Wake = Callable[[], object]


class CancelToken:
    """A cancellation flag that the requester sets and the running work polls. Safe across threads."""

    def __init__(self) -> None:
        self.is_cancelled = False
        """Whether cancellation was requested."""
        self.reason = "cancelled"
        self._wakers: list[_Wake] = []

    def cancel(self, reason: str = "cancelled") -> None:
        """Request that the work stops at its next check point."""
        self.reason = reason
        self.is_cancelled = True
        for wake in tuple(self._wakers):
            wake()

    def waking(self, wake: _Wake) -> AbstractContextManager[None]:
        """Call ``wake`` if cancellation is requested inside the block, for work that waits and cannot poll.

        Args:
            wake: called from the requesting thread; at once if cancellation was requested already.
        """
        return _Waking(self, self._wakers, wake)

    def check(self) -> None:
        """Raise :class:`Cancelled` if cancellation was requested."""
        if self.is_cancelled:
            raise Cancelled(self.reason)


class _Waking(AbstractContextManager[None]):
    """Adds a waker to a token while entered. A class, since a generator takes twice as long."""

    def __init__(self, token: CancelToken, wakers: list[_Wake], wake: _Wake) -> None:
        self._token = token
        self._wakers = wakers
        self._wake = wake

    def __enter__(self) -> None:
        self._wakers.append(self._wake)
        if self._token.is_cancelled:
            self._wake()

    def __exit__(self, *_: object) -> None:
        self._wakers.remove(self._wake)
