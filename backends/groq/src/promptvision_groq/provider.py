"""Groq through its official SDK."""

from __future__ import annotations

import ssl
from functools import cache
from types import ModuleType
from typing import Any

from promptvision.plugin import (
    CONNECT_TIMEOUT_S,
    ChatHost,
    HostSettings,
    Settings,
    base_url,
    lenient,
    read_number,
)

__all__ = ["GroqProvider", "create"]

FALLBACK_MODELS = ("openai/gpt-oss-120b", "openai/gpt-oss-20b", "llama-3.3-70b-versatile")
"""Tried in this order against the host's list when no model is set; hosts retire models at short notice."""

CONTEXT_TOKENS = 6000
"""Free accounts have about 6,000 tokens a minute for everything."""


@cache
def _certificates() -> ssl.SSLContext:
    """The trusted certificates, read once: that takes 30 ms, and every event loop has a client of its own."""
    from httpx import create_ssl_context

    return create_ssl_context()


class GroqProvider(ChatHost):
    """The planner ``groq``."""

    def __init__(self, host: HostSettings) -> None:
        super().__init__("groq", "groq", host)

    def connect(self, sdk: ModuleType, host: HostSettings) -> Any:
        """Make a client; retries are the core's, since the SDK's know no deadline."""
        return sdk.AsyncGroq(
            api_key=host.api_key or "none",
            base_url=host.base_url,
            timeout=sdk.Timeout(host.timeout_s, connect=CONNECT_TIMEOUT_S),
            max_retries=0,
            http_client=sdk.DefaultAsyncHttpxClient(verify=_certificates()),
        )


def create(settings: Settings) -> GroqProvider:
    """Make the provider that the settings describe.

    Raises:
        SetupError: a setting cannot be used.
    """
    url = base_url(settings, "GROQ_BASE_URL", "https://api.groq.com")
    context_tokens = read_number(
        settings, "PROMPTVISION_LLM_CONTEXT_TOKENS", CONTEXT_TOKENS, lowest=1000, highest=1e7
    )
    return GroqProvider(
        HostSettings(
            api_key=settings.value("GROQ_API_KEY") or "",
            base_url=url.removesuffix("/openai/v1"),  # the SDK adds it
            model=settings.value("PROMPTVISION_GROQ_MODEL") or settings.value("LLM_NAME"),
            model_setting="LLM_NAME",
            fallbacks=FALLBACK_MODELS,
            temperature=read_number(settings, "PROMPTVISION_LLM_TEMPERATURE", 0.2, lowest=0, highest=2),
            timeout_s=read_number(settings, "PROMPTVISION_LLM_TIMEOUT_S", 60, lowest=0.1, highest=3600),
            context_tokens=int(context_tokens),
            dialect=lenient,
            options=(("parallel_tool_calls", False),),
        )
    )
