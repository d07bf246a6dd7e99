from __future__ import annotations

import os
import sys
import threading
import time

import pytest

from promptvision.testing import Stopwatch


def test_time_asleep_counts() -> None:
    watch = Stopwatch()
    time.sleep(0.2)
    assert watch.seconds > 0.15


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells how long a thread waits for a CPU")
def test_time_of_waiting_for_a_cpu_does_not_count() -> None:
    """Threads of native code that share one CPU: the machine is as busy as it gets for them."""
    import hashlib

    data = bytes(32_000_000)
    allowed = os.sched_getaffinity(0)
    began, watch = time.monotonic(), Stopwatch()

    def work() -> None:
        os.sched_setaffinity(0, {min(allowed)})
        for _ in range(4):
            hashlib.sha256(data).digest()  # without the GIL

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        threads[0].join(0.01)
        last = watch.seconds, time.monotonic() - began
    seconds, elapsed = last
    assert seconds < 0.6 * elapsed
