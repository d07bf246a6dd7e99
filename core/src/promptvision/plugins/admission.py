"""Admit tools, operations and models of the loaded plugins, and resolve clashes."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import replace

from promptvision.errors import PluginError
from promptvision.models.spec import ModelSpec
from promptvision.plugins.discovery import HOOKS, Plugin, PluginState
from promptvision.settings import Section, Settings
from promptvision.tools import operations
from promptvision.tools.schema import function_parameters
from promptvision.tools.tool import Operation, Tool

__all__ = ["Admission"]

CORE = {operation.name: operation for operation in operations.ALL}
"""Operation names reserved for the core, whether a tool for them is installed or not."""


class Admission:
    """Admits the offers of plugins, in the order of the plugins.

    A plugin that breaks its contract offers nothing and becomes ``failed``.

    Args:
        plugins: loaded plugins; their state is changed in place.
        settings: which tools are preferred, and whether failures are raised.

    Raises:
        PluginError: a plugin breaks its contract and ``settings.strict_plugins`` is set.
    """

    def __init__(self, plugins: list[Plugin], settings: Settings) -> None:
        self._plugins = plugins
        self._settings = settings
        self.tools: dict[str, Tool] = {}
        self.operations: dict[str, Operation] = {}
        self.models: dict[str, ModelSpec] = {}
        for plugin in plugins:
            self._admit(plugin)
        self._candidates = {name: self._ranked(name) for name in self.operations}

    def candidates(self, operation: str) -> list[Tool]:
        """Tools for an operation, whether they can run here or not, best first."""
        return self._candidates.get(operation, [])

    def _ranked(self, operation: str) -> list[Tool]:
        tools = [tool for tool in self.tools.values() if tool.operation.name == operation]
        return sorted(tools, key=lambda tool: (not self._preferred(tool), -tool.rank, tool.name))

    def _preferred(self, tool: Tool) -> bool:
        return f"{tool.plugin}:{tool.name}" in self._settings.prefer

    def _admit(self, plugin: Plugin) -> None:
        """Add all tools and models of a plugin, or none of them."""
        try:
            _check_kinds(plugin)
            tools, models = self._checked_tools(plugin), self._checked_models(plugin)
        except Exception as exc:  # isolation is the purpose: building a schema may raise anything
            cause = str(exc) if isinstance(exc, PluginError) else f"{type(exc).__name__}: {exc}"
            plugin.fail(PluginState.FAILED, cause.splitlines()[0], traceback.format_exc())
            if self._settings.strict_plugins:
                raise PluginError(plugin.label, plugin.cause) from exc
            return
        for tool in tools:
            for rival in self._rivals(tool, self.tools):
                del self.tools[rival.name]
            self.tools[tool.name] = tool
        self.operations = {tool.operation.name: tool.operation for tool in self.tools.values()}
        for spec in models:
            self.models[spec.id] = replace(spec, plugin=plugin.name)

    def _checked_models(self, plugin: Plugin) -> list[ModelSpec]:
        models: dict[str, ModelSpec] = {}
        for spec in plugin.offers.get("promptvision_models", ()):
            other = self.models.get(spec.id)
            if other is not None or spec.id in models:
                owner = self._distribution(other.plugin if other else plugin.name)
                raise PluginError(
                    plugin.name,
                    f"model {spec.id!r} is declared by both {owner} and {plugin.distribution}",
                    hint=f"set PROMPTVISION_DISABLED_PLUGINS to {other.plugin if other else plugin.name} "
                    f"or to {plugin.name}",
                )
            models[spec.id] = spec
        return list(models.values())

    def _checked_tools(self, plugin: Plugin) -> list[Tool]:
        """A plugin's tools, without those replaced by a preferred one."""
        own: dict[str, Tool] = {}
        for offered in plugin.offers.get("promptvision_tools", ()):
            tool: Tool = offered.owned_by(plugin.name, plugin.version)
            if CORE.get(tool.operation.name, tool.operation) != tool.operation:
                raise PluginError(
                    plugin.name,
                    f"tool {tool.name!r} redefines the operation {tool.operation.name!r}",
                    hint="use the one of promptvision.tools.operations, or another name",
                )
            if self._rivals(tool, own):
                raise PluginError(plugin.name, f"tool {tool.name!r} is offered twice, or its operation is")
            function_parameters(tool.args)  # a schema that cannot be built is found here, not in a turn
            if all(self._replaces(tool, rival) for rival in self._rivals(tool, self.tools)):
                own[tool.name] = tool
        return list(own.values())

    def _rivals(self, tool: Tool, tools: Mapping[str, Tool]) -> list[Tool]:
        """Tools that clash with one: same name, or another contract under its operation's name."""
        return [
            other
            for other in tools.values()
            if other.name == tool.name
            or (other.operation.name == tool.operation.name and other.operation != tool.operation)
        ]

    def _replaces(self, tool: Tool, rival: Tool) -> bool:
        """Whether a tool replaces another one.

        Raises:
            PluginError: the settings prefer neither.
        """
        if self._preferred(tool) or self._preferred(rival):
            return self._preferred(tool)
        what = f"tool {tool.name!r}" if tool.name == rival.name else f"operation {tool.operation.name!r}"
        raise PluginError(
            tool.plugin,
            f"{what} exists in both {self._distribution(rival.plugin)} and {self._distribution(tool.plugin)}",
            hint=f"set PROMPTVISION_PREFER to {rival.plugin}:{rival.name} or to {tool.plugin}:{tool.name}",
        )

    def _distribution(self, name: str) -> str:
        return next(plugin.distribution for plugin in self._plugins if plugin.name == name)


def _check_kinds(plugin: Plugin) -> None:
    for hook, kind in HOOKS.items():
        for value in plugin.offers.get(hook, ()):
            if not isinstance(value, kind):
                raise PluginError(plugin.name, f"{hook} returned {value!r:.200}, not a {kind.__name__}")
    for section in plugin.offers.get("promptvision_settings", ()):
        if not issubclass(section, Section):
            raise PluginError(
                plugin.name, f"promptvision_settings returned {section!r:.200}, not a subclass of Section"
            )
