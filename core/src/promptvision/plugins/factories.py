"""Create the stores and the executor that the settings name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from promptvision.conversations.store import ConversationStore
from promptvision.errors import PromptvisionError, SetupError
from promptvision.images.store import ImageStore
from promptvision.plugins.specs import ExecutorFactory, StoreFactory
from promptvision.settings import Settings

if TYPE_CHECKING:
    from promptvision.runtime.executor import Executor
    from promptvision.runtime.worker import Worker
    from promptvision.tools.tool import Tool

__all__ = ["APPLICATION", "executor_name", "make_conversation_store", "make_executor", "make_image_store"]

APPLICATION = "app"
"""Plugin name of tools that an application passes as objects; other processes cannot import them."""


def make_image_store(
    factories: Sequence[StoreFactory[ImageStore]], settings: Settings, url: str | None = None
) -> ImageStore:
    """The image store at a URL, or the one that the settings name.

    Raises:
        SetupError: no plugin handles the URL, or the store cannot be created.
    """
    store: ImageStore = _make_store(factories, settings, url or settings.images, "PROMPTVISION_IMAGES")
    return store


def make_conversation_store(
    factories: Sequence[StoreFactory[ConversationStore]], settings: Settings, url: str | None = None
) -> ConversationStore:
    """The conversation store at a URL, or the one that the settings name.

    Raises:
        SetupError: no plugin handles the URL, or the store cannot be created.
    """
    url = url or settings.conversations
    store: ConversationStore = _make_store(factories, settings, url, "PROMPTVISION_CONVERSATIONS")
    return store


def executor_name(tool: Tool, settings: Settings) -> str:
    """Name of the executor that runs a tool."""
    chosen = settings.executors
    if tool.plugin == APPLICATION:
        return "threads"
    if (named := chosen.get(tool.name) or chosen.get(tool.plugin)) is not None:
        return named
    return "processes" if tool.python else chosen.get("*", settings.executor)


def make_executor(factories: Sequence[ExecutorFactory], worker: Worker) -> Executor:
    """The executor that the settings name, or several combined in one.

    Args:
        factories: executors of all plugins.
        worker: runs calls in this process.

    Raises:
        SetupError: no plugin provides it, or it cannot be created.
    """
    settings = worker.settings
    named = {factory.name: factory for factory in factories}
    made: dict[str, Executor] = {}

    def make(name: str, variable: str) -> Executor:
        if name not in named:
            raise SetupError(
                f"settings: no executor {name!r}", hint=f"set {variable} to one of: {', '.join(named)}"
            )
        if name not in made:
            with _attributed(f"executor {name!r}"):
                made[name] = _checked(named[name].create(worker))
        return made[name]

    chosen = dict(settings.executors)
    default = make(chosen.pop("*", settings.executor), "PROMPTVISION_EXECUTOR")
    for tool in worker.tools.values():
        if tool.python and tool.name not in chosen:
            chosen.setdefault(tool.plugin, "processes")  # the only executor that can run it
    routes = {name: make(executor, "PROMPTVISION_EXECUTORS") for name, executor in chosen.items()}
    if not routes:
        return default
    from promptvision.runtime.mixed import MixedExecutor

    return MixedExecutor(default, routes)


def _make_store(
    factories: Sequence[StoreFactory[Any]], settings: Settings, url: str | None, variable: str
) -> Any:
    for factory in sorted(factories, key=lambda factory: (-factory.priority, factory.name)):
        with _attributed(f"store {factory.name!r}"):
            url = url or factory.default_url(settings)
            if url is not None and url.partition(":")[0] in factory.schemes:
                return _checked(factory.create(url, settings))
    schemes = ", ".join(sorted({scheme for factory in factories for scheme in factory.schemes}))
    scheme, colon, _ = (url or "").partition(":")
    is_url = colon and re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme)
    problem = f"no installed plugin handles {scheme!r} URLs" if is_url else "the value is not a URL"
    raise SetupError(
        f"settings: {variable}: {problem}",
        hint=f"install the backend, or use one of: {schemes}",
    )


def _checked(made: Any) -> Any:
    if made is None:
        raise TypeError("create returned None; report it to the plugin's author")
    return made


@contextmanager
def _attributed(owner: str) -> Iterator[None]:
    """Name the factory in an unexpected error of a plugin."""
    try:
        yield
    except PromptvisionError:
        raise
    except Exception as exc:
        raise SetupError(
            f"{owner}: {type(exc).__name__}: {exc}", hint="correct its settings, or disable its plugin"
        ) from exc
