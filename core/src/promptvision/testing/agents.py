"""Agents for tests: the real loop, stores in memory, and the given tools."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.metadata import EntryPoint
from typing import Any

from promptvision.agent.agent import Agent
from promptvision.builtin.memory import MemoryConversationStore
from promptvision.builtin.memory_images import MemoryImageStore
from promptvision.conversations.store import ConversationStore
from promptvision.images.store import ImageStore
from promptvision.llm.planner import Planner
from promptvision.models.spec import ModelSpec
from promptvision.plugins.discovery import Plugin, load_plugin, new_manager
from promptvision.plugins.registry import Registry
from promptvision.settings import Settings
from promptvision.tools.decorator import ToolLike, as_tool

__all__ = ["make_agent", "make_registry"]

_BUILTIN = EntryPoint("promptvision", "promptvision.builtin.plugin", "promptvision")


def make_registry(
    tools: Sequence[ToolLike] = (),
    models: Iterable[ModelSpec] = (),
    settings: Settings | None = None,
) -> Registry:
    """A registry of the core's own plugin and one named ``test`` that offers the arguments.

    Raises:
        PluginError: a tool breaks its contract.
    """
    settings = settings or Settings(strict_plugins=True, cache_disk=0)
    manager = new_manager()
    builtin = Plugin("promptvision", "promptvision", "0", _BUILTIN)
    load_plugin(manager, builtin, strict=True)
    offers: dict[str, list[Any]] = {
        "promptvision_tools": [*map(as_tool, tools)],
        "promptvision_models": [*models],
    }
    test = Plugin("test", "promptvision-test", "0", EntryPoint("test", "test", "promptvision"), offers=offers)
    return Registry(settings, [builtin, test], manager)


def make_agent(
    tools: Sequence[ToolLike] = (),
    *,
    planner: Planner | None = None,
    settings: Settings | None = None,
    conversations: ConversationStore | None = None,
    images: ImageStore | None = None,
    models: Iterable[ModelSpec] = (),
) -> Agent:
    """An agent over stores in memory.

    Args:
        tools: the tools that it can use; decorated functions are accepted too.
        planner: default: the offline planner.
        settings: default: the defaults, with strict plugins and no cache on disk.
        conversations: default: in memory.
        images: default: in memory.
        models: model specs that the tools may lease.
    """
    settings = settings or Settings(strict_plugins=True, cache_disk=0)
    return Agent(
        settings,
        registry=make_registry(tools, models, settings),
        planner=planner,
        conversations=conversations or MemoryConversationStore(),
        images=images or MemoryImageStore(),
    )
