"""Everything that is installed and loaded, in one object."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from importlib.metadata import EntryPoint
from typing import Any

import pluggy

from promptvision.conversations.store import ConversationStore
from promptvision.errors import PluginError, SetupError
from promptvision.images.store import ImageStore
from promptvision.llm.messages import Function
from promptvision.models.spec import ModelSpec
from promptvision.models.weights import missing_weights
from promptvision.plugins.discovery import (
    Plugin,
    PluginState,
    call_hook,
    find_plugins,
    load_plugin,
    new_manager,
)
from promptvision.plugins.specs import ExecutorFactory, ProviderFactory, StoreFactory
from promptvision.settings import Settings
from promptvision.tools.artifacts import image_fields, link_types
from promptvision.tools.requirements import Missing, missing_requirements
from promptvision.tools.schema import function_parameters
from promptvision.tools.tool import Operation, Phrase, Tool

__all__ = ["Registry"]

RECHECK_S = 10.0
"""How long the answer to "can this tool run here" is kept: weights may be pulled while a server runs."""


class Registry:
    """Tools, models, planners, stores and executors of all loaded plugins.

    Make one with :meth:`load`; tests may build one from plugins of their own.
    """

    def __init__(self, settings: Settings, plugins: list[Plugin], manager: pluggy.PluginManager) -> None:
        self.settings = settings
        self.plugins = plugins
        self._manager = manager
        self.tools: dict[str, Tool] = {}
        self.operations: dict[str, Operation] = {}
        self.models: dict[str, ModelSpec] = {}
        self._missing: dict[str, tuple[float, list[Missing]]] = {}
        self._functions: dict[tuple[str, ...], tuple[Function, ...]] = {}
        for plugin in plugins:
            self._admit(plugin)

    @classmethod
    def load(cls, settings: Settings, found: Iterable[EntryPoint] | None = None) -> Registry:
        """Find and load all plugins.

        Args:
            settings: says which plugins are disabled and whether failures are raised.
            found: entry points to use in place of those of the environment.

        Raises:
            PluginError: a plugin failed and ``settings.strict_plugins`` is set.
        """
        manager = new_manager()
        plugins = find_plugins(found)
        for plugin in plugins:
            if plugin.name in settings.disabled_plugins:
                plugin.fail(PluginState.DISABLED, "by PROMPTVISION_DISABLED_PLUGINS")
            elif plugin.state is PluginState.LOADED:
                load_plugin(manager, plugin, strict=settings.strict_plugins)
            elif settings.strict_plugins:
                raise PluginError(f"{plugin.distribution} {plugin.version}", plugin.cause)
        return cls(settings, plugins, manager)

    # What plugins offer

    def offers(self, hook: str) -> list[Any]:
        """What all loaded plugins return for a hook, in the order of the plugins."""
        return [value for plugin in self.plugins for value in plugin.offers.get(hook, ())]

    @property
    def providers(self) -> list[ProviderFactory]:
        """Planners, best first."""
        offered: list[ProviderFactory] = self.offers("promptvision_llm_providers")
        return sorted(offered, key=lambda factory: (-factory.priority, factory.name))

    @property
    def executors(self) -> list[ExecutorFactory]:
        """Executors of all plugins."""
        return self.offers("promptvision_executors")

    @property
    def image_stores(self) -> list[StoreFactory[ImageStore]]:
        """Image stores of all plugins."""
        return self.offers("promptvision_image_stores")

    @property
    def conversation_stores(self) -> list[StoreFactory[ConversationStore]]:
        """Conversation stores of all plugins."""
        return self.offers("promptvision_conversation_stores")

    def commands(self) -> list[Any]:
        """Commands that plugins add to the command line; a plugin that fails here adds none."""
        found: list[Any] = []
        for plugin in self.plugins:
            if plugin.module is None or plugin.state is not PluginState.LOADED:
                continue
            try:
                found.extend(call_hook(self._manager, plugin, "promptvision_commands"))
            except Exception as exc:  # noqa: BLE001  # isolation is the purpose: a plugin may raise anything
                plugin.fail(PluginState.FAILED, f"promptvision_commands: {type(exc).__name__}: {exc}")
        return found

    # What can run here

    def missing(self, tool: Tool) -> list[Missing]:
        """What a tool lacks before it can run here; judged anew every few seconds."""
        now = time.monotonic()
        kept = self._missing.get(tool.name)
        if kept is None or now - kept[0] > RECHECK_S:
            lacking = missing_requirements(
                tool.requires, has_model=self._missing_model, setting=self.settings.value
            )
            kept = self._missing[tool.name] = (now, list(lacking))
        return kept[1]

    def runnable(self, operation: str) -> list[Tool]:
        """Tools that can fulfil an operation here, best first."""
        return [tool for tool in self.candidates(operation) if not self.missing(tool)]

    def candidates(self, operation: str) -> list[Tool]:
        """Tools for an operation, whether they can run here or not, best first."""
        tools = [tool for tool in self.tools.values() if tool.operation.name == operation]
        return sorted(tools, key=lambda tool: (not self._preferred(tool), -tool.priority, tool.name))

    def functions(self) -> tuple[Function, ...]:
        """One function per operation that some installed tool can fulfil here."""
        best = {name: tools[0] for name in sorted(self.operations) if (tools := self.runnable(name))}
        key = tuple(tool.name for tool in best.values())
        if key not in self._functions:
            self._functions[key] = tuple(self._function(tool, tuple(best)) for tool in best.values())
        return self._functions[key]

    def producers(self, kind: Any) -> list[tuple[Operation, str]]:
        """Operations that can run here and whose result has a field of a type, with the field's name."""
        found = []
        for name in sorted(self.operations):
            operation = self.operations[name]
            fields = [field for field, made in link_types(operation.result).items() if made == kind]
            if fields and self.runnable(name):
                found.append((operation, fields[0]))
        return found

    def _function(self, tool: Tool, runnable: tuple[str, ...]) -> Function:
        operation = tool.operation
        made = {
            kind_key(kind) for name in runnable for kind in link_types(self.operations[name].result).values()
        }
        needed = link_types(tool.args, required=True)
        filled = {name for name, kind in needed.items() if kind_key(kind) in made}
        filled.update(image_fields(tool.args)[:1])
        phrases: list[Phrase | str] = [*operation.phrases]
        for other in self.runnable(operation.name):
            phrases.extend(other.phrases)
        description = operation.description + (f" Limits: {tool.limits}" if tool.limits else "")
        return Function(
            name=operation.name,
            description=description,
            parameters=function_parameters(tool.args, optional=filled),
            phrases=tuple(phrase for phrase in phrases if isinstance(phrase, Phrase)),
            defaults=frozenset(filled),
            image=next(iter(image_fields(tool.args)), None),
        )

    def _missing_model(self, model: str) -> Missing | None:
        spec = self.models.get(model)
        if spec is None:
            return Missing(f"model {model!r} is declared by no plugin", "report it to the plugin's author")
        lacking = missing_weights(spec, self.settings)
        return Missing(lacking.what, lacking.fix) if lacking else None

    def _preferred(self, tool: Tool) -> bool:
        return f"{tool.plugin}:{tool.name}" in self.settings.prefer

    # Admission

    def _admit(self, plugin: Plugin) -> None:
        """Enter a plugin's tools and models, or none of them."""
        try:
            tools = [self._own_tool(tool, plugin) for tool in plugin.offers.get("promptvision_tools", ())]
            models = list(plugin.offers.get("promptvision_models", ()))
            for spec in models:
                if not isinstance(spec, ModelSpec):
                    raise PluginError(plugin.name, f"promptvision_models returned {spec!r}, not a ModelSpec")
                if spec.id in self.models:
                    raise PluginError(
                        plugin.name, f"model {spec.id!r} is declared by {self.models[spec.id].plugin}"
                    )
            wanted = [tool for tool in tools if self._settle_clash(tool, plugin)]
        except (PluginError, ValueError) as exc:
            plugin.fail(PluginState.FAILED, str(exc))
            if self.settings.strict_plugins:
                raise PluginError(f"{plugin.distribution} {plugin.version}", str(exc)) from exc
            return
        for tool in wanted:
            self.tools[tool.name] = tool
            self.operations.setdefault(tool.operation.name, tool.operation)
        for spec in models:
            self.models[spec.id] = replace(spec, plugin=plugin.name)

    def _own_tool(self, tool: Any, plugin: Plugin) -> Tool:
        if not isinstance(tool, Tool):
            raise PluginError(plugin.name, f"promptvision_tools returned {tool!r}, not a Tool")
        known = self.operations.get(tool.operation.name)
        if known is not None and known != tool.operation:
            raise PluginError(
                plugin.name,
                f"tool {tool.name!r} brings an operation {known.name!r} of its own, but that name is taken; "
                f"use the existing operation or another name",
            )
        function_parameters(tool.args)  # a schema that cannot be built is found here, not in a turn
        return tool.owned_by(plugin.name, plugin.version)

    def _settle_clash(self, tool: Tool, plugin: Plugin) -> bool:
        """Whether the tool is to be entered, given that another may have its name."""
        other = self.tools.get(tool.name)
        if other is None or self._preferred(tool):
            return True
        if self._preferred(other):
            return False
        owner = next(known for known in self.plugins if known.name == other.plugin)
        raise PluginError(
            plugin.name,
            f"tool {tool.name!r} exists in both {owner.distribution} and {plugin.distribution}",
            hint=f"set PROMPTVISION_PREFER to {other.plugin}:{tool.name} or to {plugin.name}:{tool.name}",
        )

    # Making what settings name

    def make_image_store(self) -> ImageStore:
        """The image store that the settings name."""
        store: ImageStore = self._make_store(self.image_stores, self.settings.images, "PROMPTVISION_IMAGES")
        return store

    def make_conversation_store(self) -> ConversationStore:
        """The conversation store that the settings name."""
        store: ConversationStore = self._make_store(
            self.conversation_stores, self.settings.conversations, "PROMPTVISION_CONVERSATIONS"
        )
        return store

    def _make_store(self, factories: list[StoreFactory[Any]], url: str | None, variable: str) -> Any:
        for factory in sorted(factories, key=lambda factory: (-factory.priority, factory.name)):
            url = url or factory.default_url(self.settings)
            if url is not None and url.partition(":")[0] in factory.schemes:
                return factory.create(url, self.settings)
        return _no_store(url, factories, variable)

    def make_executor(self) -> Any:
        """The executor that the settings name."""
        for factory in self.executors:
            if factory.name == self.settings.executor:
                return factory.create(self.settings)
        names = ", ".join(factory.name for factory in self.executors)
        raise SetupError(
            f"settings: no executor {self.settings.executor!r}",
            hint=f"set PROMPTVISION_EXECUTOR to one of: {names}",
        )


def kind_key(kind: Any) -> str:
    """A hashable name of a type, generic ones included."""
    return f"{getattr(kind, '__module__', '')}.{kind!r}"


def _no_store(url: str | None, factories: list[StoreFactory[Any]], variable: str) -> Any:
    schemes = ", ".join(sorted({scheme for factory in factories for scheme in factory.schemes}))
    shown = (url or "").partition(":")[0]
    raise SetupError(
        f"settings: {variable}: no installed plugin handles {shown!r} URLs",
        hint=f"install the backend, or use one of: {schemes}",
    )
