"""Track running requests, so that images they are about to refer to are not deleted."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager

__all__ = ["InFlight"]


class InFlight:
    """The start times of running requests that may store an image and refer to it later.

    Safe across threads.
    """

    def __init__(self) -> None:
        self._starts: dict[object, float] = {}

    def request(self) -> AbstractContextManager[None]:
        """Count a request as running inside the block."""
        return _Request(self._starts)

    def oldest_start(self) -> float:
        """Return when the oldest running request began, or the current time, in seconds since the epoch."""
        return min(list(self._starts.values()), default=time.time())


class _Request(AbstractContextManager[None]):
    """One running request. A class, since a generator takes twice as long."""

    def __init__(self, starts: dict[object, float]) -> None:
        self._starts = starts

    def __enter__(self) -> None:
        self._starts[self] = time.time()

    def __exit__(self, *_: object) -> None:
        del self._starts[self]
