"""OpenAI and compatible hosts through the official SDK."""

from __future__ import annotations

from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from promptvision.plugin import (
    ChatHost,
    HostErrors,
    HostSettings,
    Settings,
    base_url,
    plain,
    strict,
)

__all__ = ["OpenAIProvider", "create"]

DEFAULT_URL = "https://api.openai.com/v1"

FALLBACK_MODELS = ("gpt-5-mini", "gpt-4.1-mini", "gpt-4o-mini")
"""Used when no model is set: the first one that the host lists."""

_STRICT_HOSTS = (".openai.com", ".azure.com")

CONTEXT_TOKENS = {True: 32_000, False: 8000}
"""Context length by whether the host is OpenAI or Azure; others often have a small context window."""

ERRORS = HostErrors(kinds={"tool_use_failed": "invalid_call"}, rejected_field="failed_generation")
"""Some compatible hosts validate tool calls and return a rejected one with the error."""


class OpenAIProvider(ChatHost):
    """The planner ``openai``."""

    def __init__(self, host: HostSettings) -> None:
        super().__init__("openai", "openai", host)

    def connect(self, sdk: ModuleType, host: HostSettings) -> Any:
        """Create a client of the SDK."""
        import httpx2

        return self.new_client(sdk.AsyncOpenAI, sdk, httpx2, host)


def create(settings: Settings) -> OpenAIProvider:
    """Create the provider that the settings describe.

    Raises:
        SetupError: a setting is invalid.
    """
    url = _with_path(base_url(settings, "OPENAI_BASE_URL", DEFAULT_URL))
    is_strict = f".{urlsplit(url).hostname}".endswith(_STRICT_HOSTS)
    host = HostSettings.read(
        settings,
        api_key=settings.value("OPENAI_API_KEY") or "",
        base_url=url,
        model=settings.value("PROMPTVISION_OPENAI_MODEL") or _shared_model(settings),
        model_setting="PROMPTVISION_OPENAI_MODEL",
        fallbacks=FALLBACK_MODELS,
        context_tokens=CONTEXT_TOKENS[is_strict],
        dialect=strict if is_strict else plain,
        errors=ERRORS,
        stream_options={"include_usage": True},
    )
    return OpenAIProvider(host)


def _shared_model(settings: Settings) -> str | None:
    """``LLM_NAME``, unless Groq is in use and it names Groq's model."""
    has_groq = settings.value("GROQ_API_KEY") or settings.value("GROQ_BASE_URL")
    return None if has_groq else settings.value("LLM_NAME")


def _with_path(url: str) -> str:
    """``http://localhost:11434`` means ``http://localhost:11434/v1``."""
    return url if urlsplit(url).path.strip("/") else url.rstrip("/") + "/v1"
