"""The LLM provider protocol. The offline planner is one too."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from promptvision.llm.messages import ChatDelta, ChatReply, ChatRequest

__all__ = ["LLMProvider", "closing_stream"]


class LLMProvider(Protocol):
    """Decides the next step of a turn. Every failure is a :class:`~promptvision.errors.ProviderError`."""

    name: str
    """Shown to users as ``planner``."""
    context_tokens: int
    """How many tokens of history and tool schemas a request may hold, about."""

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Answer a request as a whole."""

    def stream(self, request: ChatRequest) -> AsyncIterator[ChatDelta]:
        """Answer piece by piece; the last delta holds the whole reply."""

    async def close(self) -> None:
        """Give back connections. The provider is not used afterwards."""


@asynccontextmanager
async def closing_stream(deltas: AsyncIterator[ChatDelta]) -> AsyncIterator[AsyncIterator[ChatDelta]]:
    """Close a stream at once when it is left early, so that its connection goes back now."""
    try:
        yield deltas
    finally:
        if isinstance(deltas, AsyncGenerator):
            await deltas.aclose()
