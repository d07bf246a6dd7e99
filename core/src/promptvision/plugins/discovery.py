"""Finding plugins and loading each of them apart from the others.

A plugin is a module named by an entry point of the group ``promptvision``. Finding reads metadata only.
Loading gives every plugin its own try, so that one that raises leaves the rest as they were.
"""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any

import pluggy

from promptvision import PLUGIN_API
from promptvision.errors import PluginError
from promptvision.plugins import specs

__all__ = ["HOOKS", "Plugin", "PluginState", "find_plugins", "load_plugin", "new_manager"]

GROUP = "promptvision"
HOOKS = (
    "promptvision_tools",
    "promptvision_models",
    "promptvision_llm_providers",
    "promptvision_image_stores",
    "promptvision_conversation_stores",
    "promptvision_executors",
)
"""Called when a plugin is loaded; ``promptvision_commands`` is called only by the command line."""


class PluginState(StrEnum):
    """What became of a plugin."""

    LOADED = "loaded"
    DISABLED = "disabled"
    INCOMPATIBLE = "incompatible"
    FAILED = "failed"
    DUPLICATE = "duplicate"


@dataclass
class Plugin:
    """One entry point and what became of it.

    Args:
        name: entry-point name.
        distribution, version: of the package it comes from.
        entry_point: how to import it.
        state: what became of it.
        cause: why it is not loaded, in one line.
        details: traceback of the failure, for those who ask.
        offers: what each hook returned.
    """

    name: str
    distribution: str
    version: str
    entry_point: EntryPoint
    state: PluginState = PluginState.LOADED
    cause: str = ""
    details: str = ""
    module: ModuleType | None = None
    offers: dict[str, list[Any]] = field(default_factory=dict)

    def fail(self, state: PluginState, cause: str, details: str = "") -> None:
        """Note why the plugin is not loaded; it offers nothing from now on."""
        self.state, self.cause, self.details = state, cause, details
        self.offers = {}


def find_plugins(found: Iterable[EntryPoint] | None = None) -> list[Plugin]:
    """List plugins by distribution and name, without importing any.

    Args:
        found: entry points to use in place of those of the environment.
    """
    points = entry_points(group=GROUP) if found is None else found
    plugins = [_describe(point) for point in points]
    plugins.sort(key=lambda plugin: (plugin.distribution, plugin.name))
    first: dict[str, Plugin] = {}
    for plugin in plugins:
        other = first.setdefault(plugin.name, plugin)
        if other is not plugin:
            plugin.fail(
                PluginState.DUPLICATE,
                f"entry-point name {plugin.name!r} is taken by {other.distribution} {other.version}; "
                f"uninstall one of {other.distribution} and {plugin.distribution}",
            )
    return plugins


def _describe(point: EntryPoint) -> Plugin:
    dist = point.dist
    return Plugin(
        name=point.name,
        distribution=dist.name if dist else "unknown",
        version=dist.version if dist else "0",
        entry_point=point,
    )


def new_manager() -> pluggy.PluginManager:
    """A pluggy manager that knows the hook specs and nothing else."""
    manager = pluggy.PluginManager(specs.PROJECT)
    manager.add_hookspecs(specs)
    return manager


def load_plugin(manager: pluggy.PluginManager, plugin: Plugin, *, strict: bool = False) -> None:
    """Import, check and register one plugin and call its hooks; its failure stays its own.

    Args:
        manager: where it is registered.
        plugin: its state is changed in place.
        strict: raise instead of noting the failure.

    Raises:
        PluginError: only with ``strict``.
    """
    try:
        module = plugin.entry_point.load()
        _check_api(module, plugin)
        if plugin.state is not PluginState.LOADED:
            return
        manager.register(module, name=plugin.name)
        plugin.module = module
        _check_hook_names(manager, module)
        for hook in HOOKS:
            plugin.offers[hook] = call_hook(manager, plugin, hook)
    except Exception as exc:  # isolation is the purpose: a plugin may raise anything
        if manager.has_plugin(plugin.name):
            manager.unregister(name=plugin.name)
        cause = f"{type(exc).__name__}: {exc}".splitlines()[0]
        plugin.fail(PluginState.FAILED, cause, traceback.format_exc())
        if strict:
            raise PluginError(f"{plugin.distribution} {plugin.version}", cause) from exc


def call_hook(manager: pluggy.PluginManager, plugin: Plugin, hook: str) -> list[Any]:
    """What one plugin returns for one hook; an empty list when it does not implement it."""
    others = [other for other in manager.get_plugins() if other is not plugin.module]
    caller: Callable[[], list[Any]] = manager.subset_hook_caller(hook, others)
    values: list[Any] = []
    for returned in caller():
        values.extend(returned)
    return values


def _check_api(module: ModuleType, plugin: Plugin) -> None:
    wanted = getattr(module, "PLUGIN_API", PLUGIN_API)
    if not isinstance(wanted, int):
        raise TypeError(f"PLUGIN_API must be an integer, not {wanted!r}")
    if wanted > PLUGIN_API:
        plugin.fail(
            PluginState.INCOMPATIBLE,
            f"it needs plugin API {wanted}, this promptvision has {PLUGIN_API}; upgrade promptvision",
        )
    elif wanted < PLUGIN_API - 1:
        plugin.fail(
            PluginState.INCOMPATIBLE,
            f"it was written for plugin API {wanted}, this promptvision has {PLUGIN_API}; "
            f"upgrade {plugin.distribution}",
        )
    elif wanted == PLUGIN_API - 1:
        warnings.warn(
            f"{plugin.distribution}: plugin API {wanted} is being retired; the current one is {PLUGIN_API}",
            DeprecationWarning,
            stacklevel=2,
        )


def _check_hook_names(manager: pluggy.PluginManager, module: ModuleType) -> None:
    for name in dir(module):
        if not name.startswith("promptvision_") or hasattr(specs, name):
            continue
        if manager.parse_hookimpl_opts(module, name) is not None:
            known = ", ".join((*HOOKS, "promptvision_commands"))
            raise AttributeError(f"unknown hook {name!r}; the hooks are {known}")
