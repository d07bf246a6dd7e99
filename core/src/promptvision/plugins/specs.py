"""The hook specs: all that a plugin can offer. Each returns values; none is handed the core to change."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

import pluggy

from promptvision.conversations.store import ConversationStore
from promptvision.images.store import ImageStore
from promptvision.llm.planner import Planner
from promptvision.models.spec import ModelSpec
from promptvision.settings import Settings
from promptvision.tools.decorator import ToolLike

if TYPE_CHECKING:
    import click

    from promptvision.runtime.executor import Executor

__all__ = [
    "Check",
    "ExecutorFactory",
    "Finding",
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
    """How to make a planner.

    Args:
        name: what ``PROMPTVISION_PLANNER`` calls it.
        priority: the highest that is available goes first; LLM providers 50, the offline planner 0.
        unavailable: returns None when it can be made with these settings, else what is missing and the fix.
        create: makes it; imports its SDK no earlier than at the first request.
    """

    name: str
    priority: int
    unavailable: Callable[[Settings], str | None]
    create: Callable[[Settings], Planner]


@dataclass(frozen=True, kw_only=True)
class StoreFactory(Generic[S_co]):
    """How to make a store.

    Args:
        name: for people, such as ``sql``.
        schemes: URL schemes it answers to, such as ``("sqlite", "postgresql+psycopg")``.
        create: makes the store at a URL; raises :class:`~promptvision.errors.SetupError` when it cannot.
        default_url: the URL to use when none is set, judged by the established variables (such as
            ``SUPABASE_URL``); None when they are not set. The highest ``priority`` that gives one wins.
        priority: see ``default_url``; the built-in local stores have 0.
    """

    name: str
    schemes: tuple[str, ...]
    create: Callable[[str, Settings], S_co]
    default_url: Callable[[Settings], str | None]
    priority: int = 50


@dataclass(frozen=True, kw_only=True)
class ExecutorFactory:
    """How to make an executor. ``name`` is what ``PROMPTVISION_EXECUTOR`` calls it."""

    name: str
    create: Callable[[Settings], Executor]


@dataclass(frozen=True)
class Finding:
    """One thing that ``promptvision doctor`` looked at.

    Args:
        check: what was looked at, in a word or two.
        state: ``ok``, ``warn`` (something is missing, the rest works) or ``fail`` (something is broken).
        seen: what was seen, in one line and without secrets.
        fix: the command or the setting that mends it.
    """

    check: str
    state: str
    seen: str
    fix: str = ""


Check = Callable[[Settings], Finding]
"""Looks at one thing on this machine, without the network."""


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
def promptvision_commands() -> Iterable[click.Command]:  # type: ignore[empty-body]
    """Commands that this plugin adds to ``promptvision``. Called only when the command line runs."""


@hookspec
def promptvision_checks() -> Iterable[Check]:  # type: ignore[empty-body]
    """What ``promptvision doctor`` should look at for this plugin. Called only by it."""
