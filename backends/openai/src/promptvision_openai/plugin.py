"""Hook implementations of promptvision-openai."""

from __future__ import annotations

from collections.abc import Iterable

from promptvision.plugin import LLMProvider, ProviderFactory, Settings, hookimpl

PLUGIN_API = 1


def _unavailable(settings: Settings) -> str | None:
    if settings.value("OPENAI_API_KEY") or settings.value("OPENAI_BASE_URL"):
        return None
    return "OPENAI_API_KEY is not set; set it, or OPENAI_BASE_URL for a host of your own"


def _create(settings: Settings) -> LLMProvider:
    from promptvision_openai.provider import create

    return create(settings)


@hookimpl
def promptvision_llm_providers() -> Iterable[ProviderFactory]:
    """OpenAI, and every host that speaks its chat completions."""
    return [ProviderFactory(name="openai", priority=40, unavailable=_unavailable, create=_create)]
