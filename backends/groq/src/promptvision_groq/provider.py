"""Groq through its official SDK."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from promptvision.plugin import (
    ChatHost,
    HostErrors,
    HostSettings,
    Settings,
    base_url,
)
from promptvision_groq.dialect import lenient

__all__ = ["GroqProvider", "create"]

FALLBACK_MODELS = ("openai/gpt-oss-120b", "openai/gpt-oss-20b", "llama-3.3-70b-versatile")
"""Used when no model is set: the first one that the host lists."""

CONTEXT_TOKENS = 6000
"""Free accounts are limited to about 6,000 tokens per minute."""

ERRORS = HostErrors(
    kinds={498: "rate_limit", "tool_use_failed": "invalid_call"}, rejected_field="failed_generation"
)
"""Status 498: the flex tier has no capacity. ``tool_use_failed``: Groq rejected the model's tool call."""


class GroqProvider(ChatHost):
    """The planner ``groq``."""

    def __init__(self, host: HostSettings) -> None:
        super().__init__("groq", "groq", host)

    def connect(self, sdk: ModuleType, host: HostSettings) -> Any:
        """Create a client of the SDK."""
        import httpx

        return self.new_client(sdk.AsyncGroq, sdk, httpx, host)

    def stream_usage(self, chunk: Mapping[str, Any]) -> object:
        """Return the token counts of a stream, which Groq sends in ``x_groq``."""
        own = chunk.get("x_groq")
        return own.get("usage") if isinstance(own, Mapping) else None


def create(settings: Settings) -> GroqProvider:
    """Create the provider that the settings describe.

    Raises:
        SetupError: a setting is invalid.
    """
    url = base_url(settings, "GROQ_BASE_URL", "https://api.groq.com")
    host = HostSettings.read(
        settings,
        api_key=settings.value("GROQ_API_KEY") or "",
        base_url=url.removesuffix("/openai/v1"),  # the SDK adds it
        model=settings.value("PROMPTVISION_GROQ_MODEL") or settings.value("LLM_NAME"),
        model_setting="LLM_NAME",
        fallbacks=FALLBACK_MODELS,
        context_tokens=CONTEXT_TOKENS,
        dialect=lenient,
        errors=ERRORS,
        options=(("parallel_tool_calls", False),),
    )
    return GroqProvider(host)
