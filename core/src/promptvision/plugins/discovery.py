"""Find plugins, and load each of them isolated from the others.

A plugin is a module named by an entry point of the group ``promptvision``. Finding reads metadata only. A
plugin that fails to load does not affect the others.
"""

from __future__ import annotations

import inspect
import re
import sys
import time
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
from promptvision.plugins.guard import run_guarded
from promptvision.plugins.heavy_modules import HEAVY_MODULES
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
"""Hooks that are called when a plugin is loaded, with the item type of the iterable that each returns."""
ASKED_LATER = (
    "promptvision_commands",
    "promptvision_routes",
    "promptvision_instruments",
    "promptvision_observers",
    "promptvision_middleware",
    "promptvision_checks",
    "promptvision_evaluators",
)
"""Hooks that are called only when the command line, a server or an agent needs them."""


class PluginState(StrEnum):
    """States of a plugin."""

    LOADED = "loaded"
    DISABLED = "disabled"
    INCOMPATIBLE = "incompatible"
    FAILED = "failed"
    DUPLICATE = "duplicate"


@dataclass
class Plugin:
    """One entry point and its state.

    Args:
        name: entry-point name.
        distribution, version: of the package it comes from.
        entry_point: how to import it.
        state: whether it is loaded.
        cause: why it is not loaded or offers nothing, in one line.
        details: traceback of the failure.
        module: the imported module.
        import_ms: import time in milliseconds; None when it was not imported.
        imported: names of the modules that were first imported when it was loaded.
        api: version of the plugin API that it was written for; None when it was not imported.
        is_cacheable: whether its offers depend on nothing but its code, the environment variables and the
            settings; ``PLUGIN_CACHE = False`` in its module says that they do not.
        offers: the result of each hook.
        python: interpreter of the plugin's own environment, if it has one; it is not imported here then.
        variables: settings that a plugin in its own environment reads.
    """

    name: str
    distribution: str
    version: str
    entry_point: EntryPoint
    state: PluginState = PluginState.LOADED
    cause: str = ""
    details: str = ""
    module: ModuleType | None = None
    import_ms: float | None = None
    imported: tuple[str, ...] = ()
    api: int | None = None
    is_cacheable: bool = True
    offers: dict[str, list[Any]] = field(default_factory=dict)
    python: str = ""
    variables: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Distribution and version, for messages."""
        return f"{self.distribution} {self.version}"

    @property
    def heavy_modules(self) -> tuple[str, ...]:
        """Heavy modules that were first imported when it was loaded."""
        return tuple(name for name in HEAVY_MODULES if name in self.imported)

    @property
    def license(self) -> str:
        """Licence of the distribution, in one line; empty if the metadata does not name one."""
        dist = self.entry_point.dist
        if dist is None:
            return ""
        names = [dist.metadata[key] for key in ("License-Expression", "License") if key in dist.metadata]
        return names[0].strip().partition("\n")[0] if names else ""

    @property
    def is_uncertain(self) -> bool:
        """Whether loading it again may give something else, although no file has changed."""
        return self.state is PluginState.FAILED or not self.is_cacheable

    def fail(self, state: PluginState, cause: str, details: str = "") -> None:
        """Record why the plugin is not loaded, and drop its offers."""
        self.state, self.cause, self.details = state, cause, details
        self.offers = {}


def application_plugin(tools: Sequence[ToolLike]) -> Plugin:
    """The plugin that represents an application's own tools.

    Args:
        tools: the tools, or functions decorated with ``@tool``.
    """
    entry_point = EntryPoint("app", "app", "promptvision")
    return Plugin("app", "app", "0", entry_point, offers={"promptvision_tools": [*map(as_tool, tools)]})


def find_plugins(found: Iterable[EntryPoint] | None = None) -> list[Plugin]:
    """List plugins without importing any: the core, this project's by name, then all others by name.

    An entry-point name belongs to the first plugin of this order that has it.

    Args:
        found: entry points to use instead of those of the environment.
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
    """A pluggy manager with the hook specs only."""
    manager = pluggy.PluginManager(specs.PROJECT)
    manager.add_hookspecs(specs)
    return manager


def load_plugin(manager: pluggy.PluginManager, plugin: Plugin, *, strict: bool = False) -> None:
    """Import, check and register one plugin and call its hooks; a failure affects no other plugin.

    Args:
        manager: the manager to register it with.
        plugin: its state is changed in place.
        strict: raise instead of recording the failure.

    Raises:
        PluginError: only with ``strict``.
    """
    steps = _Load(manager, plugin)
    try:
        run_guarded(steps.run, plugin.label)
    except BaseException as exc:  # isolation: a plugin may raise anything
        if isinstance(exc, KeyboardInterrupt) and not steps.has_raised:
            raise  # the user's own
        steps.is_abandoned = True
        if manager.has_plugin(plugin.name):
            manager.unregister(name=plugin.name)
        cause = f"{steps.where}: {type(exc).__name__}: {exc}".splitlines()[0]
        plugin.fail(PluginState.FAILED, cause, "".join(traceback.format_exception(exc)))
        if strict:
            raise PluginError(plugin.label, cause) from exc


class _Load:
    """The steps of loading one plugin; ``where`` names the current one."""

    def __init__(self, manager: pluggy.PluginManager, plugin: Plugin) -> None:
        self._manager = manager
        self._plugin = plugin
        self.where = "import"
        self.has_raised = False
        self.is_abandoned = False

    def run(self) -> None:
        """Import, check, register, and call the hooks."""
        known = set(sys.modules)
        try:
            self._run()
        except BaseException:
            self.has_raised = True
            raise
        finally:
            if not self.is_abandoned:
                self._plugin.imported = tuple(name for name in sys.modules.copy() if name not in known)

    def _run(self) -> None:
        plugin, manager = self._plugin, self._manager
        began = time.perf_counter()
        module = plugin.entry_point.load()
        plugin.import_ms = (time.perf_counter() - began) * 1e3
        if self.is_abandoned:
            return
        if not isinstance(module, ModuleType):
            raise TypeError(
                f"the entry point {plugin.entry_point.value!r} must name a module, such as "
                f"'{plugin.entry_point.module}'"
            )
        plugin.is_cacheable = getattr(module, "PLUGIN_CACHE", True) is not False
        if (reason := _why_incompatible(module, plugin)) is not None:
            plugin.fail(PluginState.INCOMPATIBLE, reason)
            return
        self.where = "registration"
        _check_hooks(manager, module)
        manager.register(module, name=plugin.name)
        plugin.module = module
        for hook in HOOKS:
            self.where = hook
            plugin.offers[hook] = call_hook(manager, plugin, hook)
        plugin.offers["promptvision_tools"] = _all_tools(plugin, module)
        if not any(plugin.offers.values()) and not manager.get_hookcallers(module):
            plugin.cause = "it offers nothing; decorate a function with @tool, or implement a hook"


def call_hook(manager: pluggy.PluginManager, plugin: Plugin, hook: str) -> list[Any]:
    """The result of one plugin for one hook; an empty list when it does not implement it."""
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
    """The tools that the hook returned and the decorated functions of the module, each once."""
    tools = [as_tool(offered) for offered in plugin.offers["promptvision_tools"]]
    return tools + [made for made in decorated_tools(module) if all(made is not known for known in tools)]


def _why_incompatible(module: ModuleType, plugin: Plugin) -> str | None:
    wanted = getattr(module, "PLUGIN_API", PLUGIN_API)
    if not isinstance(wanted, int):
        raise TypeError(f"PLUGIN_API must be an integer, not {wanted!r}")
    plugin.api = wanted
    if wanted > PLUGIN_API:
        return f"it needs plugin API {wanted}, this promptvision has {PLUGIN_API}; upgrade promptvision"
    if wanted < PLUGIN_API - 1:
        return (
            f"it was written for plugin API {wanted}, this promptvision has {PLUGIN_API}; "
            f"upgrade {plugin.distribution}"
        )
    if wanted == PLUGIN_API - 1:
        warnings.warn(
            f"{plugin.distribution}: plugin API {wanted} is deprecated; the current one is {PLUGIN_API}",
            DeprecationWarning,
            stacklevel=2,
        )
    return None


def _check_hooks(manager: pluggy.PluginManager, module: ModuleType) -> None:
    for name in dir(module):
        if manager.parse_hookimpl_opts(module, name) is None:
            if hasattr(specs, name) and name.startswith("promptvision_") and callable(getattr(module, name)):
                raise AttributeError(f"function {name!r} is not a hook; decorate it with @hookimpl")
            continue
        if not hasattr(specs, name):
            known = ", ".join((*HOOKS, *ASKED_LATER))
            raise AttributeError(f"unknown hook {name!r}; the hooks are {known}")
        if extra := [*inspect.signature(getattr(module, name)).parameters]:
            raise pluggy.PluginValidationError(
                module, f"hook {name!r} takes no argument {', '.join(extra)}; write 'def {name}():'"
            )
