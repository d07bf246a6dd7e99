"""Admit tools, operations and models of the loaded plugins, and resolve clashes."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import dataclass, replace

from promptvision.errors import PluginError
from promptvision.models.spec import ModelSpec
from promptvision.plugins.discovery import HOOKS, Plugin, PluginState
from promptvision.settings import Section, Settings
from promptvision.tools import operations
from promptvision.tools.schema import function_parameters
from promptvision.tools.tool import Operation, Tool

__all__ = ["Admission", "Shadowed", "ShadowedModel"]

CORE = {operation.name: operation for operation in operations.ALL}
"""Operation names reserved for the core, whether a tool for them is installed or not."""


@dataclass(frozen=True)
class Shadowed:
    """A tool that lost a clash: another tool has its name, or another contract its operation's name.

    The planner does not see it. It is called by its qualified name, ``plugin:tool``.

    Args:
        tool: the tool.
        rival: the tool that is used.
        reason: both distributions, and the setting that decides.
    """

    tool: Tool
    rival: Tool
    reason: str


@dataclass(frozen=True)
class ShadowedModel:
    """A model that lost a clash: another plugin declares other weights with the same id.

    Tools of its plugin that need it cannot run; the plugin's other tools can.

    Args:
        spec: the model.
        rival: the model that is used.
        reason: both distributions.
        fix: the setting that decides.
    """

    spec: ModelSpec
    rival: ModelSpec
    reason: str
    fix: str

    @property
    def qualified_name(self) -> str:
        """``plugin:model``."""
        return _qualified(self.spec)


class Admission:
    """Admits the offers of plugins, in the order of the plugins.

    A plugin that breaks its contract offers nothing and becomes ``failed``. Of two tools or models that
    clash, the one that the settings prefer is used, otherwise that of the earlier plugin; the other one is
    shadowed.

    Args:
        plugins: loaded plugins; their state is changed in place.
        settings: which tools are preferred, and whether failures are raised.

    Raises:
        PluginError: ``settings.strict_plugins`` is set, and a plugin breaks its contract, or two tools or
            models clash and the settings prefer neither.
    """

    def __init__(self, plugins: list[Plugin], settings: Settings) -> None:
        self._plugins = plugins
        self._settings = settings
        self.tools: dict[str, Tool] = {}
        self.shadowed: dict[str, Shadowed] = {}
        self.operations: dict[str, Operation] = {}
        self.models: dict[str, ModelSpec] = {}
        self.shadowed_models: dict[str, ShadowedModel] = {}
        for plugin in plugins:
            self._admit(plugin)
        self._candidates = {name: self._ranked(name) for name in self.operations}
        self._candidates |= {tool.qualified_name: [tool] for tool in self.all_tools()}

    def all_tools(self) -> list[Tool]:
        """The admitted tools and the shadowed ones."""
        return [*self.tools.values(), *(shadowed.tool for shadowed in self.shadowed.values())]

    def candidates(self, name: str) -> list[Tool]:
        """Tools for an operation, whether they can run here or not, best first.

        Args:
            name: the operation, or ``plugin:tool`` for one tool, shadowed or not.
        """
        return self._candidates.get(name, [])

    def _ranked(self, operation: str) -> list[Tool]:
        tools = [tool for tool in self.tools.values() if tool.operation.name == operation]
        return sorted(tools, key=lambda tool: (not self._preferred(tool), -tool.rank, tool.name))

    def _preferred(self, tool: Tool) -> bool:
        return tool.qualified_name in self._settings.prefer

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
            self._add(tool, plugin)
        self.operations = {tool.operation.name: tool.operation for tool in self.tools.values()}
        for spec in models:
            self._add_model(spec, plugin)

    def _checked_models(self, plugin: Plugin) -> list[ModelSpec]:
        """A plugin's models with their owner."""
        models: dict[str, ModelSpec] = {}
        for spec in plugin.offers.get("promptvision_models", ()):
            if spec.id in models:
                raise PluginError(plugin.name, f"model {spec.id!r} is declared twice")
            models[spec.id] = replace(spec, plugin=plugin.name)
        return list(models.values())

    def _add_model(self, spec: ModelSpec, plugin: Plugin) -> None:
        """Admit a model; of two with one id, the one that the settings name first, else the earlier one."""
        rival = self.models.setdefault(spec.id, spec)
        if rival is spec:
            return
        order = self._settings.prefer
        named = [name for name in order if name in (_qualified(spec), _qualified(rival))]
        used, other = (spec, rival) if named[:1] == [_qualified(spec)] else (rival, spec)
        self.models[spec.id] = used
        owner = self._distribution(used.plugin)
        shadowed = ShadowedModel(
            other,
            used,
            f"model {spec.id!r} is declared by both {owner} and {self._distribution(other.plugin)}, and "
            f"that of {owner} is used",
            f"set PROMPTVISION_PREFER to {_qualified(used)} or to {_qualified(other)}",
        )
        self.shadowed_models[shadowed.qualified_name] = shadowed
        if not named:
            plugin.cause = f"{shadowed.reason}; {shadowed.fix}"
            if self._settings.strict_plugins:
                raise PluginError(plugin.label, plugin.cause)

    def _checked_tools(self, plugin: Plugin) -> list[Tool]:
        """A plugin's tools with their owner."""
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
            own[tool.name] = tool
        return list(own.values())

    def _add(self, tool: Tool, plugin: Plugin) -> None:
        """Admit a tool in place of its rivals if it is preferred to all of them; otherwise shadow it."""
        rivals = self._rivals(tool, self.tools)
        if self._preferred(tool) and not any(self._goes_before(rival, tool) for rival in rivals):
            for rival in rivals:
                del self.tools[rival.name]
                self._shadow(rival, tool)
            self.tools[tool.name] = tool
        elif not rivals:
            self.tools[tool.name] = tool
        else:
            rival = next((rival for rival in rivals if self._preferred(rival)), rivals[0])
            self._shadow(tool, rival)
            if not self._preferred(rival):
                plugin.cause = self.shadowed[tool.qualified_name].reason
                if self._settings.strict_plugins:
                    raise PluginError(plugin.label, plugin.cause)

    def _goes_before(self, rival: Tool, tool: Tool) -> bool:
        """Whether the settings name a rival before a preferred tool."""
        order = self._settings.prefer
        is_named = rival.qualified_name in order
        return is_named and order.index(rival.qualified_name) < order.index(tool.qualified_name)

    def _shadow(self, tool: Tool, rival: Tool) -> None:
        what = f"tool {tool.name!r}" if tool.name == rival.name else f"operation {tool.operation.name!r}"
        owner, other = self._distribution(rival.plugin), self._distribution(tool.plugin)
        self.shadowed[tool.qualified_name] = Shadowed(
            tool,
            rival,
            f"{what} exists in both {owner} and {other}, and that of {owner} is used; "
            f"set PROMPTVISION_PREFER to {rival.qualified_name} or to {tool.qualified_name}, "
            f"or call this one as {tool.qualified_name}",
        )

    def _rivals(self, tool: Tool, tools: Mapping[str, Tool]) -> list[Tool]:
        """Tools that clash with one: same name, or another contract under its operation's name."""
        return [
            other
            for other in tools.values()
            if other.name == tool.name
            or (other.operation.name == tool.operation.name and other.operation != tool.operation)
        ]

    def _distribution(self, name: str) -> str:
        return next(plugin.distribution for plugin in self._plugins if plugin.name == name)


def _qualified(spec: ModelSpec) -> str:
    return f"{spec.plugin}:{spec.id}"


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
