"""The turnstile before a database: so many at once, in the order of coming, and nobody for ever."""

from __future__ import annotations

import threading
import time
from collections import Counter

from promptvision.builtin.sql.semaphore import FairSemaphore


def test_no_more_than_its_places_are_inside() -> None:
    turnstile = FairSemaphore(2)
    assert turnstile.enter(0)
    assert turnstile.enter(0)
    assert not turnstile.enter(0.01)
    turnstile.leave()
    assert turnstile.enter(0)


def test_who_gave_up_is_not_called() -> None:
    turnstile = FairSemaphore(1)
    turnstile.enter(0)
    assert not turnstile.enter(0.01)
    turnstile.leave()
    assert turnstile.enter(0)
    turnstile.leave()


def test_place_goes_to_who_has_waited_longest() -> None:
    turnstile = FairSemaphore(1)
    turnstile.enter(0)
    order: list[int] = []

    def pass_through(number: int) -> None:
        assert turnstile.enter(10)
        order.append(number)
        turnstile.leave()

    threads = [threading.Thread(target=pass_through, args=(number,)) for number in range(5)]
    for count, thread in enumerate(threads, 1):
        thread.start()
        while len(turnstile._waiting) < count:
            time.sleep(0.001)
    turnstile.leave()
    for thread in threads:
        thread.join(10)
    assert order == [0, 1, 2, 3, 4]


def test_busy_threads_share_it_evenly() -> None:
    turnstile, passed, together = FairSemaphore(1), Counter[int](), threading.Barrier(4)

    def come_back_at_once(number: int) -> None:
        together.wait(10)
        while sum(passed.values()) < 200:
            assert turnstile.enter(5)
            passed[number] += 1
            time.sleep(0.001)
            turnstile.leave()

    threads = [threading.Thread(target=come_back_at_once, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert min(passed.values()) >= 40  # of 50; a semaphore lets some wait until the others have done all
