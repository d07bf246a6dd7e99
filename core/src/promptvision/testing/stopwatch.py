"""Time that does not depend on what else the machine does."""

from __future__ import annotations

import time
from pathlib import Path

__all__ = ["Stopwatch"]

_TASKS = Path("/proc/self/task")


class Stopwatch:
    """Measures the time since it was made, without the time that threads of this process waited for a CPU.

    A bound on it holds on a busy machine as on an idle one. What other processes wait for is not known, so a
    bound on their work must be generous. On systems other than Linux it is the time on the clock.

    Source: proc_pid_schedstat(5): the second number is the time spent waiting on a runqueue, in nanoseconds.
    """

    def __init__(self) -> None:
        self._started_at = time.monotonic()
        self._waited_before = _waited_ns()

    @property
    def seconds(self) -> float:
        """The time so far."""
        elapsed = time.monotonic() - self._started_at
        waited = sum(ns - self._waited_before.get(task, 0) for task, ns in _waited_ns().items())
        return max(elapsed - waited / 1e9, 0.0)


def _waited_ns() -> dict[str, int]:
    """Time that each thread of this process has waited for a CPU; empty where that is not known."""
    waited: dict[str, int] = {}
    for task in _TASKS.iterdir() if _TASKS.is_dir() else ():
        try:
            waited[task.name] = int((task / "schedstat").read_text().split()[1])
        except (OSError, IndexError, ValueError):  # it has ended, or the kernel does not count
            continue
    return waited
