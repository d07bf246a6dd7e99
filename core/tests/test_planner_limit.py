"""The limit of a planner's replies: it ends a wait in time, and one timer serves several replies."""

from __future__ import annotations

import asyncio
import time

import pytest

from promptvision.agent.turns.planner_limit import PlannerLimit


def test_a_wait_ends_when_its_time_is_up() -> None:
    async def body() -> None:
        with PlannerLimit() as limit:
            began = time.monotonic()
            with pytest.raises(TimeoutError):
                async with limit.within(0.05):
                    await asyncio.Event().wait()
            assert time.monotonic() - began >= 0.05

    asyncio.run(body())


def test_a_later_reply_has_its_own_time() -> None:
    async def body() -> None:
        with PlannerLimit() as limit:
            async with limit.within(0.05):
                pass
            began = time.monotonic()
            with pytest.raises(TimeoutError):
                async with limit.within(0.2):
                    await asyncio.Event().wait()
            assert time.monotonic() - began >= 0.2, "the timer of the first reply does not end the second"

    asyncio.run(body())


def test_a_wait_ends_when_it_is_stopped_and_the_next_one_starts_again() -> None:
    async def body() -> None:
        with PlannerLimit() as limit:
            asyncio.get_running_loop().call_soon(limit.stop)
            with pytest.raises(TimeoutError):
                async with limit.within(60):
                    await asyncio.Event().wait()
            async with limit.within(60):
                await asyncio.sleep(0)

    asyncio.run(body())


def test_stopping_without_a_wait_and_a_timer_that_is_due_later_change_nothing() -> None:
    async def body() -> None:
        with PlannerLimit() as limit:
            limit.stop()
            async with limit.within(0.01):
                pass
            limit.stop()
            await asyncio.sleep(0.03)
            async with limit.within(60):
                await asyncio.sleep(0)

    asyncio.run(body())


def test_leaving_the_turn_cancels_the_timer() -> None:
    async def body() -> None:
        with PlannerLimit() as limit:
            async with limit.within(60):
                pass
            timer = limit._timer
            assert timer is not None
            assert not timer.cancelled()
        assert timer.cancelled()

    asyncio.run(body())
