"""Finding plugins and loading each of them apart from the others.

A plugin is a module named by an entry point of the group ``promptvision``. Finding reads metadata only.
Loading gives every plugin its own try, so that one that raises leaves the rest as they were.
"""

from __future__ import annotations

import inspect
import re
import traceback
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any

import pluggy

from promptvision.errors import PluginError
from promptvision.models.spec import ModelSpec
from promptvision.plugins import PLUGIN_API, specs
from promptvision.plugins.first_party import FIRST_PARTY
from promptvision.tools.decorator import ToolLike, as_tool, decorated_tools
from promptvision.tools.tool import Tool

__all__ = [
    "HOOKS",
    "Plugin",
    "PluginState",
    "application_plugin",
    "find_plugins",
    "load_plugin",
    "new_manager",
]

GROUP = "promptvision"
CORE_MODULE = "promptvision.builtin.plugin"
HOOKS: dict[str, type] = {
    "promptvision_tools": Tool,
    "promptvision_models": ModelSpec,
    "promptvision_llm_providers": specs.ProviderFactory,
    "promptvision_image_stores": specs.StoreFactory,
    "promptvision_conversation_stores": specs.StoreFactory,
    "promptvision_executors": specs.ExecutorFactory,
    "promptvision_settings": type,
}
"""Hooks that are called when a plugin is loaded, and what each must return an iterable of."""
ASKED_LATER = (
    "promptvision_commands",
    "promptvision_routes",
    "promptvision_observers",
    "promptvision_checks",
)
"""Hooks that are called only when the command line, a server or an agent needs them."""


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

    @property
    def label(self) -> str:
        """Distribution and version, for messages."""
        return f"{self.distribution} {self.version}"

    def fail(self, state: PluginState, cause: str, details: str = "") -> None:
        """Note why the plugin is not loaded; it offers nothing from now on."""
        self.state, self.cause, self.details = state, cause, details
        self.offers = {}


def application_plugin(tools: Sequence[ToolLike]) -> Plugin:
    """The plugin that stands for an application which passes tools of its own.

    Args:
        tools: the tools, or functions decorated with ``@tool``.
    """
    entry_point = EntryPoint("app", "app", "promptvision")
    return Plugin("app", "app", "0", entry_point, offers={"promptvision_tools": [*map(as_tool, tools)]})


def find_plugins(found: Iterable[EntryPoint] | None = None) -> list[Plugin]:
    """List plugins without importing any: the core, this project's by name, then all others by name.

    An entry-point name belongs to the first plugin of this order that has it.

    Args:
        found: entry points to use in place of those of the environment.
    """
    points = entry_points(group=GROUP) if found is None else found
    plugins = [_describe(point) for point in points]
    plugins.sort(key=lambda plugin: (_rank(plugin), plugin.distribution, plugin.name))
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


def _rank(plugin: Plugin) -> int:
    if plugin.entry_point.value == CORE_MODULE:
        return 0
    name = re.sub(r"[-_.]+", "-", plugin.distribution).lower()
    return 1 if name in FIRST_PARTY else 2


def _describe(point: EntryPoint) -> Plugin:
    dist = point.dist
    return Plugin(
        name=point.name,
        distribution=(dist and dist.name) or "unknown",  # None when an installation was cut short
        version=(dist and dist.version) or "0",
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
    where = "import"
    try:
        module = plugin.entry_point.load()
        if (reason := _why_incompatible(module, plugin)) is not None:
            plugin.fail(PluginState.INCOMPATIBLE, reason)
            return
        where = "registration"
        _check_hooks(manager, module)
        manager.register(module, name=plugin.name)
        plugin.module = module
        for hook in HOOKS:
            where = hook
            plugin.offers[hook] = call_hook(manager, plugin, hook)
        plugin.offers["promptvision_tools"] = _all_tools(plugin, module)
    except (Exception, SystemExit) as exc:  # isolation is the purpose: a plugin may raise anything
        if manager.has_plugin(plugin.name):
            manager.unregister(name=plugin.name)
        cause = f"{where}: {type(exc).__name__}: {exc}".splitlines()[0]
        plugin.fail(PluginState.FAILED, cause, traceback.format_exc())
        if strict:
            raise PluginError(plugin.label, cause) from exc


def call_hook(manager: pluggy.PluginManager, plugin: Plugin, hook: str) -> list[Any]:
    """What one plugin returns for one hook; an empty list when it does not implement it."""
    others = [other for other in manager.get_plugins() if other is not plugin.module]
    caller = manager.subset_hook_caller(hook, others)
    if not caller.get_hookimpls():
        return []
    returned = caller() or [None]  # pluggy leaves None out
    values: list[Any] = []
    for value in returned:
        if value is None or isinstance(value, (str, Mapping)) or not isinstance(value, Iterable):
            shown = "None" if value is None else f"{type(value).__name__} {value!r:.80}"
            raise TypeError(f"it returned {shown}; return a list, such as [one, other], or [] for nothing")
        values.extend(value)
    return values


def _all_tools(plugin: Plugin, module: ModuleType) -> list[Any]:
    """What the hook returned and the decorated functions of the module, each once."""
    tools = [as_tool(offered) for offered in plugin.offers["promptvision_tools"]]
    return tools + [made for made in decorated_tools(module) if all(made is not known for known in tools)]


def _why_incompatible(module: ModuleType, plugin: Plugin) -> str | None:
    wanted = getattr(module, "PLUGIN_API", PLUGIN_API)
    if not isinstance(wanted, int):
        raise TypeError(f"PLUGIN_API must be an integer, not {wanted!r}")
    if wanted > PLUGIN_API:
        return f"it needs plugin API {wanted}, this promptvision has {PLUGIN_API}; upgrade promptvision"
    if wanted < PLUGIN_API - 1:
        return (
            f"it was written for plugin API {wanted}, this promptvision has {PLUGIN_API}; "
            f"upgrade {plugin.distribution}"
        )
    if wanted == PLUGIN_API - 1:
        warnings.warn(
            f"{plugin.distribution}: plugin API {wanted} is being retired; the current one is {PLUGIN_API}",
            DeprecationWarning,
            stacklevel=2,
        )
    return None


def _check_hooks(manager: pluggy.PluginManager, module: ModuleType) -> None:
    for name in dir(module):
        if manager.parse_hookimpl_opts(module, name) is None:
            continue
        if not hasattr(specs, name):
            known = ", ".join((*HOOKS, *ASKED_LATER))
            raise AttributeError(f"unknown hook {name!r}; the hooks are {known}")
        if extra := [*inspect.signature(getattr(module, name)).parameters]:
            raise pluggy.PluginValidationError(
                module, f"hook {name!r} takes no argument {', '.join(extra)}; write 'def {name}():'"
            )
