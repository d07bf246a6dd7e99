"""Everything that is installed and loaded, in one object."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint
from typing import Any

import pluggy

from promptvision.conversations.store import ConversationStore
from promptvision.errors import PluginError, SetupError
from promptvision.images.store import ImageStore
from promptvision.llm.planner import PlannerFunction
from promptvision.models.spec import ModelSpec
from promptvision.models.weights import missing_weights
from promptvision.plugins.discovery import (
    HOOKS,
    Plugin,
    PluginState,
    call_hook,
    find_plugins,
    load_plugin,
    new_manager,
)
from promptvision.plugins.specs import Check, ExecutorFactory, ProviderFactory, StoreFactory
from promptvision.settings import Settings
from promptvision.tools import operations
from promptvision.tools.artifacts import image_fields, link_types, target_field
from promptvision.tools.requirements import Missing, missing_requirements
from promptvision.tools.schema import function_parameters
from promptvision.tools.tool import Args, Operation, Phrase, Tool

__all__ = ["Registry"]

log = logging.getLogger(__name__)

CORE = {operation.name: operation for operation in operations.ALL}
"""Operations whose names belong to the core, whether a tool for them is installed or not."""
RECHECK_S = 10.0
"""How long the answer to "can this tool run here" is kept: weights may be pulled while a server runs."""


@dataclass
class _View:
    """What can run here, as it was seen at one moment; the functions are made when they are asked for."""

    taken_at: float
    missing: dict[str, list[Missing]]
    runnable: dict[str, list[Tool]]
    functions: tuple[PlannerFunction, ...] | None = None
    unavailable: tuple[PlannerFunction, ...] | None = None


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
        self._view: _View | None = None
        for plugin in plugins:
            self._admit(plugin)
        self._candidates = {name: self._ranked(name) for name in self.operations}

    @classmethod
    def load(cls, settings: Settings, found: Iterable[EntryPoint] | None = None) -> Registry:
        """Find and load all plugins.

        Args:
            settings: says which plugins are disabled and whether failures are raised.
            found: entry points to use in place of those of the environment.

        Raises:
            PluginError: a plugin is not loaded, though not disabled, and ``settings.strict_plugins`` is set.
        """
        manager = new_manager()
        plugins = find_plugins(found)
        for plugin in plugins:
            if plugin.name in settings.disabled_plugins:
                plugin.fail(PluginState.DISABLED, "by PROMPTVISION_DISABLED_PLUGINS")
            elif plugin.state is PluginState.LOADED:
                load_plugin(manager, plugin, strict=settings.strict_plugins)
        registry = cls(settings, plugins, manager)
        for plugin in plugins:
            if plugin.state not in (PluginState.LOADED, PluginState.DISABLED):
                if settings.strict_plugins:
                    raise PluginError(plugin.label, plugin.cause)
                log.warning("%s is not loaded: %s", plugin.label, plugin.cause)
        return registry

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
        return self._ask_now("promptvision_commands")

    def checks(self) -> list[Check]:
        """What plugins have ``promptvision doctor`` look at; a plugin that fails here adds none."""
        return self._ask_now("promptvision_checks")

    def _ask_now(self, hook: str) -> list[Any]:
        """What plugins return for a hook that is not called when they are loaded."""
        found: list[Any] = []
        for plugin in self.plugins:
            if plugin.module is None or plugin.state is not PluginState.LOADED:
                continue
            try:
                found.extend(call_hook(self._manager, plugin, hook))
            except (Exception, SystemExit) as exc:  # noqa: BLE001  # isolation: a plugin may raise anything
                plugin.fail(PluginState.FAILED, f"{hook}: {type(exc).__name__}: {exc}")
        return found

    # What can run here

    def missing(self, tool: Tool) -> list[Missing]:
        """What a tool lacks before it can run here; judged anew every few seconds."""
        return self._look().missing[tool.name]

    def runnable(self, operation: str) -> list[Tool]:
        """Tools that can fulfil an operation here, best first."""
        return self._look().runnable.get(operation, [])

    def candidates(self, operation: str) -> list[Tool]:
        """Tools for an operation, whether they can run here or not, best first."""
        return self._candidates.get(operation, [])

    def lacking(self, operation: str) -> str:
        """Why no tool for an operation can run here, and how to mend it; empty where one can."""
        if self.runnable(operation):
            return ""
        reasons = [
            f"tool {tool.name!r}: " + "; ".join(f"{one.what}; {one.fix}" for one in self.missing(tool))
            for tool in self.candidates(operation)
        ]
        return "; or ".join(reasons) or "no installed plugin can do it"

    def functions(self) -> tuple[PlannerFunction, ...]:
        """One function per operation that some installed tool can fulfil here."""
        view = self._look()
        if view.functions is None:
            able = [tools for _, tools in sorted(view.runnable.items()) if tools]
            view.functions = tuple(self._function(tools) for tools in able)
        return view.functions

    def unavailable(self) -> tuple[PlannerFunction, ...]:
        """One function per operation whose installed tools all lack something; ``missing`` says what."""
        view = self._look()
        if view.unavailable is None:
            unable = [name for name, tools in sorted(view.runnable.items()) if not tools]
            view.unavailable = tuple(self._unavailable(name) for name in unable)
        return view.unavailable

    def _look(self) -> _View:
        """What can run here; looked at again when the last look is too old."""
        now = time.monotonic()
        if self._view is None or now - self._view.taken_at > RECHECK_S:
            missing = {name: self._missing_now(tool) for name, tool in self.tools.items()}
            if self._view is not None and self._view.missing == missing:
                self._view.taken_at = now
            else:
                runnable = {
                    name: [tool for tool in tools if not missing[tool.name]]
                    for name, tools in self._candidates.items()
                }
                self._view = _View(now, missing, runnable)
        return self._view

    def _missing_now(self, tool: Tool) -> list[Missing]:
        has_model, setting = self._missing_model, self.settings.value
        return list(missing_requirements(tool.requires, has_model=has_model, setting=setting))

    def _unavailable(self, name: str) -> PlannerFunction:
        made = self._function(self.candidates(name))
        return replace(made, description=self.operations[name].description, missing=self.lacking(name))

    def producers(self, kind: Any) -> list[tuple[Operation, str]]:
        """Operations that make a type from an image, with the result's field of that type.

        Those that can run here come first, and among them those that can be told what to look for. One that
        itself needs the type is none.
        """
        found = []
        for name in sorted(self.operations):
            operation = self.operations[name]
            fields = [field for field, made in link_types(operation.result).items() if made == kind]
            is_from_image = image_fields(operation.args) and kind not in _needs(operation.args)
            if fields and is_from_image:
                found.append((operation, fields[0]))
        return sorted(
            found, key=lambda made: (not self.runnable(made[0].name), target_field(made[0].args) is None)
        )

    def _function(self, tools: list[Tool]) -> PlannerFunction:
        """The function that some tools fulfil, best first."""
        best = tools[0]
        needed = link_types(best.args, required=True)
        filled = {name for name, kind in needed.items() if self.producers(kind)}
        filled.update(image_fields(best.args)[:1])
        phrases = [*best.operation.phrases, *(phrase for tool in tools for phrase in tool.phrases)]
        return PlannerFunction(
            name=best.operation.name,
            description=best.operation.description + (f" Limits: {best.limits}" if best.limits else ""),
            parameters=function_parameters(best.args, optional=filled),
            phrases=tuple(phrase for phrase in phrases if isinstance(phrase, Phrase)),
            defaults=frozenset(filled),
            image=next(iter(image_fields(best.args)), None),
            target=target_field(best.args),
        )

    def _missing_model(self, model: str) -> Missing | None:
        spec = self.models.get(model)
        if spec is None:
            return Missing(f"model {model!r} is declared by no plugin", "report it to the plugin's author")
        lacking = missing_weights(spec, self.settings)
        return Missing(lacking.what, lacking.fix) if lacking else None

    def _ranked(self, operation: str) -> list[Tool]:
        tools = [tool for tool in self.tools.values() if tool.operation.name == operation]
        return sorted(tools, key=lambda tool: (not self._preferred(tool), -tool.priority, tool.name))

    def _preferred(self, tool: Tool) -> bool:
        return f"{tool.plugin}:{tool.name}" in self.settings.prefer

    # Admission

    def _admit(self, plugin: Plugin) -> None:
        """Enter a plugin's tools and models, or none of them."""
        try:
            _check_kinds(plugin)
            tools, models = self._checked_tools(plugin), self._checked_models(plugin)
        except Exception as exc:  # isolation is the purpose: building a schema may raise anything
            cause = str(exc) if isinstance(exc, PluginError) else f"{type(exc).__name__}: {exc}"
            plugin.fail(PluginState.FAILED, cause.splitlines()[0], traceback.format_exc())
            if self.settings.strict_plugins:
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
        """A plugin's tools, less those that lose to a preferred one."""
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
            if all(self._beats(tool, rival) for rival in self._rivals(tool, self.tools)):
                own[tool.name] = tool
        return list(own.values())

    def _rivals(self, tool: Tool, tools: Mapping[str, Tool]) -> list[Tool]:
        """Tools that cannot stand beside one: same name, or another contract under its operation's name."""
        return [
            other
            for other in tools.values()
            if other.name == tool.name
            or (other.operation.name == tool.operation.name and other.operation != tool.operation)
        ]

    def _beats(self, tool: Tool, rival: Tool) -> bool:
        """Whether a tool takes the place of another one.

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
        return next(plugin.distribution for plugin in self.plugins if plugin.name == name)

    # Making what settings name

    def make_image_store(self, url: str | None = None) -> ImageStore:
        """The image store at a URL, or the one that the settings name."""
        url = url or self.settings.images
        store: ImageStore = self._make_store(self.image_stores, url, "PROMPTVISION_IMAGES")
        return store

    def make_conversation_store(self, url: str | None = None) -> ConversationStore:
        """The conversation store at a URL, or the one that the settings name."""
        url = url or self.settings.conversations
        store: ConversationStore = self._make_store(
            self.conversation_stores, url, "PROMPTVISION_CONVERSATIONS"
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


def _check_kinds(plugin: Plugin) -> None:
    for hook, kind in HOOKS.items():
        for value in plugin.offers.get(hook, ()):
            if not isinstance(value, kind):
                raise PluginError(plugin.name, f"{hook} returned {value!r:.200}, not a {kind.__name__}")


def _needs(model: type[Args]) -> list[Any]:
    return list(link_types(model, required=True).values())


def _no_store(url: str | None, factories: list[StoreFactory[Any]], variable: str) -> Any:
    schemes = ", ".join(sorted({scheme for factory in factories for scheme in factory.schemes}))
    shown = (url or "").partition(":")[0]
    raise SetupError(
        f"settings: {variable}: no installed plugin handles {shown!r} URLs",
        hint=f"install the backend, or use one of: {schemes}",
    )
