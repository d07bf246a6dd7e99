"""Availability: checked on disk off the event loop, and isolated per tool."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from promptvision.models.devices import has_gpu
from promptvision.models.spec import ModelSpec
from promptvision.plugins import availability, readiness
from promptvision.plugins.registry import Registry
from promptvision.settings import Settings
from promptvision.testing.agents import make_agent, make_registry
from promptvision.tools import operations
from promptvision.tools.context import ToolContext
from promptvision.tools.requirements import Gpu, Missing, Requirements, missing_requirements
from promptvision.tools.tool import Args, Result, Tool


def nothing(args: Args, context: ToolContext) -> Result:
    raise NotImplementedError


def to_grey(args: operations.ImageArgs, context: ToolContext) -> operations.BwResult:
    made = context.save(context.open(args.image_url).convert("L"))
    return operations.BwResult(original_image_url=args.image_url, bw_image_url=made)


def bw_tool(name: str, **changes: Any) -> Tool:
    return Tool(name=name, operation=operations.CONVERT_TO_BW, **{"run": nothing, **changes})


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the threads in which requirements are checked."""
    seen: list[str] = []

    def noted(*args: Any, **kwargs: Any) -> Any:
        seen.append(threading.current_thread().name)
        return missing_requirements(*args, **kwargs)

    monkeypatch.setattr(readiness, "missing_requirements", noted)
    return seen


def test_refresh_checks_in_a_thread_and_only_when_expired(threads: list[str]) -> None:
    registry = make_registry([bw_tool("grey")])

    async def look() -> None:
        await registry.availability.refresh()
        await registry.availability.refresh()
        assert [function.name for function in registry.functions()] == ["convert_to_bw"]

    asyncio.run(look())
    assert len(threads) == 1
    assert threads[0] != threading.main_thread().name


def test_call_of_one_operation_checks_in_a_thread(threads: list[str], scene_png: bytes) -> None:
    agent = make_agent([bw_tool("grey", run=to_grey)])

    async def call() -> None:
        reply = await agent.call_tool("convert_to_bw", {"image_url": scene_png})
        assert [step.status for step in reply.steps] == ["done"]

    asyncio.run(call())
    assert threads
    assert threading.main_thread().name not in threads


def test_expired_snapshot_is_refreshed_behind_the_event_loop(
    threads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = make_registry([bw_tool("grey")])
    registry.functions()
    monkeypatch.setattr(availability, "RECHECK_S", -1.0)
    threads.clear()

    async def look() -> None:
        assert registry.functions()
        for _ in range(1000):
            if threads:
                break
            await asyncio.sleep(0.01)

    asyncio.run(look())
    assert threads
    assert threading.main_thread().name not in threads


def test_requirements_that_cannot_be_checked_stop_one_tool_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(spec: ModelSpec, settings: Settings) -> Missing | None:
        raise OSError("disk is gone")

    monkeypatch.setattr(readiness, "missing_weights", fail)
    spec = ModelSpec(id="tiny", source="a/b", revision="0", files=(), license="MIT")
    needy = bw_tool("needy", requires=Requirements(models=("tiny",)))
    registry = make_registry([needy, bw_tool("fine")], models=[spec])
    assert [tool.name for tool in registry.runnable("convert_to_bw")] == ["fine"]
    (missing,) = registry.missing(registry.tools["needy"])
    assert missing.what == "the requirements of tool 'needy' cannot be checked: OSError: disk is gone"
    assert missing.fix.endswith("the author of plugin 'test'")


def test_loading_the_registry_checks_nothing(threads: list[str]) -> None:
    Registry.load(Settings(), [])
    make_registry([bw_tool("grey")])
    assert threads == []


def test_function_is_described_by_the_best_tool_that_serves_any_arguments() -> None:
    some = bw_tool("some", priority=90, limits="Some only.", accepts=lambda args: False)
    registry = make_registry([some, bw_tool("all", limits="Anything.")])
    assert [function.description.rpartition(": ")[2] for function in registry.functions()] == ["Anything."]
    registry = make_registry([some])
    assert [function.description.rpartition(": ")[2] for function in registry.functions()] == ["Some only."]


def test_only_the_settings_of_a_tool_that_runs_on_other_machines_are_checked_here() -> None:
    requires = Requirements(
        models=("huge",), gpu=Gpu.REQUIRED, binaries={"no-such-program": "x"}, settings={"API_URL": "address"}
    )
    away, here = bw_tool("away", requires=requires), bw_tool("here", requires=requires)
    registry = make_registry([away, here])
    checked = availability.Availability(
        registry.availability._admission, registry.settings, lambda tool: tool.name == "away"
    )
    away, here = (registry.tools_by_name()[name] for name in ("away", "here"))
    assert [missing.what for missing in checked.missing(away)] == ["API_URL is not set"]
    assert len(checked.missing(here)) == 3 + (not has_gpu())
