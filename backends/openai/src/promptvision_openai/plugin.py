"""Hook implementations of promptvision-openai."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field, SecretStr

from promptvision.plugin import LLMProvider, ProviderFactory, Section, Settings, hookimpl

PLUGIN_API = 1


class OpenAISection(Section):
    """The OpenAI LLM provider, and every host with the same interface."""

    api_key: SecretStr | None = Field(None, alias="OPENAI_API_KEY", description="API key of the host.")
    base_url: str | None = Field(None, alias="OPENAI_BASE_URL", description="URL of a compatible host.")
    openai_model: str | None = Field(None, description="Model id; takes precedence over LLM_NAME.")


def _unavailable(settings: Settings) -> str | None:
    if settings.value("OPENAI_API_KEY") or settings.value("OPENAI_BASE_URL"):
        return None
    return "OPENAI_API_KEY is not set; set it, or OPENAI_BASE_URL for your own host"


def _create(settings: Settings) -> LLMProvider:
    from promptvision_openai.provider import create

    return create(settings)


@hookimpl
def promptvision_llm_providers() -> Iterable[ProviderFactory]:
    """OpenAI, and every host with a compatible chat-completions API."""
    return [ProviderFactory(name="openai", priority=40, unavailable=_unavailable, create=_create)]


@hookimpl
def promptvision_settings() -> Iterable[type[Section]]:
    """The host, its key and the model."""
    return [OpenAISection]
