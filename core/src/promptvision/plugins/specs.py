"""The hook specs of plugins. Each hook returns a list of values.

``promptvision_tools`` to ``promptvision_settings`` are called when plugins are loaded; the others when the
command line, the server, an agent or ``promptvision doctor`` needs them. A hook imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

import pluggy

from promptvision.conversations.store import ConversationStore
from promptvision.conversations.turn import Event, Turn
from promptvision.declarations import check_callable, check_names, check_type
from promptvision.images.store import ImageStore
from promptvision.instruments import Instrument
from promptvision.llm.planner import Planner
from promptvision.models.spec import ModelSpec
from promptvision.plugins.commands import Command
from promptvision.plugins.evaluators import Evaluator
from promptvision.plugins.middleware import Middleware
from promptvision.settings import Section, Settings
from promptvision.tools.decorator import ToolLike

if TYPE_CHECKING:
    import click
    from starlette.routing import BaseRoute, Router

    from promptvision.models.pool import ModelPool
    from promptvision.runtime.executor import Executor
    from promptvision.runtime.worker import Worker

__all__ = [
    "Check",
    "Command",
    "Evaluator",
    "ExecutorFactory",
    "Finding",
    "InstrumentFactory",
    "Observer",
    "ProviderFactory",
    "StoreFactory",
    "hookimpl",
    "hookspec",
]

PROJECT = "promptvision"
S_co = TypeVar("S_co", covariant=True)

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@dataclass(frozen=True, kw_only=True)
class ProviderFactory:
    """Creates a planner.

    Args:
        name: its name in ``PROMPTVISION_PLANNER``.
        priority: the available planner with the highest one is used first; LLM hosts 50, LLMs of this machine
            20, the offline planner 0.
        unavailable: returns None when it can be created with these settings, else what is missing and the
            fix.
        create: creates it from the settings; must not import its SDK before the first request.
        uses_models: whether ``create`` also gets the :class:`~promptvision.models.pool.ModelPool` of this
            process, after the settings.

    Raises:
        TypeError: a field has the wrong type.
    """

    name: str
    priority: int
    unavailable: Callable[[Settings], str | None]
    create: Callable[..., Planner]
    uses_models: bool = False

    def __post_init__(self) -> None:
        owner = f"ProviderFactory {self.name!r}"
        check_type(owner, "name", self.name, str, "a str")
        check_type(owner, "priority", self.priority, int, "an int")
        check_callable(owner, "unavailable", self.unavailable, "a function of Settings")
        takes = "a function of Settings and ModelPool" if self.uses_models else "a function of Settings"
        check_callable(owner, "create", self.create, takes)
        check_type(owner, "uses_models", self.uses_models, bool, "a bool")

    def make(self, settings: Settings, pool: ModelPool) -> Planner:
        """Create the planner.

        Args:
            settings: the settings in force.
            pool: where models are leased.
        """
        return self.create(settings, pool) if self.uses_models else self.create(settings)


@dataclass(frozen=True, kw_only=True)
class StoreFactory(Generic[S_co]):
    """Creates a store.

    Args:
        name: shown to users, such as ``sql``.
        schemes: URL schemes that it handles, such as ``("sqlite", "postgresql+psycopg")``.
        create: creates the store at a URL; raises :class:`~promptvision.errors.SetupError` when it cannot.
        default_url: the URL to use when none is set, derived from the service's usual variables (such as
            ``SUPABASE_URL``); None when they are not set. The factory with the highest ``priority`` wins.
        priority: see ``default_url``; the built-in local stores have 0.

    Raises:
        TypeError: a field has the wrong type.
    """

    name: str
    schemes: tuple[str, ...]
    create: Callable[[str, Settings], S_co]
    default_url: Callable[[Settings], str | None]
    priority: int = 50

    def __post_init__(self) -> None:
        owner = f"StoreFactory {self.name!r}"
        check_type(owner, "name", self.name, str, "a str")
        object.__setattr__(self, "schemes", check_names(owner, "schemes", self.schemes))
        check_callable(owner, "create", self.create, "a function of URL and Settings")
        check_callable(owner, "default_url", self.default_url, "a function of Settings")
        check_type(owner, "priority", self.priority, int, "an int")


@dataclass(frozen=True, kw_only=True)
class ExecutorFactory:
    """Creates an executor.

    Args:
        name: its name in ``PROMPTVISION_EXECUTOR``.
        create: creates it from the :class:`~promptvision.runtime.worker.Worker` of this process, which has
            the settings and runs calls here.
        is_remote: whether it runs tools on other machines. Models, programs, modules and GPUs are then
            required there and not here; the executor checks them before a call.

    Raises:
        TypeError: a field has the wrong type.
    """

    name: str
    create: Callable[[Worker], Executor]
    is_remote: bool = False

    def __post_init__(self) -> None:
        owner = f"ExecutorFactory {self.name!r}"
        check_type(owner, "name", self.name, str, "a str")
        check_callable(owner, "create", self.create, "a function of a Worker")
        check_type(owner, "is_remote", self.is_remote, bool, "a bool")


FindingState = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Finding:
    """One finding of ``promptvision doctor``.

    Args:
        check: short name of the check.
        state: ``ok``, ``warn`` (something is missing, the rest works) or ``fail`` (something is broken).
        seen: the finding, in one line and without secrets.
        fix: the command or the setting that fixes it.
    """

    check: str
    state: FindingState
    seen: str
    fix: str = ""


Check = Callable[[Settings], Finding]
"""Checks one thing on this machine, without the network."""

Observer = Callable[[Turn, Event], None]
"""Called with each event of each turn after the event is stored, on the event loop: it must not block.

Events mark the start and end of a turn, planner replies, and the start and end of each step. An exception of
an observer is logged and otherwise ignored.
"""

InstrumentFactory = Callable[[Settings], Instrument | None]
"""Makes an instrument from the settings; None when it is off."""


@hookspec
def promptvision_tools() -> Iterable[ToolLike]:  # type: ignore[empty-body]
    """Tools of this plugin. Called once, when the registry is built; import nothing heavy.

    Functions decorated with ``@tool`` in the plugin's module are tools without this hook.
    """


@hookspec
def promptvision_models() -> Iterable[ModelSpec]:  # type: ignore[empty-body]
    """Model specs of this plugin."""


@hookspec
def promptvision_llm_providers() -> Iterable[ProviderFactory]:  # type: ignore[empty-body]
    """Planners of this plugin."""


@hookspec
def promptvision_image_stores() -> Iterable[StoreFactory[ImageStore]]:  # type: ignore[empty-body]
    """Image stores of this plugin."""


@hookspec
def promptvision_conversation_stores() -> Iterable[StoreFactory[ConversationStore]]:  # type: ignore[empty-body]
    """Conversation stores of this plugin."""


@hookspec
def promptvision_executors() -> Iterable[ExecutorFactory]:  # type: ignore[empty-body]
    """Executors of this plugin."""


@hookspec
def promptvision_settings() -> Iterable[type[Section]]:  # type: ignore[empty-body]
    """Settings sections of this plugin: its variables with their types and descriptions.

    They are validated, shown by ``promptvision doctor`` and listed in the settings reference.
    """


@hookspec
def promptvision_commands() -> Iterable[Command | click.Command]:  # type: ignore[empty-body]
    """Commands that this plugin adds to ``promptvision``. Called only when the command line needs them.

    A :class:`Command` is imported when it is called; prefer it to a click command.
    """


@hookspec
def promptvision_routes() -> Iterable[BaseRoute | Router]:  # type: ignore[empty-body]
    """Starlette routes that this plugin adds to the server. Called when the app is created.

    The core's routes take precedence. ``request.app.state.agent`` is the agent. A
    :class:`starlette.routing.Router` adds its routes, and its lifespan is entered with the app while the
    server runs.
    """


@hookspec
def promptvision_observers() -> Iterable[Observer]:  # type: ignore[empty-body]
    """Functions that are called with every event of every turn. Called when an agent is created."""


@hookspec
def promptvision_instruments() -> Iterable[InstrumentFactory]:  # type: ignore[empty-body]
    """Instruments that this plugin attaches around turns, planner calls, steps, model loads, store calls and
    HTTP requests. Called when an agent is created, and in each worker process.
    """


@hookspec
def promptvision_middleware() -> Iterable[Middleware]:  # type: ignore[empty-body]
    """Middleware around turns, requests to the planner and steps. Called when an agent is created."""


@hookspec
def promptvision_checks() -> Iterable[Check]:  # type: ignore[empty-body]
    """Checks that this plugin adds to ``promptvision doctor``. Called only by it."""


@hookspec
def promptvision_evaluators() -> Iterable[Evaluator]:  # type: ignore[empty-body]
    """Data layouts and metrics that this plugin adds to ``promptvision eval``. Called only by it."""
