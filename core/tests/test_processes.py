"""The process executor: the contract, and tools that break the process they run in."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from promptvision import Agent, tool
from promptvision.agent.reply import Reply, Step
from promptvision.builtin.processes import ProcessExecutor
from promptvision.errors import Cancelled, SetupError, ToolFailed, WorkerLost
from promptvision.llm.messages import ChatReply, ChatRequest, ToolCall
from promptvision.runtime.cancellation import CancelToken
from promptvision.runtime.context import Progress
from promptvision.runtime.worker import Worker
from promptvision.settings import Settings
from promptvision.testing import ExecutorContract, make_worker
from promptvision.testing.executor import TrialBench, trial_bench
from promptvision.testing.executor_tools import TrialArgs, TrialResult, install_trial_plugin, trial_tools
from promptvision.testing.program import write_plugin
from promptvision.tools.tool import Result


class TestContract(ExecutorContract):
    @classmethod
    def make_executor(cls, worker: Worker) -> ProcessExecutor:
        return ProcessExecutor(worker, 2)


def test_image_store_in_memory_is_refused() -> None:
    with pytest.raises(SetupError, match="cannot read an image store in memory; set PROMPTVISION_IMAGES to"):
        ProcessExecutor(make_worker(), 1)


def process_settings(folder: Path, **variables: object) -> Settings:
    return Settings.from_mapping(
        {
            "PROMPTVISION_HOME": str(folder / "home"),
            "PROMPTVISION_CONVERSATIONS": "memory:",
            "PROMPTVISION_EXECUTOR": "processes",
            "PROMPTVISION_WORKERS": 2,
            **variables,
        }
    )


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = install_trial_plugin(tmp_path / "site")
    monkeypatch.syspath_prepend(str(folder))
    return folder


class OneCall:
    """A planner that calls the function that the prompt names once, and then answers with its result."""

    name = "one call"
    context_tokens = 100_000

    async def complete(self, request: ChatRequest) -> ChatReply:
        said = request.messages[-1]
        if said.role == "tool":
            return ChatReply(text=said.content)
        prompt = next(message.content for message in reversed(request.messages) if message.role == "user")
        name, _, text = prompt.splitlines()[0].partition(" ")
        call = ToolCall(id="c1", name=name, arguments=json.dumps({"text": text}))
        return ChatReply(tool_calls=(call,), finish_reason="tool_calls")

    async def close(self) -> None:
        pass


def field(step: Step, name: str) -> object:
    assert step.result is not None
    return step.result[name]


def run_turns(settings: Settings, prompts: list[str]) -> list[Reply]:
    """The replies of turns of as many users that run at once."""

    async def run_all() -> list[Reply]:
        async with Agent(settings, planner=OneCall()) as agent:
            return await asyncio.gather(
                *(agent.run(prompt, user_id=f"u{number}") for number, prompt in enumerate(prompts))
            )

    return asyncio.run(run_all())


def test_crashing_tools_fail_one_step_each_among_50_turns(site: Path, tmp_path: Path) -> None:
    settings = process_settings(tmp_path, PROMPTVISION_WORKER_MEMORY=2**29, PROMPTVISION_CALL_TIMEOUT_S=5)
    broken = {
        "trial_segfault": "its worker process was killed by SIGSEGV",
        "trial_exit": "its worker process ended with exit code 3",
        "trial_exhaust": "MemoryError",
        "trial_ignore": "took longer than 5 s",
    }
    prompts = [f"trial_echo n{number}" for number in range(50)]
    prompts[5::12] = [f"{name} x" for name in broken]
    replies = run_turns(settings, prompts)
    for number, (prompt, reply) in enumerate(zip(prompts, replies, strict=True)):
        last = reply.steps[-1]
        if (said := broken.get(prompt.partition(" ")[0])) is not None:
            assert last.status == "failed"
            assert said in str(last.message)
        else:
            assert (last.status, field(last, "text")) == ("done", f"n{number}")
            assert field(last, "process") != os.getpid()
        assert reply.text_response


def test_fallback_tool_replaces_one_that_crashes(site: Path, tmp_path: Path) -> None:
    (reply,) = run_turns(process_settings(tmp_path), ["trial hello"])
    assert [(step.tool, step.status) for step in reply.steps] == [
        ("trial_best", "failed"),
        ("trial_fallback", "done"),
    ]
    assert field(reply.steps[1], "text") == "hello"


def test_only_tool_of_an_operation_is_tried_again_in_another_process(site: Path, tmp_path: Path) -> None:
    (reply,) = run_turns(process_settings(tmp_path), [f"trial_segfault_once {tmp_path / 'mark'}"])
    assert [step.status for step in reply.steps] == ["failed", "done"]
    assert field(reply.steps[1], "text") == "second time"


def test_tool_of_the_application_runs_in_this_process(tmp_path: Path) -> None:
    @tool
    def own_process(image: Image.Image) -> str:
        """Return the process id."""
        return str(os.getpid())

    async def call() -> str:
        async with Agent(process_settings(tmp_path), tools=[own_process]) as agent:
            reply = await agent.call_tool("own_process", {"image": Image.new("RGB", (4, 4))})
            return reply.text_response

    assert str(os.getpid()) in asyncio.run(call())


def test_workers_are_reused_and_end_with_the_executor(site: Path, tmp_path: Path) -> None:
    bench = trial_bench(tmp_path, lambda worker: ProcessExecutor(worker, 1), process_settings(tmp_path))
    processes = {bench.result("echo", TrialArgs(text=str(number))).process for number in range(5)}
    assert len(processes) == 1
    asyncio.run(bench.runtime.executor.close())
    with pytest.raises(ProcessLookupError):
        os.kill(processes.pop(), 0)


def test_process_that_ran_out_of_memory_is_replaced(site: Path, tmp_path: Path) -> None:
    settings = process_settings(tmp_path, PROMPTVISION_WORKER_MEMORY=2**29)
    bench = trial_bench(tmp_path, lambda worker: ProcessExecutor(worker, 1), settings)
    before = bench.result("echo", TrialArgs(text="before")).process
    with pytest.raises(MemoryError):
        bench.run("exhaust")
    assert bench.result("echo", TrialArgs(text="after")).process != before
    asyncio.run(bench.runtime.executor.close())


def test_worker_that_cannot_read_the_image_store_refuses_to_start(site: Path, tmp_path: Path) -> None:
    settings = process_settings(tmp_path, PROMPTVISION_IMAGES=(tmp_path / "elsewhere").as_uri())
    bench = trial_bench(tmp_path, lambda worker: ProcessExecutor(worker, 1), settings)
    with pytest.raises(SetupError, match=r"cannot read the images of the server.*set PROMPTVISION_IMAGES"):
        bench.run("echo")
    asyncio.run(bench.runtime.executor.close())


def test_worker_without_the_plugin_names_it(tmp_path: Path) -> None:
    bench = trial_bench(tmp_path, lambda worker: ProcessExecutor(worker, 1), process_settings(tmp_path))
    bench.worker.tools = trial_tools()
    with pytest.raises(SetupError, match="has no tool 'trial_echo' of plugin 'trial'"):
        bench.run("echo")
    asyncio.run(bench.runtime.executor.close())


def test_settings_choose_the_executor_of_each_plugin(site: Path, tmp_path: Path) -> None:
    settings = process_settings(
        tmp_path,
        PROMPTVISION_EXECUTOR="threads",
        PROMPTVISION_EXECUTORS="trial_echo:processes,*:threads",
    )
    apart, here = run_turns(settings, ["trial_echo a", "trial_report b"])
    assert field(apart.steps[0], "process") != os.getpid()
    assert field(here.steps[0], "text") == "b"
    unknown = process_settings(tmp_path, PROMPTVISION_EXECUTORS="trial:mill")
    with pytest.raises(SetupError, match="no executor 'mill'; set PROMPTVISION_EXECUTORS to one of"):
        Agent(unknown)
    with pytest.raises(SetupError, match="write it as sam:processes"):
        process_settings(tmp_path, PROMPTVISION_EXECUTORS="processes")


def is_gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def wait_until_gone(process: int) -> None:
    deadline = time.monotonic() + 120
    while not is_gone(process):
        assert time.monotonic() < deadline, "the worker process is still there"
        time.sleep(0.01)


SERVER = """
import pathlib, sys, time
from promptvision.builtin.processes import ProcessExecutor
from promptvision.testing.executor import TrialBench, trial_bench
from promptvision.testing.executor_tools import TrialArgs
bench = trial_bench(pathlib.Path(sys.argv[1]), lambda worker: ProcessExecutor(worker, 1))
print(bench.result("echo", TrialArgs()).process, flush=True)
bench.run("ignore")
"""


def test_worker_ends_when_the_server_is_killed(site: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(site)}
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, str(tmp_path)], stdout=subprocess.PIPE, env=environment
    ) as server:
        assert server.stdout is not None
        process = int(server.stdout.readline())
        assert not is_gone(process)
        server.kill()
    wait_until_gone(process)


def test_worker_that_ignores_a_cancellation_is_killed(site: Path, tmp_path: Path) -> None:
    bench = trial_bench(tmp_path, lambda worker: ProcessExecutor(worker, 1), process_settings(tmp_path))
    first = bench.result("echo").process
    cancel, begun = CancelToken(), threading.Event()

    async def cancel_it() -> None:
        call = bench.start_async("ignore", cancel=cancel, on_progress=lambda *_: begun.set())
        assert await asyncio.to_thread(begun.wait, 30)
        cancel.cancel("cancelled by the user")
        await call

    with pytest.raises(Cancelled, match="by the user"):
        asyncio.run(cancel_it())
    wait_until_gone(first)
    assert bench.result("echo", TrialArgs(text="next")).process != first
    asyncio.run(bench.runtime.executor.close())


def test_killed_idle_worker_fails_no_call(site: Path, tmp_path: Path) -> None:
    bench = trial_bench(tmp_path, lambda worker: ProcessExecutor(worker, 1), process_settings(tmp_path))
    first = bench.result("echo").process
    os.kill(first, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):  # reaped already
        os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)  # all its threads have ended
    assert bench.result("echo", TrialArgs(text="next")).process != first
    asyncio.run(bench.runtime.executor.close())


def test_call_that_its_process_never_began_runs_in_another_one(
    site: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bench = trial_bench(tmp_path, lambda worker: ProcessExecutor(worker, 1), process_settings(tmp_path))
    executor = bench.runtime.executor
    assert isinstance(executor, ProcessExecutor)
    first = bench.result("echo").process

    pool = executor._pool("")

    def kill_once_it_is_taken() -> None:
        while not pool._busy:
            time.sleep(0.001)
        os.kill(first, signal.SIGKILL)

    async def kill_before_it_begins() -> Result:
        os.kill(first, signal.SIGSTOP)
        call = bench.start_async("echo", TrialArgs(text="again"))
        await asyncio.to_thread(kill_once_it_is_taken)
        return (await call).result

    result = asyncio.run(kill_before_it_begins())
    assert isinstance(result, TrialResult)
    assert result.text == "again"
    assert result.process != first
    assert "killed by SIGKILL, perhaps for using too much memory before it began the call" in caplog.text
    asyncio.run(executor.close())


_BATCHING = '''
"""A tool whose first call waits for a file, and that says how many calls ran together."""

import os
import time
from pathlib import Path

from promptvision.plugin import Args, Batch, Operation, Result, Tool, ToolFailed, hookimpl

PLUGIN_API = 1


class CountArgs(Args):
    folder: str
    number: int


class Counted(Result):
    together: int
    process: int


def count(args, context):
    if args.number == 0:
        Path(args.folder, "begun").touch()
        while not Path(args.folder, "go").exists():
            context.check_cancelled()
            time.sleep(0.005)
    if args.number == 13:
        os.kill(os.getpid(), 9)
    return Counted(together=1, process=os.getpid())


def count_all(calls):
    if any(args.number == 13 for args, _ in calls):
        os.kill(os.getpid(), 9)
    made = []
    for args, context in calls:
        context.progress(args.number, 9, "together")
        error = ToolFailed("five") if args.number == 5 else None
        made.append(error or Counted(together=len(calls), process=os.getpid()))
    return made


@hookimpl
def promptvision_tools():
    operation = Operation(name="count", description="Count.", args=CountArgs, result=Counted)
    return [Tool(name="count", operation=operation, run=count, batch=Batch(run=count_all))]
'''


@pytest.fixture(scope="module")
def counting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrialBench]:
    """A bench with two worker processes and a tool that runs calls together."""
    folder = tmp_path_factory.mktemp("counting")
    others = [point.name for point in entry_points(group="promptvision") if point.name != "promptvision"]
    settings = process_settings(folder, PROMPTVISION_DISABLED_PLUGINS=",".join(others))
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(write_plugin(folder / "site", "counting", _BATCHING)))
        bench = trial_bench(folder, lambda worker: ProcessExecutor(worker, 2), settings)
        yield bench
        asyncio.run(bench.runtime.executor.close())


def count_together(
    bench: TrialBench, folder: Path, numbers: list[int], cancel_number: int | None = None
) -> tuple[list[Any], dict[int, float]]:
    """The results or errors of a call and of those that wait for it, and their reported progress."""
    tool, reported = bench.worker.tools["count"], dict[int, float]()

    def note(number: int) -> Progress:
        return lambda done, total, message: reported.__setitem__(number, done)

    def wait() -> None:
        while not (folder / "begun").exists() or bench.runtime.queue.waiting < len(numbers):
            time.sleep(0.005)

    async def run() -> list[Any]:
        tokens = {number: CancelToken() for number in (0, *numbers)}
        calls = [
            asyncio.ensure_future(
                bench.runtime.execute(
                    tool,
                    tool.args(folder=str(folder), number=number),  # type: ignore[call-arg]
                    cancel=token,
                    timeout_s=60,
                    on_progress=note(number),
                    user=f"u{number}",
                )
            )
            for number, token in tokens.items()
        ]
        await asyncio.to_thread(wait)
        if cancel_number is not None:
            tokens[cancel_number].cancel("not wanted")
        (folder / "go").touch()
        return await asyncio.gather(*calls, return_exceptions=True)

    return asyncio.run(run()), reported


def test_calls_that_wait_run_together_in_one_process(counting: TrialBench, tmp_path: Path) -> None:
    (first, *rest), reported = count_together(counting, tmp_path, [1, 2, 3, 5, 7], cancel_number=7)
    assert first.result.together == 1
    assert [one.result.together for one in rest[:3]] == [4, 4, 4]
    assert len({one.result.process for one in rest[:3]}) == 1
    assert isinstance(rest[3], ToolFailed)
    assert isinstance(rest[4], Cancelled)
    assert reported == {1: 1, 2: 2, 3: 3, 5: 5}
    assert rest[0].notes == ("Ran together with 3 other calls.",)


def test_call_that_kills_the_process_of_a_batch_fails_alone(counting: TrialBench, tmp_path: Path) -> None:
    (first, *rest), _ = count_together(counting, tmp_path, [13, 14])
    assert first.result.together == 1
    assert isinstance(rest[0], WorkerLost)
    assert "was killed by SIGKILL" in str(rest[0])
    assert rest[1].result.together == 1
    assert (counting.runtime.queue.running, counting.runtime.queue.waiting) == (0, 0)
