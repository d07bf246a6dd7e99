"""Hook implementations of promptvision-supabase."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from promptvision.plugin import ConversationStore, Settings, StoreFactory, hookimpl

if TYPE_CHECKING:
    import click

PLUGIN_API = 1


def _create(url: str, settings: Settings) -> ConversationStore:
    from promptvision_supabase.store import open_store

    return open_store(settings.value)


def _default_url(settings: Settings) -> str | None:
    return "supabase:" if settings.value("SUPABASE_URL") and settings.value("SUPABASE_KEY") else None


@hookimpl
def promptvision_conversation_stores() -> Iterable[StoreFactory[ConversationStore]]:
    """Supabase, by URL or because its established variables are set."""
    return [StoreFactory(name="supabase", schemes=("supabase",), create=_create, default_url=_default_url)]


@hookimpl
def promptvision_commands() -> Iterable[click.Command]:
    """``promptvision supabase sql``."""
    from promptvision_supabase.command import supabase

    return [supabase]
