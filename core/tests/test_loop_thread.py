"""The event loop that blocking calls run on."""

from __future__ import annotations

import asyncio
import gc
import threading

import pytest

from promptvision.agent.loop_thread import LoopThread


async def current_thread() -> threading.Thread:
    return threading.current_thread()


def test_all_calls_run_on_one_thread() -> None:
    loop = LoopThread("test-loop")
    assert not loop.is_running
    first, second = loop.run(current_thread), loop.run(current_thread)
    assert first is second is not threading.current_thread()
    loop.close()
    assert not first.is_alive()
    assert not loop.is_running


def test_blocking_call_on_the_loop_itself_is_refused() -> None:
    loop = LoopThread("test-loop")

    async def nested() -> None:
        loop.run(current_thread)

    with pytest.raises(RuntimeError, match="await the async method"):
        loop.run(nested)
    loop.close()


def test_exception_reaches_the_caller() -> None:
    loop = LoopThread("test-loop")

    async def fail() -> None:
        raise ValueError("from the loop")

    with pytest.raises(ValueError, match="from the loop"):
        loop.run(fail)
    loop.close()


def test_close_cancels_what_runs() -> None:
    loop = LoopThread("test-loop")
    begun, cancelled = threading.Event(), threading.Event()

    async def hang() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    hanging = loop.submit(hang)
    assert begun.wait(10)
    loop.close()
    assert cancelled.is_set()
    assert hanging.cancelled()
    loop.close()


def test_agent_that_is_collected_ends_its_thread() -> None:
    from promptvision.testing.agents import make_agent

    agent = make_agent([])
    thread = agent._loop_thread.run(current_thread)
    del agent
    gc.collect()
    thread.join(10)
    assert not thread.is_alive()
