"""A turnstile that lets threads through in the order in which they came."""

from __future__ import annotations

import threading
from collections import deque

__all__ = ["FairSemaphore"]


class FairSemaphore:
    """Like a semaphore, but fair: whoever leaves hands the place to the one who has waited longest.

    With ``threading.Semaphore`` a thread that comes back at once takes the place that it has just left before
    any sleeper is awake. With eight busy threads on one SQLite file some then waited for seconds (measured).

    Args:
        places: how many threads may be inside at once.
    """

    def __init__(self, places: int) -> None:
        self._lock = threading.Lock()
        self._free = places
        self._waiting: deque[threading.Event] = deque()

    def enter(self, timeout_s: float) -> bool:
        """Wait for a place; False when there was none in time."""
        with self._lock:
            if self._free > 0:
                self._free -= 1
                return True
            called = threading.Event()
            self._waiting.append(called)
        if called.wait(timeout_s):
            return True
        with self._lock:
            if called.is_set():  # called at the last moment
                return True
            self._waiting.remove(called)
            return False

    def leave(self) -> None:
        """Give the place to the next, or back."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1
