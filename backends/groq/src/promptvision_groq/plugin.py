"""Hook implementations of promptvision-groq."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field, SecretStr

from promptvision.plugin import LLMProvider, ProviderFactory, Section, Settings, hookimpl

PLUGIN_API = 1


class GroqSection(Section):
    """The Groq LLM provider."""

    api_key: SecretStr | None = Field(None, alias="GROQ_API_KEY", description="API key of Groq.")
    base_url: str | None = Field(None, alias="GROQ_BASE_URL", description="URL of a compatible host.")
    groq_model: str | None = Field(None, description="Model id at Groq; takes precedence over LLM_NAME.")


def _unavailable(settings: Settings) -> str | None:
    if settings.value("GROQ_API_KEY") or settings.value("GROQ_BASE_URL"):
        return None
    return "GROQ_API_KEY is not set; create a key at console.groq.com/keys and set GROQ_API_KEY"


def _create(settings: Settings) -> LLMProvider:
    from promptvision_groq.provider import create

    return create(settings)


@hookimpl
def promptvision_llm_providers() -> Iterable[ProviderFactory]:
    """Groq, before other hosts, since ``LLM_NAME`` names its model."""
    return [ProviderFactory(name="groq", priority=50, unavailable=_unavailable, create=_create)]


@hookimpl
def promptvision_settings() -> Iterable[type[Section]]:
    """The host, its key and the model."""
    return [GroqSection]
