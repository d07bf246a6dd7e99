"""Choosing who plans: the configured LLM providers in order, and the offline planner behind them."""

from __future__ import annotations

from promptvision.errors import SetupError
from promptvision.llm.ladder import Ladder
from promptvision.llm.provider import LLMProvider
from promptvision.plugins.registry import Registry

__all__ = ["make_planner"]


def make_planner(registry: Registry) -> LLMProvider:
    """The planner that the settings name, with the offline one behind it, else all that are configured.

    Several make one ladder, best first.

    Raises:
        SetupError: the named planner is not installed or not configured, or none is there at all.
    """
    settings = registry.settings
    if settings.planner is not None:
        return _named(registry, settings.planner)
    ready = [factory.create(settings) for factory in registry.providers if not factory.unavailable(settings)]
    if not ready:
        raise SetupError("no planner is available", hint="run `promptvision plugins` to see why")
    return ready[0] if len(ready) == 1 else Ladder(ready)


def _offline(registry: Registry) -> list[LLMProvider]:
    """Planners that need nothing: those of priority 0."""
    return [factory.create(registry.settings) for factory in registry.providers if factory.priority == 0]


def _named(registry: Registry, name: str) -> LLMProvider:
    for factory in registry.providers:
        if factory.name == name:
            if lacking := factory.unavailable(registry.settings):
                raise SetupError(f"planner {name!r}: {lacking}")
            chosen = factory.create(registry.settings)
            return chosen if factory.priority == 0 else Ladder([chosen, *_offline(registry)])
    names = ", ".join(factory.name for factory in registry.providers)
    raise SetupError(f"settings: no planner {name!r}", hint=f"set PROMPTVISION_PLANNER to one of: {names}")
