from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import pytest

from promptvision.agent.planning.selection import make_planner
from promptvision.builtin.offline import OfflinePlanner
from promptvision.errors import SetupError
from promptvision.llm.fallback import FallbackProvider
from promptvision.llm.planner import Planner
from promptvision.models.pool import ModelPool
from promptvision.plugins.registry import Registry
from promptvision.plugins.specs import ProviderFactory
from promptvision.settings import Settings
from promptvision.testing.agents import make_registry
from promptvision.testing.planner import ScriptedPlanner


def scripted(settings: Settings) -> Planner:
    return ScriptedPlanner([], name="scripted")


def broken(settings: Settings) -> Planner:
    raise KeyError("model")


def misconfigured(settings: Settings) -> Planner:
    raise SetupError("settings: TEMPERATURE: 'warm' is not a number")


def ready(settings: Settings) -> None:
    return None


def unavailable_reason(settings: Settings) -> str:
    return "SCRIPTED_KEY is not set"


def registry(*factories: ProviderFactory, planner: str | None = None) -> Registry:
    made = make_registry(settings=Settings(planner=planner))
    made.plugins[-1].offers["promptvision_llm_providers"] = list(factories)
    return made


SCRIPTED = ProviderFactory(name="scripted", priority=50, unavailable=ready, create=scripted)


def test_nothing_configured_leaves_the_offline_planner() -> None:
    assert isinstance(make_planner(registry()), OfflinePlanner)


def test_what_is_configured_comes_before_the_offline_planner() -> None:
    made = make_planner(registry(SCRIPTED))
    assert isinstance(made, FallbackProvider)
    assert made.name == "scripted"


def test_provider_without_a_key_is_left_out_unless_it_is_named() -> None:
    keyless = ProviderFactory(name="scripted", priority=50, unavailable=unavailable_reason, create=scripted)
    assert isinstance(make_planner(registry(keyless)), OfflinePlanner)
    with pytest.raises(SetupError, match="SCRIPTED_KEY is not set"):
        make_planner(registry(keyless, planner="scripted"))


def test_planner_that_was_named_has_the_offline_one_behind_it() -> None:
    assert isinstance(make_planner(registry(SCRIPTED, planner="scripted")), FallbackProvider)
    assert isinstance(make_planner(registry(SCRIPTED, planner="offline")), OfflinePlanner)
    with pytest.raises(SetupError, match="one of: scripted, offline"):
        make_planner(registry(SCRIPTED, planner="unknown"))


def test_broken_planner_does_not_affect_the_others(caplog: pytest.LogCaptureFixture) -> None:
    bad = ProviderFactory(name="bad", priority=90, unavailable=ready, create=broken)
    with caplog.at_level(logging.WARNING):
        assert make_planner(registry(bad, SCRIPTED)).name == "scripted"
    assert "planner 'bad' is left out: KeyError" in caplog.text


def test_planner_that_is_not_created_is_named(caplog: pytest.LogCaptureFixture) -> None:
    nothing: Any = lambda settings: None  # noqa: E731
    empty = replace(SCRIPTED, create=nothing)
    assert isinstance(make_planner(registry(empty)), OfflinePlanner)
    assert "planner 'scripted' is left out: TypeError: create returned None, not a planner" in caplog.text
    with pytest.raises(SetupError, match=r"^planner 'scripted': TypeError: create returned None"):
        make_planner(registry(empty, planner="scripted"))


def test_wrong_setting_is_reported_and_not_ignored() -> None:
    wrong = ProviderFactory(name="wrong", priority=90, unavailable=ready, create=misconfigured)
    with pytest.raises(SetupError, match="'warm' is not a number"):
        make_planner(registry(wrong, SCRIPTED))


def test_planner_that_uses_models_gets_the_pool_of_the_process() -> None:
    made: list[tuple[Settings, ModelPool]] = []

    def local(settings: Settings, pool: ModelPool) -> Planner:
        made.append((settings, pool))
        return ScriptedPlanner([], name="local")

    factory = ProviderFactory(name="local", priority=20, unavailable=ready, create=local, uses_models=True)
    for found in (registry(factory), registry(factory, planner="local")):
        pool = ModelPool({}, found.settings)
        assert make_planner(found, pool).name == "local"
        assert made.pop() == (found.settings, pool)


def test_host_goes_before_an_llm_of_this_machine() -> None:
    local = ProviderFactory(
        name="local", priority=20, unavailable=ready, create=lambda _: ScriptedPlanner([], name="local")
    )
    chain = make_planner(registry(local, SCRIPTED))
    assert isinstance(chain, FallbackProvider)
    assert [planner.name for planner in chain._providers] == ["scripted", "local", "offline"]
