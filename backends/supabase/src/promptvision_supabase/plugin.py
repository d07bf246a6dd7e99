"""Hook implementations of promptvision-supabase."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field, SecretStr

from promptvision.plugin import Command, ConversationStore, Section, Settings, StoreFactory, hookimpl

PLUGIN_API = 1


class SupabaseSection(Section):
    """The Supabase conversation store."""

    url: str | None = Field(None, alias="SUPABASE_URL", description="URL of the project.")
    key: SecretStr | None = Field(
        None, alias="SUPABASE_KEY", description="The service_role (secret) key of the project."
    )


def _create(url: str, settings: Settings) -> ConversationStore:
    from promptvision_supabase.store import open_store

    return open_store(settings.value)


def _default_url(settings: Settings) -> str | None:
    return "supabase:" if settings.value("SUPABASE_URL") and settings.value("SUPABASE_KEY") else None


@hookimpl
def promptvision_conversation_stores() -> Iterable[StoreFactory[ConversationStore]]:
    """Supabase, by URL or by its usual variables."""
    return [StoreFactory(name="supabase", schemes=("supabase",), create=_create, default_url=_default_url)]


@hookimpl
def promptvision_commands() -> Iterable[Command]:
    """``promptvision supabase sql``."""
    return [Command("supabase", "Set up a Supabase project.", "promptvision_supabase.command:supabase")]


@hookimpl
def promptvision_settings() -> Iterable[type[Section]]:
    """The project and its key."""
    return [SupabaseSection]
