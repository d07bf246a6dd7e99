"""Calls that wait for a tool run together: declaration, executor, cancellation, failures and fairness."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest
from PIL import Image

from promptvision.builtin.threads import ThreadExecutor
from promptvision.errors import Cancelled, ToolFailed
from promptvision.runtime.call import Call, CallOutput
from promptvision.runtime.cancellation import CancelToken
from promptvision.runtime.context import Progress
from promptvision.runtime.queue import StepQueue
from promptvision.runtime.waiter import Group
from promptvision.settings import Settings
from promptvision.testing import make_worker
from promptvision.tools.batch import Batch
from promptvision.tools.tool import Args, Operation, Result, Tool
from promptvision.types import ImageRef


class ShadeArgs(Args):
    """Arguments of the tool."""

    shade: int
    size: int = 4


class Shaded(Result):
    """Result of the tool."""

    image: ImageRef


SHADE = Operation(name="shade", description="Shade.", args=ShadeArgs, result=Shaded)


class Device:
    """A tool that waits in its first call until the others are queued, and records what ran together."""

    def __init__(self, executor: ThreadExecutor) -> None:
        self.executor = executor
        self.ran: list[list[int]] = []
        self.first_began, self.may_end = threading.Event(), threading.Event()
        self.batch_error: Exception | None = None
        self.errors: dict[int, Exception] = {}
        self.endless: set[int] = set()
        self.limit = 8

    @property
    def tool(self) -> Tool:
        batch = Batch(run=self._run_all, key=lambda args: args.size, limit=self.limit)
        tool = Tool(name="shade", operation=SHADE, run=self._run, batch=batch)
        return tool.owned_by("test", "1")

    def _run(self, args: ShadeArgs, context: Any) -> Shaded:
        self.ran.append([args.shade])
        if not self.first_began.is_set():
            self.first_began.set()
            assert self.may_end.wait(20)
        if args.shade in self.errors:
            raise self.errors[args.shade]
        return self._shade(args, context)

    def _run_all(self, calls: list[tuple[ShadeArgs, Any]]) -> list[Any]:
        self.ran.append([args.shade for args, _ in calls])
        made: list[Any] = []
        for args, context in calls:
            try:
                context.progress(1, 1, f"shade {args.shade}")
                while args.shade in self.endless:
                    context.check_cancelled()
                    time.sleep(0.001)
                if args.shade in self.errors:
                    raise self.errors[args.shade]
                made.append(self._shade(args, context))
            except (Cancelled, ToolFailed) as exc:
                made.append(exc)
        if self.batch_error is not None:
            raise self.batch_error
        return made

    def _shade(self, args: ShadeArgs, context: Any) -> Shaded:
        return Shaded(image=context.save(Image.new("L", (args.size, args.size), args.shade)))

    def start(
        self,
        shade: int,
        *,
        size: int = 4,
        user: str = "",
        cancel: CancelToken | None = None,
        on_progress: Progress | None = None,
        limit_s: float | None = None,
    ) -> asyncio.Task[CallOutput]:
        """Start a call on the running loop."""
        call = Call(
            tool=self.tool,
            args=ShadeArgs(shade=shade, size=size),
            seed=0,
            parent=None,
            deadline=time.monotonic() + 30,
            limit_s=limit_s,
            user=user,
        )
        run = self.executor.execute(call, cancel=cancel or CancelToken(), on_progress=on_progress)
        return asyncio.ensure_future(run)

    async def begin(self, shade: int = 0, **options: Any) -> asyncio.Task[CallOutput]:
        """Start the first call, and wait until it runs."""
        first = self.start(shade, **options)
        assert await asyncio.to_thread(self.first_began.wait, 20)
        return first


async def settle(*tasks: asyncio.Task[CallOutput]) -> list[Any]:
    """The outputs or errors of calls."""
    return await asyncio.gather(*tasks, return_exceptions=True)


async def turn_loop() -> None:
    """Let started calls reach the queue."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
def device() -> Iterator[Device]:
    """A tool on an executor of four threads."""
    executor = ThreadExecutor(make_worker(Settings(user_steps=3)), 4)
    yield Device(executor)
    asyncio.run(executor.close())


def test_calls_that_wait_run_together_with_their_own_outputs(device: Device) -> None:
    async def run() -> list[Any]:
        first = await device.begin(user="a")
        waiting = [device.start(shade, user=f"u{shade}") for shade in range(1, 6)]
        await turn_loop()
        assert device.executor._worker.queue.waiting == 5
        device.may_end.set()
        return await settle(first, *waiting)

    outputs = asyncio.run(run())
    assert device.ran == [[0], [1, 2, 3, 4, 5]]
    images = device.executor._worker.images
    for shade, output in enumerate(outputs):
        assert images.open(output.result.image.id).getpixel((0, 0)) == shade
        assert [saved.id for saved in output.saved] == [output.result.image.id]
    queue = device.executor._worker.queue
    assert (queue.running, queue.waiting) == (0, 0)


def test_idle_tool_and_other_shapes_never_wait(device: Device) -> None:
    async def run() -> None:
        first = await device.begin(user="a")
        other = await device.start(7, size=5, user="b")
        assert other.saved[0].width == 5
        device.may_end.set()
        await first
        await device.start(8, user="a")

    asyncio.run(run())
    assert device.ran == [[0], [7], [8]]


def test_batch_is_no_larger_than_its_limit_and_serves_users_in_turn(device: Device) -> None:
    device.limit = 3

    async def run() -> None:
        first = await device.begin(user="a")
        many = [device.start(shade, user="many") for shade in (1, 2, 3, 4)]
        few = [device.start(shade, user=user) for shade, user in ((5, "b"), (6, "c"))]
        await turn_loop()
        device.may_end.set()
        await settle(first, *many, *few)

    asyncio.run(run())
    assert [sorted(shades) for shades in device.ran[1:]] == [[1, 5, 6], [2, 3, 4]]


def test_steps_of_one_user_that_run_at_once_are_limited_in_a_batch_too(device: Device) -> None:
    async def run() -> None:
        first = await device.begin(user="a")
        rest = [device.start(shade, user="a") for shade in range(1, 6)]
        await turn_loop()
        device.may_end.set()
        await settle(first, *rest)

    asyncio.run(run())
    assert [len(shades) for shades in device.ran] == [1, 3, 2]


def test_failure_of_one_call_is_its_own(device: Device) -> None:
    device.errors[2] = ToolFailed("too dark")

    async def run() -> list[Any]:
        first = await device.begin()
        waiting = [device.start(shade, user=f"u{shade}") for shade in (1, 2, 3)]
        await turn_loop()
        device.may_end.set()
        return await settle(first, *waiting)

    outputs = asyncio.run(run())
    assert [type(output) for output in outputs] == [CallOutput, CallOutput, ToolFailed, CallOutput]
    assert device.ran == [[0], [1, 2, 3]]


@pytest.mark.parametrize(
    "error", [RuntimeError("CUDA out of memory"), ToolFailed("cannot run together"), None]
)
def test_calls_run_alone_if_the_batch_fails(device: Device, error: Exception | None) -> None:
    device.batch_error = error
    device.errors[2] = ToolFailed("too dark")
    if error is None:  # a batch that returns too few results
        device._run_all = lambda calls: device.ran.append([args.shade for args, _ in calls]) or []  # type: ignore

    async def run() -> list[Any]:
        first = await device.begin()
        waiting = [device.start(shade, user=f"u{shade}") for shade in (1, 2)]
        await turn_loop()
        device.may_end.set()
        return await settle(first, *waiting)

    outputs = asyncio.run(run())
    assert [type(output) for output in outputs] == [CallOutput, CallOutput, ToolFailed]
    assert device.ran == [[0], [1, 2], [1], [2]]
    assert len(outputs[1].saved) == 1


def test_cancelled_call_leaves_the_others(device: Device) -> None:
    tokens = {shade: CancelToken() for shade in (1, 2, 3)}

    def stop(done: float, total: float, message: str) -> None:
        tokens[2].cancel("not wanted")  # the report of call 1: it runs in the same batch

    async def run() -> list[Any]:
        first = await device.begin()
        waiting = [
            device.start(shade, user=f"u{shade}", cancel=token, on_progress=stop if shade == 1 else None)
            for shade, token in tokens.items()
        ]
        await turn_loop()
        device.may_end.set()
        return await settle(first, *waiting)

    outputs = asyncio.run(run())
    assert [type(output) for output in outputs] == [CallOutput, CallOutput, Cancelled, CallOutput]
    assert device.ran == [[0], [1, 2, 3]]


def test_call_that_is_cancelled_while_it_waits_does_not_run(device: Device) -> None:
    token = CancelToken()

    async def run() -> list[Any]:
        first = await device.begin()
        gone, dropped = device.start(1, user="b", cancel=token), device.start(2, user="c")
        stays = device.start(3, user="d")
        await turn_loop()
        token.cancel("the user left")
        dropped.cancel()
        await turn_loop()
        device.may_end.set()
        return await settle(first, gone, dropped, stays)

    outputs = asyncio.run(run())
    kinds = [CallOutput, Cancelled, asyncio.CancelledError, CallOutput]
    assert [type(output) for output in outputs] == kinds
    assert device.ran == [[0], [3]]
    queue = device.executor._worker.queue
    assert (queue.running, queue.waiting) == (0, 0)


def test_task_cancelled_during_a_batch_frees_its_slot(device: Device) -> None:
    async def run() -> list[Any]:
        first = await device.begin()
        tasks: list[asyncio.Task[CallOutput]] = []
        loop, is_cancelled = asyncio.get_running_loop(), threading.Event()

        def cancel() -> None:
            tasks[0].cancel()
            is_cancelled.set()

        def leave(*_: Any) -> None:
            loop.call_soon_threadsafe(cancel)
            assert is_cancelled.wait(20)  # the batch continues without the task that started it

        tasks += [device.start(1, user="b", on_progress=leave), device.start(2, user="c")]
        await turn_loop()
        device.may_end.set()
        return await settle(first, *tasks)

    outputs = asyncio.run(run())
    assert isinstance(outputs[1], asyncio.CancelledError)
    assert isinstance(outputs[2], CallOutput)
    queue = device.executor._worker.queue
    assert (queue.running, queue.waiting) == (0, 0)


def test_time_limit_of_a_call_ends_it_alone(device: Device) -> None:
    device.endless.add(2)

    async def run() -> list[Any]:
        first = await device.begin()
        tasks = [device.start(1, user="b"), device.start(2, user="c", limit_s=0.01)]
        await turn_loop()
        device.may_end.set()
        return await settle(first, *tasks)

    outputs = asyncio.run(run())
    assert isinstance(outputs[1], CallOutput)
    assert isinstance(outputs[2], ToolFailed)
    assert "took longer than 0 s" in str(outputs[2])


def test_closed_executor_cancels_those_that_wait(device: Device) -> None:
    async def run() -> list[Any]:
        first = await device.begin()
        waiting = device.start(1, user="b")
        await turn_loop()
        await device.executor.close()
        device.may_end.set()
        return await settle(first, waiting)

    outputs = asyncio.run(run())
    assert isinstance(outputs[0], CallOutput)
    assert isinstance(outputs[1], asyncio.CancelledError)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"run": "nowhere"}, "must have the form"),
        ({"run": 3}, "run must be a function"),
        ({"run": "a:b", "limit": 1}, "limit must be 2 or more"),
        ({"run": "a:b", "key": "size"}, "key must be a function"),
    ],
)
def test_wrong_declaration_is_an_error(values: dict[str, Any], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        Batch(**values)


def test_coroutine_function_cannot_have_a_batch() -> None:
    async def run(args: Any, context: Any) -> Shaded:
        raise NotImplementedError

    with pytest.raises(TypeError, match="a coroutine function cannot have a batch"):
        Tool(name="shade", operation=SHADE, run=run, batch=Batch(run="a:b"))


@pytest.mark.parametrize("seed", range(8))
def test_random_schedules_return_every_slot_and_keep_every_limit(seed: int) -> None:
    chance = random.Random(seed)
    queue = StepQueue(per_user=2)
    lane, threads = queue.lane(3), ThreadPoolExecutor(3)
    lock, running, largest, slots = threading.Lock(), Counter[str](), Counter[str](), [0, 0]

    def run(items: list[tuple[str, int]]) -> list[int | BaseException]:
        with lock:
            slots[0] += 1
            slots[1] = max(slots)
            running.update(user for user, _ in items)
            for user, count in running.items():
                largest[user] = max(largest[user], count)
        time.sleep(chance.random() / 1000)
        with lock:
            slots[0] -= 1
            running.subtract(user for user, _ in items)
        return [ToolFailed("no") if number % 7 == 0 else number for _, number in items]

    async def one(number: int) -> int:
        user, token = chance.choice("abc"), CancelToken()
        kind = chance.randrange(4)
        if chance.random() < 0.2:
            asyncio.get_running_loop().call_later(chance.random() / 100, token.cancel)
        if kind == 3:
            work = lambda: cast("int", run([(user, 1)])[0]) * number  # noqa: E731
            return await lane.run(threads, work, user, token)
        group = Group(key=kind, limit=chance.randint(2, 4), run=run)
        return await lane.run_together(threads, group, (user, number), user, token)

    async def all_calls() -> list[Any]:
        tasks = []
        for number in range(60):
            tasks.append(asyncio.ensure_future(one(number)))
            if chance.random() < 0.3:
                await asyncio.sleep(chance.random() / 500)
            if chance.random() < 0.1:
                chance.choice(tasks).cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    outcomes = asyncio.run(all_calls())
    threads.shutdown()
    for number, outcome in enumerate(outcomes):
        assert outcome == number or isinstance(outcome, (ToolFailed, Cancelled, asyncio.CancelledError))
    assert (queue.running, queue.waiting, lane.free, lane.lines) == (0, 0, 3, {})
    assert slots[1] <= 3
    assert max(largest.values()) <= 2
