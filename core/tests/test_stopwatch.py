from __future__ import annotations

import os
import sys
import threading
import time

import pytest

from promptvision.testing import Stopwatch


def test_time_asleep_counts() -> None:
    """A sleep is tried again if other threads of this process waited for a CPU, which is not counted."""

    def sleep() -> float:
        watch = Stopwatch()
        time.sleep(0.2)
        return watch.seconds

    assert any(sleep() > 0.15 for _ in range(20))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells how long a thread waits for a CPU")
def test_time_of_waiting_for_a_cpu_does_not_count() -> None:
    """Threads of native code that share one CPU, as on a fully loaded machine."""
    import hashlib

    data = bytes(32_000_000)
    allowed, release = os.sched_getaffinity(0), threading.Event()
    done = threading.Semaphore(0)

    def work() -> None:
        os.sched_setaffinity(0, {min(allowed)})
        for _ in range(4):
            hashlib.sha256(data).digest()  # without the GIL
        done.release()
        release.wait(60)  # a thread that has ended is not counted any more

    threads = [threading.Thread(target=work) for _ in range(4)]
    began, watch = time.monotonic(), Stopwatch()
    for thread in threads:
        thread.start()
    for _ in threads:
        assert done.acquire(timeout=60)
    seconds, elapsed = watch.seconds, time.monotonic() - began
    release.set()
    for thread in threads:
        thread.join()
    assert seconds < 0.6 * elapsed
