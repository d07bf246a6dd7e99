"""The LLM provider protocol."""

from __future__ import annotations

from typing import Protocol

from promptvision.llm.messages import ChatReply, ChatRequest

__all__ = ["LLMProvider"]


class LLMProvider(Protocol):
    """A planner that sends chat requests to an LLM.

    A provider that can stream also implements :class:`~promptvision.llm.planner.StreamingPlanner`. Every
    failure is a :class:`~promptvision.errors.ProviderError`.
    """

    name: str
    """Shown to users as ``planner``."""
    context_tokens: int
    """Approximate number of tokens of history and function schemas that a request may hold."""

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Return the next reply as a whole."""

    async def close(self) -> None:
        """Release connections. The provider is not used afterwards."""
