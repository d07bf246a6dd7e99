"""The registry of installed and loaded plugins."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING, Any

import pluggy

from promptvision.conversations.store import ConversationStore
from promptvision.errors import PluginError
from promptvision.images.store import ImageStore
from promptvision.instruments import Instruments
from promptvision.llm.planner import PlannerFunction
from promptvision.needs import NeedsSetup
from promptvision.plugins import factories
from promptvision.plugins.admission import Admission
from promptvision.plugins.availability import Availability, Named
from promptvision.plugins.catalog import Catalog, make_catalog
from promptvision.plugins.commands import Command
from promptvision.plugins.discovery import (
    Plugin,
    PluginState,
    application_plugin,
    call_hook,
    find_plugins,
    load_plugin,
    new_manager,
)
from promptvision.plugins.evaluators import Evaluator
from promptvision.plugins.middleware import Middleware
from promptvision.plugins.specs import Check, ExecutorFactory, Observer, ProviderFactory, StoreFactory
from promptvision.plugins.variables import find_misspelt
from promptvision.settings import PREFIX, Section, Settings
from promptvision.tools.decorator import ToolLike
from promptvision.tools.requirements import Missing
from promptvision.tools.tool import Operation, Tool

if TYPE_CHECKING:
    import click
    from starlette.routing import BaseRoute, Router

    from promptvision.runtime.executor import Executor
    from promptvision.runtime.worker import Worker

__all__ = ["Registry"]

log = logging.getLogger(__name__)


class Registry:
    """Tools, models, planners, stores and executors of all loaded plugins.

    Create one with :meth:`load`; tests may build one from their own plugins.
    """

    def __init__(self, settings: Settings, plugins: list[Plugin], manager: pluggy.PluginManager) -> None:
        self.settings = settings
        self.plugins = plugins
        self._manager = manager
        admitted = Admission(plugins, settings)
        self.tools = admitted.tools
        self.shadowed = admitted.shadowed
        self.all_tools = admitted.all_tools
        self.operations = admitted.operations
        self.models = admitted.models
        self.shadowed_models = admitted.shadowed_models
        self.candidates = admitted.candidates
        self.availability = Availability(admitted, settings, self._runs_elsewhere)
        self.warnings: tuple[str, ...] = ()

    @classmethod
    def load(
        cls,
        settings: Settings,
        found: Iterable[EntryPoint] | None = None,
        *,
        tools: Sequence[ToolLike] = (),
    ) -> Registry:
        """Find and load all plugins.

        Args:
            settings: says which plugins are disabled and whether failures are raised.
            found: entry points to use instead of those of the environment.
            tools: tools of the application itself, admitted like those of a plugin named ``app``.

        Raises:
            PluginError: a tool of the application is not admitted; or a plugin is not loaded, though not
                disabled, and ``settings.strict_plugins`` is set.
        """
        manager = new_manager()
        plugins = find_plugins(found)
        if any(name.startswith(f"{PREFIX}ENV_") for name in settings.names):
            from promptvision.plugins.environments import place_isolated

            plugins = place_isolated(plugins, settings)
        application = application_plugin(tools)
        if tools:
            plugins.append(application)
        for plugin in plugins:
            if plugin.name in settings.disabled_plugins:
                plugin.fail(PluginState.DISABLED, "by PROMPTVISION_DISABLED_PLUGINS")
            elif plugin.state is PluginState.LOADED and plugin is not application and not plugin.python:
                load_plugin(manager, plugin, strict=settings.strict_plugins)
        registry = cls(settings, plugins, manager)
        for plugin in plugins:
            is_absent = plugin.state not in (PluginState.LOADED, PluginState.DISABLED)
            if is_absent and settings.strict_plugins:
                raise PluginError(plugin.label, plugin.cause)
            if plugin is application and plugin.cause:  # its author is the caller
                raise PluginError(plugin.label, plugin.cause)
        registry.warnings = tuple(registry._warnings())
        for line in registry.warnings:
            log.warning("%s", line)
        return registry

    def _warnings(self) -> Iterator[str]:
        for plugin in self.plugins:
            if plugin.state not in (PluginState.LOADED, PluginState.DISABLED):
                yield f"{plugin.label} is not loaded: {plugin.cause}"
            elif plugin.state is PluginState.LOADED and plugin.cause:
                yield f"{plugin.label} is loaded, but {plugin.cause}"
        yield from find_misspelt(self)

    # What plugins offer

    def offers(self, hook: str) -> list[Any]:
        """The results of all loaded plugins for a hook, in the order of the plugins."""
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

    def offered_tools(self) -> list[Tool]:
        """Tools of all loaded plugins with their owners, also those that lost a clash."""
        return [
            tool.owned_by(plugin.name, plugin.version)
            for plugin in self.plugins
            for tool in plugin.offers.get("promptvision_tools", ())
        ]

    def tools_by_name(self) -> dict[str, Tool]:
        """The tools by name, and those that are shadowed by qualified name."""
        return {**self.tools, **{name: shadowed.tool for name, shadowed in self.shadowed.items()}}

    def find_tool(self, plugin: str, name: str) -> Tool | None:
        """A tool by its plugin and name, shadowed or not; None if it is not installed."""
        return next(iter(self.candidates(f"{plugin}:{name}")), None)

    @property
    def sections(self) -> dict[str, list[type[Section]]]:
        """Settings sections that plugins declare, by plugin."""
        hook = "promptvision_settings"
        return {plugin.name: plugin.offers[hook] for plugin in self.plugins if plugin.offers.get(hook)}

    def commands(self) -> list[Command | click.Command]:
        """Commands of all plugins, the core's first."""
        return [command for _, command in self._ask_later("promptvision_commands")]

    def plugin_commands(self) -> list[tuple[str, Command | click.Command]]:
        """Commands of the plugins other than the core's, each with the name of its plugin."""
        return [found for found in self._ask_later("promptvision_commands") if found[0] != "promptvision"]

    def routes(self) -> list[BaseRoute | Router]:
        """Routes that plugins add to the server; a router is a group of routes with a lifespan."""
        return [route for _, route in self._ask_later("promptvision_routes")]

    def checks(self) -> list[Check]:
        """Checks that plugins add to ``promptvision doctor``."""
        return [check for _, check in self._ask_later("promptvision_checks")]

    def evaluators(self) -> list[Evaluator]:
        """Data layouts with metrics for ``promptvision eval``, in the order of the plugins."""
        return [evaluator for _, evaluator in self._ask_later("promptvision_evaluators")]

    @cached_property
    def observers(self) -> list[Observer]:
        """Observers of all plugins."""
        return [observer for _, observer in self._ask_later("promptvision_observers")]

    def make_instruments(self) -> Instruments:
        """The instruments of all plugins that are on; one that cannot be made is logged and left out."""
        made = []
        for name, factory in self._ask_later("promptvision_instruments"):
            try:
                instrument = factory(self.settings)
            except Exception as exc:  # noqa: BLE001  # isolation: a plugin may raise anything
                log.warning("promptvision-%s: its instrument cannot be made: %s", name, exc)
                continue
            if instrument is not None:
                made.append(instrument)
        return Instruments(made)

    @cached_property
    def middleware(self) -> list[Middleware]:
        """Middleware of all plugins, in the order of the plugins."""
        return [middleware for _, middleware in self._ask_later("promptvision_middleware")]

    def _ask_later(self, hook: str) -> list[tuple[str, Any]]:
        """Call a hook that is not called at load time; a plugin that raises becomes ``failed``."""
        found: list[tuple[str, Any]] = []
        for plugin in self.plugins:
            if plugin.module is None or plugin.state is not PluginState.LOADED:
                continue
            try:
                found.extend((plugin.name, value) for value in call_hook(self._manager, plugin, hook))
            except (Exception, SystemExit) as exc:  # noqa: BLE001  # isolation: a plugin may raise anything
                plugin.fail(PluginState.FAILED, f"{hook}: {type(exc).__name__}: {exc}")
                log.warning("%s: %s", plugin.label, plugin.cause)
        return found

    @cached_property
    def catalog(self) -> Catalog:
        """A description of the plugins and their tools as plain values, made at the first use."""
        return make_catalog(self)

    # What can run here

    def missing(self, tool: Named) -> list[Missing]:
        """See :meth:`Availability.missing`."""
        return self.availability.missing(tool)

    def runnable(self, operation: str) -> list[Tool]:
        """See :meth:`Availability.runnable`."""
        return self.availability.runnable(operation)

    def needs(self, operation: str, values: Mapping[str, Any] | None = None) -> NeedsSetup | None:
        """See :meth:`Availability.needs`."""
        return self.availability.needs(operation, values)

    def missing_reason(self, operation: str) -> str:
        """See :meth:`Availability.reason`."""
        return self.availability.reason(operation)

    def functions(self) -> tuple[PlannerFunction, ...]:
        """See :meth:`Availability.functions`."""
        return self.availability.functions()

    def unavailable(self) -> tuple[PlannerFunction, ...]:
        """See :meth:`Availability.unavailable`."""
        return self.availability.unavailable()

    def producers(self, kind: Any) -> list[tuple[Operation, str]]:
        """See :meth:`Availability.producers`."""
        return self.availability.producers(kind)

    # Making what settings name

    def make_image_store(self, url: str | None = None) -> ImageStore:
        """The image store at a URL, or the one that the settings name."""
        return factories.make_image_store(self.image_stores, self.settings, url)

    def make_conversation_store(self, url: str | None = None) -> ConversationStore:
        """The conversation store at a URL, or the one that the settings name."""
        return factories.make_conversation_store(self.conversation_stores, self.settings, url)

    def _runs_elsewhere(self, tool: Tool) -> bool:
        """Whether the executor of a tool runs it on other machines."""
        remote = {factory.name for factory in self.executors if factory.is_remote}
        return bool(remote) and factories.executor_name(tool, self.settings) in remote

    def make_executor(self, worker: Worker) -> Executor:
        """The executor that the settings name.

        Args:
            worker: runs calls in this process.
        """
        return factories.make_executor(self.executors, worker)
