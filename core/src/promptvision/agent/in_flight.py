"""Track running requests, so that images they are about to refer to are not deleted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["InFlight"]


class InFlight:
    """The start times of running requests that may store an image and refer to it later.

    Safe across threads.
    """

    def __init__(self) -> None:
        self._starts: dict[object, float] = {}

    @contextmanager
    def request(self) -> Iterator[None]:
        """Count a request as running inside the block."""
        token = object()
        self._starts[token] = time.time()
        try:
            yield
        finally:
            del self._starts[token]

    def oldest_start(self) -> float:
        """Return when the oldest running request began, or the current time, in seconds since the epoch."""
        return min(list(self._starts.values()), default=time.time())
