"""Hook implementations of the core, which registers its parts through the public hooks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from promptvision.builtin.commands import COMMANDS
from promptvision.builtin.sections import HubSection, LLMSection
from promptvision.conversations.store import ConversationStore
from promptvision.errors import SetupError
from promptvision.images.store import ImageStore
from promptvision.llm.planner import Planner
from promptvision.plugins.commands import Command
from promptvision.plugins.specs import ExecutorFactory, ProviderFactory, StoreFactory, hookimpl
from promptvision.settings import Section, Settings

if TYPE_CHECKING:
    from promptvision.runtime.executor import Executor
    from promptvision.runtime.worker import Worker

PLUGIN_API = 1


def _offline(settings: Settings) -> Planner:
    from promptvision.builtin.offline import OfflinePlanner

    return OfflinePlanner()


def _threads(worker: Worker) -> Executor:
    from promptvision.builtin.threads import ThreadExecutor

    return ThreadExecutor(worker)


def _processes(worker: Worker) -> Executor:
    from promptvision.builtin.processes import ProcessExecutor

    return ProcessExecutor(worker, worker.settings.workers)


def _file_images(url: str, settings: Settings) -> ImageStore:
    from promptvision.builtin.files import FileImageStore
    from promptvision.images.ingest import path_of_url

    return FileImageStore(path_of_url(url))


def _memory_images(url: str, settings: Settings) -> ImageStore:
    from promptvision.builtin.memory_images import MemoryImageStore

    return MemoryImageStore()


def _sql_conversations(url: str, settings: Settings) -> ConversationStore:
    try:
        from promptvision.builtin.sql.store import SQLConversationStore
    except ImportError as exc:
        raise SetupError(
            f"SQL conversation store: {exc}", hint="pip install promptvision[postgresql]"
        ) from exc
    return SQLConversationStore(url)


def _default_sqlite(settings: Settings) -> str:
    from promptvision.builtin.sql import default_sqlite_url

    return default_sqlite_url(settings.home)


def _memory_conversations(url: str, settings: Settings) -> ConversationStore:
    from promptvision.builtin.memory import MemoryConversationStore

    return MemoryConversationStore()


def _none(settings: Settings) -> None:
    return None


@hookimpl
def promptvision_llm_providers() -> Iterable[ProviderFactory]:
    """The offline planner, always available and always last."""
    return [ProviderFactory(name="offline", priority=0, unavailable=_none, create=_offline)]


@hookimpl
def promptvision_commands() -> Iterable[Command]:
    """The commands of the ``promptvision`` program."""
    return COMMANDS


@hookimpl
def promptvision_executors() -> Iterable[ExecutorFactory]:
    """Threads of this process, and worker processes."""
    return [
        ExecutorFactory(name="threads", create=_threads),
        ExecutorFactory(name="processes", create=_processes),
    ]


@hookimpl
def promptvision_image_stores() -> Iterable[StoreFactory[ImageStore]]:
    """Files under ``PROMPTVISION_HOME``, and memory for tests."""
    return [
        StoreFactory(
            name="files",
            schemes=("file",),
            create=_file_images,
            default_url=lambda settings: (settings.home / "images").resolve().as_uri(),
            priority=0,
        ),
        StoreFactory(name="memory", schemes=("memory",), create=_memory_images, default_url=_none),
    ]


@hookimpl
def promptvision_conversation_stores() -> Iterable[StoreFactory[ConversationStore]]:
    """SQLite under ``PROMPTVISION_HOME``, PostgreSQL by URL, and memory for tests."""
    return [
        StoreFactory(
            name="sql",
            schemes=("sqlite", "postgresql", "postgresql+psycopg"),
            create=_sql_conversations,
            default_url=_default_sqlite,
            priority=0,
        ),
        StoreFactory(name="memory", schemes=("memory",), create=_memory_conversations, default_url=_none),
    ]


@hookimpl
def promptvision_settings() -> Iterable[type[Section]]:
    """Settings that all LLM providers read, and those of the model hub."""
    return [LLMSection, HubSection]
