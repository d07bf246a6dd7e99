"""Several executors behind one: a tool's own route goes before its plugin's, and that before the default."""

from __future__ import annotations

import asyncio
import time

import pytest

from promptvision.builtin.threads import ThreadExecutor
from promptvision.runtime.call import Call
from promptvision.runtime.cancellation import CancelToken
from promptvision.runtime.mixed import MixedExecutor
from promptvision.testing import make_worker
from promptvision.testing.executor_tools import TrialArgs, TrialResult, trial_tools


def make_call(tool: str) -> Call:
    found = trial_tools()[f"trial_{tool}"]
    return Call(tool=found, args=TrialArgs(text="hello"), seed=0, parent=None, deadline=time.monotonic() + 30)


@pytest.fixture
def executors() -> list[ThreadExecutor]:
    return [ThreadExecutor(make_worker(), 1) for _ in range(3)]


def test_the_closest_route_decides(executors: list[ThreadExecutor]) -> None:
    default, plugin, tool = executors
    mixed = MixedExecutor(default, {"trial": plugin, "trial_report": tool})
    assert mixed.executor_of(make_call("report")) is tool
    assert mixed.executor_of(make_call("echo")) is plugin
    assert MixedExecutor(default, {"other": plugin}).executor_of(make_call("echo")) is default


def test_call_runs_and_every_executor_is_closed(executors: list[ThreadExecutor]) -> None:
    default, plugin, _ = executors
    mixed = MixedExecutor(default, {"trial": plugin, "other": plugin})

    async def run_and_close() -> str:
        output = await mixed.execute(make_call("echo"), cancel=CancelToken())
        await mixed.close()
        assert isinstance(output.result, TrialResult)
        return output.result.text

    assert asyncio.run(run_and_close()) == "hello"
    for executor in (default, plugin):
        with pytest.raises(RuntimeError, match="shutdown"):
            asyncio.run(executor.execute(make_call("echo"), cancel=CancelToken()))
