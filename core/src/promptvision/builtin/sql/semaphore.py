"""A semaphore that admits threads in the order of their arrival."""

from __future__ import annotations

import threading
from collections import deque

__all__ = ["FairSemaphore"]


class FairSemaphore:
    """A fair semaphore: ``release`` hands its slot to the thread that has waited longest.

    With ``threading.Semaphore`` a thread that comes back at once takes the slot that it has just released
    before a waiting thread wakes up. With eight busy threads on one SQLite file some of them waited for
    seconds (measured).

    Args:
        slots: number of threads that may hold it at once.
    """

    def __init__(self, slots: int) -> None:
        self._lock = threading.Lock()
        self._free = slots
        self._waiting: deque[threading.Event] = deque()

    def acquire(self, timeout_s: float) -> bool:
        """Wait for a slot; return False if none was free in time."""
        with self._lock:
            if self._free > 0:
                self._free -= 1
                return True
            granted = threading.Event()
            self._waiting.append(granted)
        if granted.wait(timeout_s):
            return True
        with self._lock:
            if granted.is_set():  # granted after the wait had ended
                return True
            self._waiting.remove(granted)
            return False

    def release(self) -> None:
        """Hand the slot to the next waiting thread, if any."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1
