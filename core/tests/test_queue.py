"""The queue in front of the executors: users take turns, by their weights and within their limits."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptvision.builtin.threads import ThreadExecutor
from promptvision.errors import Busy, Cancelled, SetupError
from promptvision.runtime.cancellation import CancelToken
from promptvision.runtime.queue import Lane, StepQueue
from promptvision.runtime.runtime import Runtime
from promptvision.settings import Settings
from promptvision.testing import make_worker
from promptvision.testing.executor_tools import TrialArgs, trial_tools


async def until(is_true: Callable[[], bool]) -> None:
    """Let other tasks run until a condition holds."""
    while not is_true():  # noqa: ASYNC110  # no event reports it
        await asyncio.sleep(0)


async def serve(lane: Lane, users: list[str]) -> list[str]:
    """The users in the order in which their steps get the only slot, which the test holds first."""
    await lane.acquire("holder", CancelToken())
    served: list[str] = []

    async def step(user: str) -> None:
        await lane.acquire(user, CancelToken())
        served.append(user)
        lane.release(user)

    steps = [asyncio.ensure_future(step(user)) for user in users]
    await until(lambda: lane.waiting == len(users))
    lane.release("holder")
    await asyncio.gather(*steps)
    return served


def order(queue: StepQueue, users: list[str]) -> list[str]:
    return asyncio.run(serve(queue.lane(1), users))


def test_one_step_does_not_wait_for_500_of_another_user() -> None:
    served = order(StepQueue(), ["many"] * 500 + ["one"])
    assert served.index("one") <= 1
    assert Counter(served) == {"many": 500, "one": 1}


def test_500_calls_of_one_user_do_not_delay_the_single_call_of_another() -> None:
    worker = make_worker(tools=trial_tools().values())
    executor = ThreadExecutor(worker, 2)
    runtime, ended = Runtime(worker, executor), list[str]()

    async def call(user: str, text: str) -> None:
        await runtime.execute(
            worker.tools["trial_echo"],
            TrialArgs(text=text),
            cancel=CancelToken(),
            timeout_s=120,
            user=user,
        )
        ended.append(user)

    async def call_all() -> None:
        many = [asyncio.ensure_future(call("many", f"m{number}")) for number in range(500)]
        await until(lambda: worker.queue.waiting >= 400)
        before = len(ended)
        await call("one", "o")
        assert len(ended) - before < 20
        assert worker.queue.waiting_users == 1
        assert worker.queue.longest_wait_s > 0
        await asyncio.gather(*many)
        await executor.close()

    asyncio.run(call_all())
    assert (len(ended), worker.queue.waiting, worker.queue.longest_wait_s) == (501, 0, 0)


def test_weight_is_the_share_of_a_round() -> None:
    served = order(StepQueue(weights={"heavy": 3}), ["light"] * 4 + ["heavy"] * 9)
    assert "".join(user[0] for user in served[:8]) == "lhhhlhhh"


@given(st.lists(st.sampled_from("abc"), max_size=30))
@settings(max_examples=25, deadline=None)
def test_every_step_is_served_once_and_no_user_goes_twice_while_another_waits(users: list[str]) -> None:
    served = order(StepQueue(), users)
    assert Counter(served) == Counter(users)
    for place, (user, following) in enumerate(pairwise(served)):
        if user == following:
            assert set(served[place:]) == {user}


def test_limit_of_a_user_counts_in_all_lanes_and_leaves_slots_to_others() -> None:
    async def run() -> None:
        queue = StepQueue(per_user=1)
        first, second = queue.lane(2), queue.lane(2)
        await first.acquire("a", CancelToken())
        waiting = asyncio.ensure_future(second.acquire("a", CancelToken()))
        await first.acquire("b", CancelToken())
        await asyncio.sleep(0)
        assert (queue.running, queue.waiting, second.waiting, waiting.done()) == (2, 1, 1, False)
        first.release("a")
        await waiting
        assert (queue.running, queue.waiting) == (2, 0)

    asyncio.run(run())


def test_too_many_waiting_steps_of_a_user_are_refused() -> None:
    async def run() -> None:
        queue = StepQueue(waiting=2)
        lane = queue.lane(0)
        waiting = [asyncio.ensure_future(lane.acquire("a", CancelToken())) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Busy, match="2 steps of this user are waiting"):
            await lane.acquire("a", CancelToken())
        waiting.append(asyncio.ensure_future(lane.acquire("b", CancelToken())))
        await asyncio.sleep(0)
        assert (queue.refused, queue.waiting, queue.waiting_users) == (1, 3, 2)
        lane.resize(3)
        await asyncio.gather(*waiting)

    asyncio.run(run())


def test_waiting_step_ends_when_it_is_cancelled() -> None:
    async def run() -> None:
        lane, cancel = StepQueue().lane(1), CancelToken()
        await lane.acquire("a", CancelToken())
        by_token = asyncio.ensure_future(lane.acquire("a", cancel))
        by_task = asyncio.ensure_future(lane.acquire("b", CancelToken()))
        await asyncio.sleep(0)
        threading.Thread(target=cancel.cancel, args=("cancelled by the user",)).start()
        with pytest.raises(Cancelled, match="by the user"):
            await by_token
        by_task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await by_task
        assert lane.waiting == 0
        lane.release("a")
        await lane.acquire("c", CancelToken())

    asyncio.run(run())


def test_slot_granted_to_a_cancelled_task_is_returned() -> None:
    async def run() -> None:
        queue = StepQueue()
        lane = queue.lane(1)
        await lane.acquire("a", CancelToken())
        waiting = asyncio.ensure_future(lane.acquire("b", CancelToken()))
        await asyncio.sleep(0)
        lane.release("a")  # grants the slot to b, whose task has not resumed yet
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert queue.running == 0

    asyncio.run(run())


def test_slot_of_a_thread_is_taken_until_its_function_ends() -> None:
    async def run() -> None:
        queue, threads, may_end = StepQueue(), ThreadPoolExecutor(1), threading.Event()
        lane = queue.lane(1)
        abandoned = asyncio.ensure_future(lane.run(threads, lambda: may_end.wait(30), "a", CancelToken()))
        await until(lambda: queue.running == 1)
        abandoned.cancel()
        with pytest.raises(asyncio.CancelledError):
            await abandoned
        assert queue.running == 1
        may_end.set()
        assert await lane.run(threads, lambda: "next", "b", CancelToken()) == "next"
        threads.shutdown()
        with pytest.raises(RuntimeError, match="shutdown"):
            await lane.run(threads, lambda: "never", "b", CancelToken())
        assert queue.running == 0

    asyncio.run(run())


def test_closed_lane_cancels_waiting_steps_and_takes_no_more() -> None:
    async def run() -> None:
        queue = StepQueue()
        lane = queue.lane(1)
        await lane.acquire("a", CancelToken())
        waiting = asyncio.ensure_future(lane.acquire("b", CancelToken()))
        await asyncio.sleep(0)
        lane.close()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        with pytest.raises(RuntimeError, match="shutdown"):
            await lane.acquire("c", CancelToken())
        lane.release("a")
        assert (queue.running, queue.waiting) == (0, 0)

    asyncio.run(run())


def test_settings_give_limit_and_weights() -> None:
    made = Settings.from_mapping(
        {"PROMPTVISION_USER_STEPS": "2", "PROMPTVISION_USER_WEIGHTS": "ann:4, bob:2"}
    )
    assert (made.user_steps, made.user_weights) == (2, {"ann": 4, "bob": 2})
    for wrong in ("ann", "ann:0", "ann:many", ":3"):
        with pytest.raises(SetupError, match="PROMPTVISION_USER_WEIGHTS"):
            Settings.from_mapping({"PROMPTVISION_USER_WEIGHTS": wrong})
