"""The semaphore of the database: bounded, in order of arrival, and without starvation."""

from __future__ import annotations

import threading
import time
from collections import Counter

from promptvision.builtin.sql.semaphore import FairSemaphore


def test_no_more_threads_than_slots() -> None:
    semaphore = FairSemaphore(2)
    assert semaphore.acquire(0)
    assert semaphore.acquire(0)
    assert not semaphore.acquire(0.01)
    semaphore.release()
    assert semaphore.acquire(0)


def test_thread_that_timed_out_gets_no_slot() -> None:
    semaphore = FairSemaphore(1)
    semaphore.acquire(0)
    assert not semaphore.acquire(0.01)
    semaphore.release()
    assert semaphore.acquire(0)
    semaphore.release()


def test_slot_goes_to_the_thread_that_has_waited_longest() -> None:
    semaphore = FairSemaphore(1)
    semaphore.acquire(0)
    order: list[int] = []

    def pass_through(number: int) -> None:
        assert semaphore.acquire(10)
        order.append(number)
        semaphore.release()

    threads = [threading.Thread(target=pass_through, args=(number,)) for number in range(5)]
    for count, thread in enumerate(threads, 1):
        thread.start()
        while len(semaphore._waiting) < count:
            time.sleep(0.001)
    semaphore.release()
    for thread in threads:
        thread.join(10)
    assert order == [0, 1, 2, 3, 4]


def test_busy_threads_share_it_evenly() -> None:
    semaphore, passed, together = FairSemaphore(1), Counter[int](), threading.Barrier(4)

    def acquire_again(number: int) -> None:
        together.wait(10)
        while sum(passed.values()) < 200:
            assert semaphore.acquire(5)
            passed[number] += 1
            time.sleep(0.001)
            semaphore.release()

    threads = [threading.Thread(target=acquire_again, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert (
        min(passed.values()) >= 40
    )  # of 50; with threading.Semaphore some wait until the others have finished
