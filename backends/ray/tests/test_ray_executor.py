"""The Ray executor on a small cluster: the contract of executors, lost nodes, and a killed driver."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from promptvision import Agent
from promptvision.plugin import (
    ChatReply,
    ChatRequest,
    EventKind,
    MemoryConversationStore,
    Settings,
    SetupError,
    ToolCall,
    Worker,
)
from promptvision.testing import ExecutorContract, TrialArgs, install_trial_plugin, make_worker, trial_bench
from promptvision_ray.commands import list_actors, show_status, status
from promptvision_ray.executor import RayExecutor
from promptvision_ray.plugin import promptvision_checks
from promptvision_ray.testing import LocalCluster, local_cluster

WAIT_S = 90
TURNS = 40

pytestmark = pytest.mark.filterwarnings("ignore")  # those of Ray


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[LocalCluster]:
    with local_cluster(num_cpus=2) as made:
        yield made


class TestContract(ExecutorContract):
    @classmethod
    def make_executor(cls, worker: Worker) -> RayExecutor:
        return RayExecutor(worker)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = install_trial_plugin(tmp_path / "site")
    monkeypatch.syspath_prepend(str(folder))
    return folder


def ray_settings(folder: Path, **variables: object) -> Settings:
    values = {
        "PROMPTVISION_HOME": str(folder / "home"),
        "PROMPTVISION_CONVERSATIONS": "memory:",
        "PROMPTVISION_EXECUTOR": "ray",
    }
    return Settings.from_mapping({**values, **variables})


class CallsOfPrompt:
    """A planner that makes the calls ``name text`` of a prompt, one after the other, and then answers."""

    name = "calls of the prompt"
    context_tokens = 100_000

    async def complete(self, request: ChatRequest) -> ChatReply:
        last = max(place for place, message in enumerate(request.messages) if message.role == "user")
        calls = request.messages[last].content.splitlines()[0].split(" then ")
        results = [message.content for message in request.messages[last:] if message.role == "tool"]
        done = sum('"success":true' in content.replace(" ", "") for content in results)
        if done == len(calls) or len(results) > len(calls) + 1:
            return ChatReply(text=f"{done} of {len(calls)} calls succeeded")
        name, _, text = calls[done].partition(" ")
        call = ToolCall(id=f"c{len(results)}", name=name, arguments=json.dumps({"text": text}))
        return ChatReply(tool_calls=(call,), finish_reason="tool_calls")

    async def close(self) -> None:
        pass


def wait_until(is_true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WAIT_S
    while not is_true():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def lines_of(file: Path) -> list[str]:
    return file.read_text().split() if file.exists() else []


def test_turns_end_in_one_answer_each_although_a_node_is_killed(
    cluster: LocalCluster, site: Path, tmp_path: Path
) -> None:
    node, notes = cluster.add_node(num_cpus=2), tmp_path / "notes"
    store = MemoryConversationStore()
    agent = Agent(ray_settings(tmp_path), planner=CallsOfPrompt(), conversations=store)

    async def run_turns() -> list[Any]:
        async with agent:
            turns = [
                asyncio.ensure_future(
                    agent.run(f"trial_hold {notes}:{number}", user_id=f"u{number}", prompt_id="p")
                )
                for number in range(TURNS)
            ]
            await asyncio.to_thread(wait_until, lambda: len(lines_of(notes)) >= 4, "four calls run")
            await asyncio.to_thread(cluster.kill_node, node)
            await asyncio.to_thread(Path(f"{notes}.end").touch)
            return await asyncio.gather(*turns)

    replies = asyncio.run(run_turns())
    assert [reply.text_response for reply in replies] == ["1 of 1 calls succeeded"] * TURNS
    lost = 0
    for number, reply in enumerate(replies):
        (turn,) = store.history(f"u{number}", reply.conversation_id, 5)
        steps = [event.data for event in turn.events if event.kind is EventKind.STEP_FINISHED]
        assert Counter(step["status"] for step in steps)["done"] == 1
        assert steps[-1]["result"]["text"] == str(number)
        messages = [event for event in turn.events if event.kind is EventKind.MESSAGE]
        assert (len(messages), turn.reply is not None) == (1, True), steps
        lost += len(steps) - 1
    assert 1 <= lost <= 2, "the calls on the killed node were tried again"
    assert set(lines_of(notes)) == {str(number) for number in range(TURNS)}
    assert len(lines_of(notes)) == TURNS + lost


DRIVER = """
import sys
sys.path.insert(0, sys.argv[1])
import test_ray_executor as tests
from promptvision import Agent
from promptvision.plugin import Settings
import json
settings = Settings.from_mapping(json.loads(sys.argv[2]))
agent = Agent(settings, planner=tests.CallsOfPrompt())
agent.run_sync(sys.argv[3], user_id="ann", conversation_id="c", prompt_id="p")
"""


def test_turn_of_a_killed_driver_continues_by_the_journal(
    cluster: LocalCluster, site: Path, tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    Path(f"{first}.end").touch()
    prompt = f"trial_hold {first}:1 then trial_hold {second}:2"
    variables = {
        "PROMPTVISION_HOME": str(tmp_path / "home"),
        "PROMPTVISION_EXECUTOR": "ray",
        "PROMPTVISION_LEASE_S": "1",
        "RAY_ADDRESS": cluster.address,
    }
    environment = {**os.environ, "PYTHONPATH": str(site)}
    command = [sys.executable, "-c", DRIVER, str(Path(__file__).parent), json.dumps(variables), prompt]
    with subprocess.Popen(command, env=environment) as driver:
        try:
            wait_until(lambda: lines_of(second) == ["2"], "the second call runs")
        finally:
            driver.kill()
    Path(f"{second}.end").touch()

    async def run_again() -> Any:
        async with Agent(Settings.from_mapping(variables), planner=CallsOfPrompt()) as agent:
            reply = await agent.run(prompt, user_id="ann", conversation_id="c", prompt_id="p")
            return reply, agent.conversations.history("ann", "c", 5)

    reply, turns = asyncio.run(run_again())
    assert reply.text_response == "2 of 2 calls succeeded"
    assert len(turns) == 1
    assert [step.status for step in reply.steps] == ["done", "interrupted", "done"]
    assert lines_of(first) == ["1"], "a finished step is not run again"


def test_crashing_actor_fails_one_step(site: Path, tmp_path: Path) -> None:
    async def run() -> Any:
        async with Agent(ray_settings(tmp_path), planner=CallsOfPrompt()) as agent:
            crashed = await agent.run("trial hello", user_id="ann")
            again = await agent.run(f"trial_segfault_once {tmp_path / 'mark'}", user_id="bob")
            return crashed, again

    crashed, again = asyncio.run(run())
    assert [(step.tool, step.status) for step in crashed.steps] == [
        ("trial_best", "failed"),
        ("trial_fallback", "done"),
    ]
    assert "its worker actor ended" in str(crashed.steps[0].message)
    assert [step.status for step in again.steps] == ["failed", "done"]


def test_tool_that_never_returns_ends_at_its_limit_and_the_cluster_can_be_inspected(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = ray_settings(tmp_path, PROMPTVISION_CALL_TIMEOUT_S=0.5)
    bench = trial_bench(tmp_path, RayExecutor, settings)
    first = bench.result("echo").process
    with pytest.raises(Exception, match="took longer than 0 s"):
        bench.run("ignore")
    assert bench.result("echo", TrialArgs(text="next")).process not in (first, os.getpid())
    shown = CliRunner().invoke(status, ["--json"], standalone_mode=False)
    found = json.loads(shown.stdout)
    assert any(actor.get("group") == "cpu" and actor["calls"] >= 1 for actor in found["actors"])
    (difference,) = found["differences"]
    assert "promptvision-trial missing (here 1.0)" in difference, "its folder is on the path of this process"
    show_status(found)
    out = capsys.readouterr()
    assert "  alive  CPU 2" in out.out
    assert "  cpu-" in out.out
    assert difference in out.err
    (check,) = promptvision_checks()
    assert (check(settings).state, check(settings).seen) == ("fail", difference)
    asyncio.run(bench.runtime.executor.close())


def test_actor_that_cannot_read_the_image_store_or_has_another_version_is_refused(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SetupError, match="cannot read an image store in memory; set PROMPTVISION_IMAGES"):
        RayExecutor(make_worker())
    elsewhere = ray_settings(tmp_path, PROMPTVISION_IMAGES=(tmp_path / "elsewhere").as_uri())
    bench = trial_bench(tmp_path, RayExecutor, elsewhere)
    with pytest.raises(SetupError, match=r"cannot read the images of the server.*set PROMPTVISION_IMAGES"):
        bench.run("echo")
    asyncio.run(bench.runtime.executor.close())


def test_plugin_of_another_version_is_refused_and_idle_actors_end(site: Path, tmp_path: Path) -> None:
    bench = trial_bench(tmp_path, RayExecutor, ray_settings(tmp_path, PROMPTVISION_RAY_IDLE_S=1))
    bench.worker.tools = {
        name: tool.owned_by(tool.plugin, "9") if tool.plugin == "trial" else tool
        for name, tool in bench.worker.tools.items()
    }
    with pytest.raises(SetupError, match=r"plugin 'trial' has version .* there, and the call was made for 9"):
        bench.run("echo")
    wait_until(lambda: not list_actors(), "the idle actor ends")
    asyncio.run(bench.runtime.executor.close())
