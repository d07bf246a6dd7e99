"""Instruments: entered around every kind of activity, nested in tasks and threads, and harmless."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from contextvars import ContextVar

import pytest
from PIL import ImageOps

from promptvision import Image, ToolContext, tool
from promptvision.agent.agent import Agent
from promptvision.builtin.memory_images import MemoryImageStore
from promptvision.errors import ToolFailed
from promptvision.instruments import Activity, Instruments, StoreActivity, instrument_store
from promptvision.plugin import PlannerActivity, StepActivity, ToolRunActivity, TurnActivity
from promptvision.testing.agents import make_agent

WITHIN: ContextVar[tuple[str, ...]] = ContextVar("WITHIN", default=())


class Recorder:
    """Records each activity and its ancestors at its start and its end."""

    def __init__(self) -> None:
        self.began: list[tuple[str, ...]] = []
        self.ended: list[Activity] = []
        self.errors: list[str] = []
        self.is_closed = False

    @contextmanager
    def _note(self, activity: Activity) -> Iterator[None]:
        path = (*WITHIN.get(), type(activity).__name__.removesuffix("Activity"))
        self.began.append(path)
        token = WITHIN.set(path)
        try:
            yield
        except BaseException as exc:
            self.errors.append(f"{path[-1]}: {type(exc).__name__}")
            raise
        finally:
            WITHIN.reset(token)
            self.ended.append(activity)

    def around(self, activity: Activity) -> AbstractContextManager[object]:
        return self._note(activity)

    def headers(self) -> Mapping[str, str]:
        return {"within": "/".join(WITHIN.get())}

    def close(self) -> None:
        self.is_closed = True


class Broken:
    """Fails at everything."""

    def __init__(self, where: str) -> None:
        self._where = where

    def around(self, activity: Activity) -> AbstractContextManager[object]:
        if self._where == "around":
            raise RuntimeError("broken")
        return self._fail()

    @contextmanager
    def _fail(self) -> Iterator[None]:
        if self._where == "before":
            raise RuntimeError("broken")
        yield
        raise RuntimeError("broken")

    def headers(self) -> Mapping[str, str]:
        raise RuntimeError("broken")

    def close(self) -> None:
        raise RuntimeError("broken")


class Suppressing:
    """Tries to suppress errors."""

    @contextmanager
    def around(self, activity: Activity) -> Iterator[None]:
        with suppress(RuntimeError):
            yield

    def headers(self) -> Mapping[str, str]:
        return {}

    def close(self) -> None:
        pass


@tool(phrases=["mirror it"])
def mirror(image: Image, context: ToolContext) -> Image:
    """Mirror an image."""
    return ImageOps.mirror(image)


@tool(phrases=["break it"])
def break_it(image: Image) -> Image:
    """Fail."""
    raise ToolFailed("broken")


def make(*instruments: object, monkeypatch: pytest.MonkeyPatch) -> Agent:
    """An agent whose plugins offer these instruments."""
    from promptvision.plugins.registry import Registry

    made = Instruments(instruments)  # type: ignore[arg-type]
    monkeypatch.setattr(Registry, "make_instruments", lambda _: made)
    return make_agent([mirror, break_it])


def test_a_turn_is_nested(monkeypatch: pytest.MonkeyPatch, scene_png: bytes) -> None:
    recorder = Recorder()
    agent = make(recorder, monkeypatch=monkeypatch)
    reply = agent.run_sync("mirror it", image=scene_png)
    agent.close_sync()
    assert recorder.is_closed
    kinds = [path for path in recorder.began if path[-1] != "Store"]
    assert kinds == [
        ("Turn",),
        ("Turn", "Planner"),
        ("Turn", "Step"),
        ("Turn", "Step", "ToolRun"),
        ("Turn", "Planner"),
    ]
    stores = {path for path in recorder.began if path[-1] == "Store"}
    assert ("Turn", "Store") in stores, "the claim"
    assert ("Turn", "Step", "ToolRun", "Store") in stores, "the result, stored in the tool's thread"
    turn = next(one for one in recorder.ended if isinstance(one, TurnActivity))
    assert (turn.turn_id, turn.reply, turn.prompt) == (reply.turn_id, reply, "mirror it")
    planner = next(one for one in recorder.ended if isinstance(one, PlannerActivity))
    assert planner.planner.name == "offline"
    assert planner.reply is not None
    assert planner.reply.tool_calls[0].name == "mirror"
    step = next(one for one in recorder.ended if isinstance(one, StepActivity))
    assert step.result is not None
    assert not step.is_cached
    run = next(one for one in recorder.ended if isinstance(one, ToolRunActivity))
    assert run.headers == {"within": "Turn/Step"}


def test_a_cached_step_says_so_and_runs_nothing(monkeypatch: pytest.MonkeyPatch, scene_png: bytes) -> None:
    recorder = Recorder()
    with make(recorder, monkeypatch=monkeypatch) as agent:
        agent.run_sync("mirror it", image=scene_png)
        agent.run_sync("mirror it", image=scene_png)
    steps = [one for one in recorder.ended if isinstance(one, StepActivity)]
    assert [step.is_cached for step in steps] == [False, True]
    assert sum(isinstance(one, ToolRunActivity) for one in recorder.ended) == 1


def test_errors_pass_through_instruments(monkeypatch: pytest.MonkeyPatch, scene_png: bytes) -> None:
    recorder = Recorder()
    with make(recorder, monkeypatch=monkeypatch) as agent:
        reply = agent.run_sync("break it", image=scene_png)
    assert reply.status == "failed"
    assert recorder.errors == ["ToolRun: ToolFailed", "Step: ToolFailed"]


@pytest.mark.parametrize("where", ["around", "before", "after"])
def test_a_broken_instrument_changes_nothing(
    where: str, monkeypatch: pytest.MonkeyPatch, scene_png: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = Recorder()
    with make(Broken(where), recorder, monkeypatch=monkeypatch) as agent:
        assert agent.run_sync("mirror it", image=scene_png).status == "done"
        assert agent.run_sync("break it", image=scene_png).status == "failed"
    assert ("Turn", "Step") in recorder.began
    assert "instrument" in caplog.text


def test_an_error_cannot_be_suppressed() -> None:
    with (
        pytest.raises(RuntimeError, match="mine"),
        Instruments([Suppressing()]).around(StoreActivity, "a", "b"),
    ):
        raise RuntimeError("mine")


def test_error_of_the_activity_is_not_logged_as_that_of_an_instrument(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(KeyError), Instruments([Recorder()]).around(StoreActivity, "a", "b"):
        raise KeyError("mine")
    assert caplog.records == []


def test_without_instruments_a_store_is_itself() -> None:
    store = MemoryImageStore()
    assert instrument_store(store, "images", Instruments()) is store
    assert not Instruments()


def test_calls_of_a_store_are_activities() -> None:
    recorder = Recorder()
    store = instrument_store(MemoryImageStore(), "images", Instruments([recorder]))
    assert store.blocking is False
    store.ids()
    (activity,) = recorder.ended
    assert isinstance(activity, StoreActivity)
    assert (activity.store, activity.method) == ("images", "ids")


def test_an_instrument_that_cannot_be_made_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    from promptvision.settings import Settings
    from promptvision.testing.agents import make_registry

    def fail(settings: Settings) -> None:
        raise RuntimeError("no receiver")

    registry = make_registry()
    registry._ask_later = lambda hook: [("a", fail), ("b", lambda settings: None)]  # type: ignore[method-assign]
    with caplog.at_level(logging.WARNING):
        assert not registry.make_instruments()
    assert "promptvision-a: its instrument cannot be made: no receiver" in caplog.text


def test_turns_in_parallel_do_not_mix(monkeypatch: pytest.MonkeyPatch, scene_png: bytes) -> None:
    recorder = Recorder()
    agent = make(recorder, monkeypatch=monkeypatch)

    async def run() -> None:
        async with agent:
            await asyncio.gather(*(agent.run("mirror it", image=scene_png) for _ in range(4)))

    asyncio.run(run())
    assert {path[0] for path in recorder.began} <= {"Turn", "Store"}
    assert max(map(len, recorder.began)) <= 4
