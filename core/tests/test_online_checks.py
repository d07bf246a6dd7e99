"""The check of each planner: listed models, a probe, and planners that have neither."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from promptvision.cli.online_checks import planners
from promptvision.errors import ProviderError
from promptvision.llm.planner import ListingPlanner, Planner, ProbingPlanner
from promptvision.plugins.discovery import Plugin, new_manager
from promptvision.plugins.registry import Registry
from promptvision.plugins.specs import Finding, ProviderFactory
from promptvision.settings import Settings
from promptvision.testing.planner import ScriptedPlanner

SETTINGS = Settings(strict_plugins=True)


class Probing(ScriptedPlanner):
    """A planner that answers a probe, or fails it."""

    def __init__(self, failure: ProviderError | None = None) -> None:
        super().__init__([])
        self._failure = failure

    async def probe(self) -> str:
        if self._failure is not None:
            raise self._failure
        return "small"


class Listing(Probing):
    """A planner that also lists the models of its host."""

    def __init__(self, models: list[str]) -> None:
        super().__init__()
        self._models = models

    async def models(self) -> list[str]:
        return self._models


class Unlisting(Probing):
    """A planner whose host does not list its models."""

    async def models(self) -> list[str]:
        raise ProviderError("no list", kind="malformed")


def check(planner: Planner, *, offline: bool = False) -> Finding:
    factory = ProviderFactory(
        name="host", priority=50, unavailable=lambda settings: None, create=lambda settings: planner
    )
    entry = EntryPoint("test", "test", "promptvision")
    offers = {"promptvision_llm_providers": [factory]}
    plugin = Plugin("test", "promptvision-test", "0", entry, offers=offers)
    registry = Registry(SETTINGS, [plugin], new_manager())
    (finding,) = planners(registry, SETTINGS, offline=offline)
    assert finding.check == "planner host"
    return finding


def test_planner_without_a_probe_is_ready() -> None:
    planner = ScriptedPlanner([])
    assert not isinstance(planner, ProbingPlanner | ListingPlanner)
    assert check(planner).seen == "ready"
    assert not planner.is_closed


@pytest.mark.parametrize(
    ("planner", "state", "seen"),
    [
        (Probing(), "ok", "'small', the host lists no models, called a tool as asked"),
        (Unlisting(), "ok", "'small', the host lists no models, called a tool as asked"),
        (
            Listing(["big", "small"]),
            "ok",
            "'small', one of 2 models that the host lists, called a tool as asked",
        ),
        (Listing(["big"]), "warn", "'small' called a tool as asked, but the host does not list it"),
        (Probing(ProviderError("down", kind="connection")), "fail", "down"),
    ],
)
def test_planner_with_a_probe_is_asked_and_closed(planner: Probing, state: str, seen: str) -> None:
    finding = check(planner)
    assert (finding.state, finding.seen) == (state, seen)
    assert planner.is_closed


def test_offline_check_asks_nothing() -> None:
    planner = Probing(ProviderError("down", kind="connection"))
    assert check(planner, offline=True).seen == "configured; not checked (--offline)"
    assert planner.requests == []
