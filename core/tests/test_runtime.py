"""Running one call: cache, seed, parent, time limit, cancellation."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PIL import Image

from promptvision.builtin.memory_images import MemoryImageStore
from promptvision.builtin.threads import ThreadExecutor
from promptvision.errors import Cancelled, StoreError, ToolFailed
from promptvision.images.codec import encode_png
from promptvision.images.store import StoredImage
from promptvision.models.pool import ModelPool
from promptvision.runtime.cancellation import CancelToken
from promptvision.runtime.runtime import CallResult, Runtime
from promptvision.runtime.worker import Worker
from promptvision.settings import Settings
from promptvision.tools.context import ToolContext
from promptvision.tools.tool import Args, Operation, Result, Tool
from promptvision.types import ImageRef

Run = Callable[["ShadeArgs", ToolContext], Any]


class ShadeArgs(Args):
    image_url: ImageRef | None = None
    shade: int = 0
    seed: int | None = None


class Shaded(Result):
    shaded_url: ImageRef
    seed_used: int


SHADE = Operation(name="shade", description="Shade.", args=ShadeArgs, result=Shaded)


def shade(args: ShadeArgs, context: ToolContext) -> Shaded:
    image = Image.new("L", (4, 4), args.shade)
    return Shaded(shaded_url=context.save(image), seed_used=context.seed)


def make(run: Run = shade, **changes: Any) -> Tool:
    return Tool(name="shade", operation=SHADE, run=run, **changes).owned_by("test", "1")


class FlakyStore(MemoryImageStore):
    """Fails one check if configured."""

    is_down = False

    def stat(self, image_id: str) -> StoredImage:
        if self.is_down:
            self.is_down = False
            raise StoreError("down")
        return super().stat(image_id)


@pytest.fixture
def store() -> FlakyStore:
    return FlakyStore()


@pytest.fixture
def runtime(store: FlakyStore) -> Iterator[Runtime]:
    settings = Settings()
    worker = Worker(settings, store, ModelPool({}, settings))
    made = Runtime(worker, ThreadExecutor(worker, 2))
    yield made
    asyncio.run(made.executor.close())


def execute(
    runtime: Runtime,
    tool: Tool,
    args: Args | None = None,
    *,
    timeout_s: float = 10,
    cancel: CancelToken | None = None,
) -> CallResult:
    call = runtime.execute(tool, args or ShadeArgs(), cancel=cancel or CancelToken(), timeout_s=timeout_s)
    return asyncio.run(call)


def test_equal_call_is_answered_without_running(runtime: Runtime) -> None:
    first, second = (execute(runtime, make()) for _ in range(2))
    assert (first.cached, second.cached) == (False, True)
    assert (second.result, second.saved) == (first.result, first.saved)
    assert not execute(runtime, make(), ShadeArgs(shade=1)).cached
    assert not execute(runtime, make().owned_by("test", "2")).cached


def test_tool_may_ask_not_to_be_cached(runtime: Runtime) -> None:
    tool = make(cacheable=False)
    assert [execute(runtime, tool).cached for _ in range(2)] == [False, False]


def test_degraded_result_does_not_answer_an_equal_call(runtime: Runtime) -> None:
    left = [True]

    def short_of_memory(args: ShadeArgs, context: ToolContext) -> Shaded:
        if left:
            context.note("Continued in tiles.", is_degraded=left.pop())
        return shade(args, context)

    tool = make(short_of_memory)
    first, second, third = (execute(runtime, tool) for _ in range(3))
    assert first.notes == ("Continued in tiles.",)
    assert (first.cached, second.cached, third.cached) == (False, False, True)


def test_result_whose_image_was_deleted_is_computed_again(runtime: Runtime, store: FlakyStore) -> None:
    first = execute(runtime, make())
    store.delete(first.saved[0].id)
    second = execute(runtime, make())
    assert not second.cached
    assert second.saved == first.saved
    assert execute(runtime, make()).cached


def test_store_that_cannot_look_for_the_image_means_making_it_again(
    runtime: Runtime, store: FlakyStore
) -> None:
    execute(runtime, make())
    store.is_down = True
    assert not execute(runtime, make()).cached


def test_failure_is_not_kept(runtime: Runtime) -> None:
    runs: list[int] = []

    def flaky(args: ShadeArgs, context: ToolContext) -> Shaded:
        runs.append(1)
        if len(runs) == 1:
            raise ToolFailed("not yet")
        return shade(args, context)

    with pytest.raises(ToolFailed, match="not yet"):
        execute(runtime, make(flaky))
    assert not execute(runtime, make(flaky)).cached


def test_seed_is_the_callers_or_one_that_the_call_decides(runtime: Runtime) -> None:
    def seed(**values: Any) -> int:
        result = execute(runtime, make(cacheable=False), ShadeArgs(**values)).result
        assert isinstance(result, Shaded)
        return result.seed_used

    assert seed(seed=5) == 5
    assert seed(seed=0) == 0
    assert seed(shade=1) == seed(shade=1)
    assert seed(shade=1) != seed(shade=2)
    assert 0 <= seed() < 2**32


def test_tool_sees_the_time_at_which_its_call_must_end(runtime: Runtime) -> None:
    deadlines: list[float | None] = []

    def note_deadline(args: ShadeArgs, context: ToolContext) -> Shaded:
        deadlines.append(context.deadline)
        return shade(args, context)

    before = time.monotonic()
    execute(runtime, make(note_deadline), timeout_s=30)
    (deadline,) = deadlines
    assert deadline is not None
    assert before + 30 <= deadline <= time.monotonic() + 30


def test_first_image_of_the_arguments_is_the_parent(runtime: Runtime, store: FlakyStore) -> None:
    source = store.put(encode_png(Image.new("L", (2, 2))), "image/png").id
    assert execute(runtime, make(), ShadeArgs(image_url=ImageRef(source))).saved[0].parent == source
    assert execute(runtime, make()).saved[0].parent is None


def test_call_that_ignores_the_time_limit_is_abandoned(runtime: Runtime) -> None:
    release = threading.Event()

    def hang(args: ShadeArgs, context: ToolContext) -> Shaded:
        release.wait(10)
        raise ToolFailed("too late")

    cancel = CancelToken()
    with pytest.raises(ToolFailed, match="test: tool 'shade' took longer than 0 s"):
        execute(runtime, make(hang), timeout_s=0.01, cancel=cancel)
    release.set()
    assert cancel.is_cancelled, "the tool is asked to stop"


def test_call_that_stops_at_the_time_limit_timed_out_and_was_not_cancelled(
    runtime: Runtime,
) -> None:
    def dawdle(args: ShadeArgs, context: ToolContext) -> Shaded:
        while True:
            context.check_cancelled()

    with pytest.raises(ToolFailed, match="took longer"):
        execute(runtime, make(dawdle), timeout_s=0.01)


def test_result_that_comes_just_after_the_time_limit_is_taken(runtime: Runtime) -> None:
    cancel = CancelToken()

    def last_second(args: ShadeArgs, context: ToolContext) -> Shaded:
        ref = context.save(Image.new("L", (4, 4)))
        while not cancel.is_cancelled:
            pass
        return Shaded(shaded_url=ref, seed_used=0)

    assert not execute(runtime, make(last_second), timeout_s=0.05, cancel=cancel).cached


async def wait_for_ever(args: ShadeArgs, context: ToolContext) -> Shaded:
    await asyncio.Event().wait()
    raise AssertionError("unreachable")


def test_coroutine_that_waits_too_long_is_ended(runtime: Runtime) -> None:
    with pytest.raises(ToolFailed, match="took longer"):
        execute(runtime, make(wait_for_ever), timeout_s=0.01)


def test_cancellation_reaches_a_waiting_coroutine(runtime: Runtime) -> None:
    cancel = CancelToken()
    timer = threading.Timer(0.05, cancel.cancel, ["cancelled by the user"])
    timer.start()
    with pytest.raises(Cancelled, match="by the user"):
        execute(runtime, make(wait_for_ever), cancel=cancel)
    timer.join()


@pytest.mark.parametrize("is_async", [False, True])
def test_timeout_raised_by_the_tool_is_not_reported_as_the_time_limit(
    runtime: Runtime, is_async: bool
) -> None:
    def plain(args: ShadeArgs, context: ToolContext) -> Shaded:
        raise TimeoutError("the camera did not answer")

    async def waiting(args: ShadeArgs, context: ToolContext) -> Shaded:
        raise TimeoutError("the camera did not answer")

    with pytest.raises(TimeoutError, match="camera"):
        execute(runtime, make(waiting if is_async else plain))


def test_cancelled_call_says_so(runtime: Runtime) -> None:
    cancel = CancelToken()
    cancel.cancel("cancelled by the user")
    with pytest.raises(Cancelled, match="by the user"):
        execute(runtime, make(), cancel=cancel)


def test_task_that_is_cancelled_stops_the_tool(runtime: Runtime) -> None:
    cancel, begun, ended = CancelToken(), threading.Event(), threading.Event()

    def dawdle(args: ShadeArgs, context: ToolContext) -> Shaded:
        begun.set()
        try:
            while True:
                context.check_cancelled()
        finally:
            ended.set()

    async def abandon() -> None:
        call = runtime.execute(make(dawdle), ShadeArgs(), cancel=cancel, timeout_s=10)
        task = asyncio.ensure_future(call)
        await asyncio.to_thread(begun.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(abandon())
    assert ended.wait(10)


def test_turn_continues_after_the_time_limit_of_one_call(store: FlakyStore) -> None:
    settings = Settings(call_timeout_s=0.05)
    worker = Worker(settings, store, ModelPool({}, settings))
    runtime = Runtime(worker, ThreadExecutor(worker, 2))
    stopped = threading.Event()

    def dawdle(args: ShadeArgs, context: ToolContext) -> Shaded:
        try:
            while True:
                context.check_cancelled()
        finally:
            stopped.set()

    cancel = CancelToken()
    with pytest.raises(ToolFailed, match="took longer than 0 s"):
        execute(runtime, make(dawdle), cancel=cancel)
    assert stopped.wait(10)
    assert not cancel.is_cancelled
    assert not execute(runtime, make(), cancel=cancel).cached
    cancel.cancel("cancelled by the user")
    with pytest.raises(Cancelled, match="by the user"):
        execute(runtime, make(dawdle, cacheable=False), cancel=cancel)
    asyncio.run(runtime.executor.close())
