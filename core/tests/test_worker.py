"""The worker: one context per call, coroutine functions included, and settings that can be compared."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

from promptvision.errors import Cancelled
from promptvision.runtime.call import Call
from promptvision.runtime.cancellation import CancelToken
from promptvision.runtime.context import CallContext
from promptvision.settings import Settings
from promptvision.testing import make_worker
from promptvision.tools.tool import Args, Operation, Result, Tool


class NoArgs(Args):
    pass


class Seen(Result):
    seed: int = 0


NOTHING = Operation(name="nothing", description="Nothing.", args=NoArgs, result=Seen)


def make_call(run: Any) -> Call:
    tool = Tool(name="nothing", operation=NOTHING, run=run).owned_by("test", "1")
    return Call(tool=tool, args=NoArgs(), seed=11, parent=None, deadline=time.monotonic() + 30)


def test_call_decides_the_seed_and_progress_is_passed_on() -> None:
    seen: list[tuple[float, float, str]] = []

    def work(args: NoArgs, context: CallContext) -> Seen:
        context.progress(1, 2, "half")
        return Seen(seed=context.seed)

    output = make_worker().run(
        make_call(work), cancel=CancelToken(), on_progress=lambda *values: seen.append(values)
    )
    assert output.result == Seen(seed=11)
    assert seen == [(1, 2, "half")]


def test_coroutine_that_waits_in_a_thread_is_cancelled() -> None:
    cancel, begun = CancelToken(), threading.Event()

    async def wait(args: NoArgs, context: CallContext) -> Seen:
        begun.set()
        await asyncio.Event().wait()
        return Seen()

    def cancel_when_begun() -> None:
        begun.wait(10)
        cancel.cancel("enough")

    canceller = threading.Thread(target=cancel_when_begun)
    canceller.start()
    with pytest.raises(Cancelled, match="enough"):
        make_worker().run(make_call(wait), cancel=cancel)
    canceller.join()


def test_settings_digest_is_equal_for_equal_settings_only() -> None:
    def digest(**variables: Any) -> str:
        return make_worker(Settings.from_mapping(variables)).settings_digest

    assert digest(PROMPTVISION_MAX_STEPS="3") == digest(PROMPTVISION_MAX_STEPS=3)
    assert digest(PROMPTVISION_MAX_STEPS=3) != digest(PROMPTVISION_MAX_STEPS=4)
    assert digest(TOOL_URL="http://a") != digest(TOOL_URL="http://b")


def test_variables_make_the_same_settings_again() -> None:
    source = {"PROMPTVISION_PREFER": "a:b,c:d", "PROMPTVISION_API_KEYS": "u:secret", "TOOL_URL": "x"}
    variables = Settings.from_mapping(source).variables()
    assert "PROMPTVISION_API_KEYS" not in variables
    again = Settings.from_mapping(variables)
    assert (again.prefer, again.value("TOOL_URL")) == (("a:b", "c:d"), "x")
    assert again.variables() == variables
