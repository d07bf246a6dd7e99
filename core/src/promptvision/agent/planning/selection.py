"""Select the planner: the configured LLM providers in order, then the offline planner as fallback."""

from __future__ import annotations

import logging

from promptvision.errors import PromptvisionError, SetupError
from promptvision.llm.fallback import FallbackProvider
from promptvision.llm.planner import Planner
from promptvision.models.pool import ModelPool
from promptvision.plugins.registry import Registry
from promptvision.plugins.specs import ProviderFactory

__all__ = ["make_planner"]

log = logging.getLogger(__name__)


def make_planner(registry: Registry, pool: ModelPool | None = None) -> Planner:
    """The planner that the settings name with the offline one as fallback, else all configured ones.

    Several planners form one chain of fallbacks, in order of priority.

    Args:
        registry: what is installed.
        pool: where a planner in this process leases its models; default: a new one.

    Raises:
        SetupError: the named planner is not installed or not configured, or no planner is available.
    """
    pool = pool or ModelPool(registry.models, registry.settings)
    if registry.settings.planner is not None:
        return _named(registry, registry.settings.planner, pool)
    created = (_create(factory, registry, pool) for factory in registry.providers)
    ready = [planner for planner in created if planner is not None]
    if not ready:
        raise SetupError("no planner is available", hint="run `promptvision plugins` to see why")
    return ready[0] if len(ready) == 1 else FallbackProvider(ready)


def _create(factory: ProviderFactory, registry: Registry, pool: ModelPool) -> Planner | None:
    """A planner, or None when it cannot be created here.

    Raises:
        SetupError: a setting of it is wrong.
    """
    try:
        return None if factory.unavailable(registry.settings) else _made(factory, registry, pool)
    except SetupError:
        raise
    except Exception as exc:  # noqa: BLE001  # isolation: one plugin's planner must not stop the others
        log.warning("planner %r is left out: %s: %s", factory.name, type(exc).__name__, exc)
        return None


def _made(factory: ProviderFactory, registry: Registry, pool: ModelPool) -> Planner:
    made: Planner | None = factory.make(registry.settings, pool)
    if made is None:
        raise TypeError("create returned None, not a planner; report it to the plugin's author")
    return made


def _offline(registry: Registry, pool: ModelPool) -> list[Planner]:
    """Planners that need nothing: those of priority 0."""
    return [factory.make(registry.settings, pool) for factory in registry.providers if factory.priority == 0]


def _named(registry: Registry, name: str, pool: ModelPool) -> Planner:
    for factory in registry.providers:
        if factory.name == name:
            if missing := factory.unavailable(registry.settings):
                raise SetupError(f"planner {name!r}: {missing}")
            try:
                chosen = _made(factory, registry, pool)
            except PromptvisionError:
                raise
            except Exception as exc:
                raise SetupError(f"planner {name!r}: {type(exc).__name__}: {exc}") from exc
            return chosen if factory.priority == 0 else FallbackProvider([chosen, *_offline(registry, pool)])
    names = ", ".join(factory.name for factory in registry.providers)
    raise SetupError(f"settings: no planner {name!r}", hint=f"set PROMPTVISION_PLANNER to one of: {names}")
