"""The thread executor: off the loop, results checked, exceptions unchanged."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Coroutine, Iterator
from types import ModuleType
from typing import Any

import pytest

from promptvision.builtin.threads import ThreadExecutor
from promptvision.errors import Cancelled, ToolFailed
from promptvision.runtime.call import Call, CallOutput
from promptvision.runtime.cancellation import CancelToken
from promptvision.runtime.context import CallContext
from promptvision.runtime.worker import Worker
from promptvision.testing import ExecutorContract, make_worker
from promptvision.tools import operations
from promptvision.tools.tool import Args, Operation, Result, Tool


class NoArgs(Args):
    pass


class ToolOutcome(Result):
    thread: str = ""


NOTHING = Operation(name="nothing", description="Nothing.", args=NoArgs, result=ToolOutcome)


def make(run: Any) -> Tool:
    return Tool(name="nothing", operation=NOTHING, run=run).owned_by("test", "1")


@pytest.fixture
def threads() -> Iterator[ThreadExecutor]:
    executor = ThreadExecutor(make_worker(), 2)
    yield executor
    asyncio.run(executor.close())


def start(
    executor: ThreadExecutor, tool: Tool, cancel: CancelToken | None = None
) -> Coroutine[Any, Any, CallOutput]:
    call = Call(tool=tool, args=NoArgs(), seed=0, parent=None, deadline=time.monotonic() + 30)
    return executor.execute(call, cancel=cancel or CancelToken())


def execute(executor: ThreadExecutor, tool: Tool) -> Result:
    return asyncio.run(start(executor, tool)).result


def test_tool_runs_in_a_thread_of_its_own(threads: ThreadExecutor) -> None:
    tool = make(lambda args, context: ToolOutcome(thread=threading.current_thread().name))
    result = execute(threads, tool)
    assert isinstance(result, ToolOutcome)
    assert result.thread.startswith("promptvision-tool")


def test_two_calls_run_at_once(threads: ThreadExecutor) -> None:
    meeting = threading.Barrier(2, timeout=10)

    def meet(args: Args, context: CallContext) -> ToolOutcome:
        meeting.wait()
        return ToolOutcome()

    async def both() -> list[Result]:
        outputs = await asyncio.gather(*(start(threads, make(meet)) for _ in range(2)))
        return [output.result for output in outputs]

    assert asyncio.run(both()) == [ToolOutcome(), ToolOutcome()]


@pytest.mark.parametrize("error", [ToolFailed("no film"), ValueError("odd"), KeyError("x"), MemoryError()])
def test_exceptions_of_a_tool_are_raised_unchanged(threads: ThreadExecutor, error: Exception) -> None:
    def fail(args: Args, context: CallContext) -> ToolOutcome:
        raise error

    with pytest.raises(type(error)) as info:
        execute(threads, make(fail))
    assert info.value is error


@pytest.mark.parametrize("error", [StopIteration("empty"), SystemExit(3)])
def test_base_exceptions_of_a_tool_become_a_failed_call(
    threads: ThreadExecutor, error: BaseException
) -> None:
    def fail(args: Args, context: CallContext) -> ToolOutcome:
        raise error

    with pytest.raises(ToolFailed, match=rf"^test: tool 'nothing': {type(error).__name__}: ") as info:
        execute(threads, make(fail))
    assert info.value.__cause__ is error


def test_result_of_another_type_is_the_authors_mistake(threads: ThreadExecutor) -> None:
    for wrong in (None, {"thread": "x"}, operations.BwResult):
        with pytest.raises(ToolFailed, match=r"test: tool 'nothing' returned .*, not ToolOutcome; report it"):
            execute(threads, make(lambda args, context, wrong=wrong: wrong))


def test_context_is_exited_in_every_case(threads: ThreadExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[CallContext] = []

    class Watched(CallContext):
        def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
            left.append(self)
            super().__exit__(kind, error, None)

    monkeypatch.setattr("promptvision.runtime.worker.CallContext", Watched)

    def fail(args: Args, context: CallContext) -> ToolOutcome:
        raise ToolFailed("no")

    with pytest.raises(ToolFailed):
        execute(threads, make(fail))
    execute(threads, make(lambda args, context: ToolOutcome()))
    assert len(left) == 2


def test_cancelled_call_stops_at_its_check_point(threads: ThreadExecutor) -> None:
    cancel, begun = CancelToken(), threading.Event()

    def slow(args: Args, context: CallContext) -> ToolOutcome:
        begun.set()
        while True:
            context.check_cancelled()

    async def stop() -> None:
        call = asyncio.ensure_future(start(threads, make(slow), cancel))
        await asyncio.to_thread(begun.wait, 10)
        cancel.cancel("enough")
        await call

    with pytest.raises(Cancelled, match="enough"):
        asyncio.run(stop())


def test_closed_executor_takes_no_calls() -> None:
    executor = ThreadExecutor(make_worker())
    asyncio.run(executor.close())
    with pytest.raises(RuntimeError):
        execute(executor, make(lambda args, context: ToolOutcome()))


async def on_the_loop(args: Args, context: CallContext) -> ToolOutcome:
    await asyncio.sleep(0)
    return ToolOutcome(thread=threading.current_thread().name)


async def gives_up(args: Args, context: CallContext) -> ToolOutcome:
    raise SystemExit(3)


async def returns_nothing(args: Args, context: CallContext) -> None:
    await asyncio.sleep(0)


def test_coroutine_function_runs_on_the_loop_and_not_in_a_thread(threads: ThreadExecutor) -> None:
    assert execute(threads, make(on_the_loop)) == ToolOutcome(thread=threading.current_thread().name)


def test_coroutine_functions_wait_in_parallel_without_a_thread_each(threads: ThreadExecutor) -> None:
    async def all_at_once() -> list[Result]:
        meeting = asyncio.Barrier(20)

        async def meet(args: Args, context: CallContext) -> ToolOutcome:
            await meeting.wait()
            return ToolOutcome()

        calls = (start(threads, make(meet)) for _ in range(20))
        outputs = await asyncio.wait_for(asyncio.gather(*calls), timeout=10)
        return [output.result for output in outputs]

    assert asyncio.run(all_at_once()) == [ToolOutcome()] * 20


def test_coroutine_function_named_by_a_string_gets_a_loop_of_its_own(
    threads: ThreadExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = ModuleType("waiting_tool")
    module.__dict__["run"] = on_the_loop
    monkeypatch.setitem(sys.modules, "waiting_tool", module)
    result = execute(threads, make("waiting_tool:run"))
    assert isinstance(result, ToolOutcome)
    assert result.thread.startswith("promptvision-tool")


@pytest.mark.parametrize(
    ("run", "said"), [(gives_up, "SystemExit: 3"), (returns_nothing, "returned NoneType, not ToolOutcome")]
)
def test_coroutine_functions_are_held_to_the_same_rules(threads: ThreadExecutor, run: Any, said: str) -> None:
    with pytest.raises(ToolFailed, match=said):
        execute(threads, make(run))


class TestContract(ExecutorContract):
    @classmethod
    def make_executor(cls, worker: Worker) -> ThreadExecutor:
        return ThreadExecutor(worker, 4)
