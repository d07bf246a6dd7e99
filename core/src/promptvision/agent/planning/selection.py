"""Select the planner: the configured LLM providers in order, then the offline planner as fallback."""

from __future__ import annotations

import logging

from promptvision.errors import SetupError
from promptvision.llm.fallback import FallbackProvider
from promptvision.llm.planner import Planner
from promptvision.plugins.registry import Registry
from promptvision.plugins.specs import ProviderFactory
from promptvision.settings import Settings

__all__ = ["make_planner"]

log = logging.getLogger(__name__)


def make_planner(registry: Registry) -> Planner:
    """The planner that the settings name with the offline one as fallback, else all configured ones.

    Several planners form one chain of fallbacks, in order of priority.

    Raises:
        SetupError: the named planner is not installed or not configured, or no planner is available.
    """
    settings = registry.settings
    if settings.planner is not None:
        return _named(registry, settings.planner)
    ready = [made for factory in registry.providers if (made := _create(factory, settings)) is not None]
    if not ready:
        raise SetupError("no planner is available", hint="run `promptvision plugins` to see why")
    return ready[0] if len(ready) == 1 else FallbackProvider(ready)


def _create(factory: ProviderFactory, settings: Settings) -> Planner | None:
    """A planner, or None when it cannot be created here.

    Raises:
        SetupError: a setting of it is wrong.
    """
    try:
        return None if factory.unavailable(settings) else factory.create(settings)
    except SetupError:
        raise
    except Exception as exc:  # noqa: BLE001  # isolation: one plugin's planner must not stop the others
        log.warning("planner %r is left out: %s: %s", factory.name, type(exc).__name__, exc)
        return None


def _offline(registry: Registry) -> list[Planner]:
    """Planners that need nothing: those of priority 0."""
    return [factory.create(registry.settings) for factory in registry.providers if factory.priority == 0]


def _named(registry: Registry, name: str) -> Planner:
    for factory in registry.providers:
        if factory.name == name:
            if missing := factory.unavailable(registry.settings):
                raise SetupError(f"planner {name!r}: {missing}")
            chosen = factory.create(registry.settings)
            return chosen if factory.priority == 0 else FallbackProvider([chosen, *_offline(registry)])
    names = ", ".join(factory.name for factory in registry.providers)
    raise SetupError(f"settings: no planner {name!r}", hint=f"set PROMPTVISION_PLANNER to one of: {names}")
