"""Stores and executors by name; an error in a plugin's factory names the factory."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from promptvision.builtin.threads import ThreadExecutor
from promptvision.errors import SetupError, StoreError
from promptvision.plugins.factories import (
    APPLICATION,
    executor_name,
    make_conversation_store,
    make_executor,
    make_image_store,
)
from promptvision.plugins.specs import ExecutorFactory, ProviderFactory, StoreFactory
from promptvision.runtime.call import Call
from promptvision.runtime.executor import Executor
from promptvision.runtime.mixed import MixedExecutor
from promptvision.runtime.worker import Worker
from promptvision.settings import Settings
from promptvision.testing import make_worker
from promptvision.testing.executor_tools import TrialArgs, trial_tools
from promptvision.tools.tool import Tool


def factory(name: str, **changes: Any) -> StoreFactory[Any]:
    given: dict[str, Any] = {
        "name": name,
        "schemes": (name,),
        "create": lambda url, settings: (name, url),
        "default_url": lambda settings: None,
    }
    return StoreFactory(**{**given, **changes})


def test_store_is_chosen_by_scheme_then_by_the_default_of_the_highest_priority() -> None:
    local = factory("local", default_url=lambda settings: "local:", priority=0)
    cloud = factory("cloud", default_url=lambda settings: "cloud:x")
    by_url: Any = make_image_store([local, cloud], Settings(), "local:y")
    assert by_url == ("local", "local:y")
    by_default: Any = make_image_store([local, cloud], Settings())
    assert by_default == ("cloud", "cloud:x")
    by_setting: Any = make_conversation_store([local], Settings(conversations="local:z"))
    assert by_setting == ("local", "local:z")


def explode(*args: Any) -> Any:
    raise AttributeError("'NoneType' object has no attribute 'url'")


@pytest.mark.parametrize("field", ["create", "default_url"])
def test_factory_that_raises_is_named(field: str) -> None:
    changes: dict[str, Any] = {"default_url": lambda settings: "odd:", field: explode}
    with pytest.raises(SetupError, match=r"^store 'odd': AttributeError: .*"):
        make_image_store([factory("odd", **changes)], Settings())


def test_error_that_a_factory_raises_on_purpose_stays_as_it_is() -> None:
    def refuse(url: str, settings: Settings) -> Any:
        raise StoreError("odd: not today")

    with pytest.raises(StoreError, match=r"^odd: not today$"):
        make_image_store([factory("odd", create=refuse)], Settings(), "odd:")


def test_factory_that_returns_nothing_is_named() -> None:
    nothing: Any = lambda *args: None  # noqa: E731
    with pytest.raises(SetupError, match=r"^store 'odd': TypeError: create returned None; report it"):
        make_image_store([factory("odd", create=nothing)], Settings(), "odd:")
    with pytest.raises(SetupError, match=r"^executor 'threads': TypeError: create returned None; report it"):
        make_executor([ExecutorFactory(name="threads", create=nothing)], make_worker())


def test_executor_that_raises_is_named() -> None:
    with pytest.raises(SetupError, match="executor 'threads': AttributeError"):
        make_executor([ExecutorFactory(name="threads", create=explode)], make_worker())


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (
            lambda: factory("a", schemes="a"),
            r"StoreFactory 'a': schemes is one string; write schemes=\('a',\)",
        ),
        (
            lambda: factory("a", create=None),
            "StoreFactory 'a': create must be a function of URL and Settings",
        ),
        (lambda: factory("a", priority="high"), "StoreFactory 'a': priority must be an int, not str 'high'"),
        (lambda: ExecutorFactory(name="e", create=3), "ExecutorFactory 'e': create must be a function"),  # type: ignore[arg-type]
        (
            lambda: ProviderFactory(name="p", priority=1, unavailable=None, create=explode),  # type: ignore[arg-type]
            "ProviderFactory 'p': unavailable must be a function of Settings, not NoneType None",
        ),
    ],
)
def test_field_of_the_wrong_type_is_named(make: Any, fault: str) -> None:
    with pytest.raises(TypeError, match=fault):
        make()


def test_executor_of_a_tool_is_the_one_that_runs_it() -> None:
    settings = Settings.from_mapping({"PROMPTVISION_EXECUTORS": "trial_echo:ray,trial:processes,*:far"})
    tools = trial_tools()
    other = tools["trial_echo"].owned_by("other", "1")
    assert executor_name(tools["trial_echo"], settings) == "ray"
    assert executor_name(tools["trial_wait"], settings) == "processes"
    assert executor_name(replace(other, name="echo"), settings) == "far"
    assert executor_name(replace(other, name="echo", python="/env/bin/python"), settings) == "processes"
    assert executor_name(tools["trial_echo"].owned_by(APPLICATION, "1"), settings) == "threads"
    assert executor_name(other, Settings()) == "threads"


def test_plugin_in_an_environment_of_its_own_runs_in_processes_whatever_the_executor() -> None:
    apart = replace(trial_tools()["trial_echo"], python="/env/bin/python")
    made: dict[str, Any] = {name: ThreadExecutor(make_worker(), 1) for name in ("processes", "ray")}
    factories = [ExecutorFactory(name=name, create=partial(chosen_executor, made[name])) for name in made]
    worker = make_worker(
        Settings(executor="ray"), tools=[apart, trial_tools()["trial_wait"].owned_by("o", "1")]
    )
    executor = make_executor(factories, worker)
    assert isinstance(executor, MixedExecutor)
    chosen = [executor.executor_of(make_call(tool)) for tool in worker.tools.values()]
    assert chosen == [made["processes"], made["ray"]]


def chosen_executor(executor: Executor, worker: Worker) -> Executor:
    return executor


def make_call(tool: Tool) -> Call:
    return Call(tool=tool, args=TrialArgs(), seed=0, parent=None, deadline=0)
