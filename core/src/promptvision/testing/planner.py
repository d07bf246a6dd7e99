"""A planner that replies from a script."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import replace

from promptvision.llm.messages import ChatDelta, ChatReply, ChatRequest

__all__ = ["ScriptedPlanner", "ScriptedReply"]

ScriptedReply = ChatReply | Exception | Callable[[ChatRequest], ChatReply]
"""A reply, an error to raise, or a function that creates the reply from the request."""


class ScriptedPlanner:
    """An LLM provider that returns scripted replies in order and records every request.

    Args:
        replies: one per model call.
        name: shown as ``planner``.
        context_tokens: as in :class:`~promptvision.llm.provider.LLMProvider`.
    """

    def __init__(
        self, replies: Iterable[ScriptedReply], *, name: str = "scripted", context_tokens: int = 100_000
    ) -> None:
        self.name = name
        self.context_tokens = context_tokens
        self.requests: list[ChatRequest] = []
        self.is_closed = False
        self._replies = list(replies)

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Return the next reply.

        Raises:
            AssertionError: no reply is left; the message quotes the last message.
        """
        self.requests.append(request)
        if len(self.requests) > len(self._replies):
            last = request.messages[-1].content if request.messages else ""
            raise AssertionError(
                f"{self.name}: asked {len(self.requests)} times, has {len(self._replies)} replies; "
                f"last message: {last[:200]!r}"
            )
        reply = self._replies[len(self.requests) - 1]
        if isinstance(reply, Exception):
            raise reply
        made = reply if isinstance(reply, ChatReply) else reply(request)
        return made if made.planner else replace(made, planner=self.name)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatDelta, None]:
        """Yield the next reply word by word, then as a whole."""
        reply = await self.complete(request)
        for word in re.findall(r"\s*\S+\s*|\s+", reply.text):
            yield ChatDelta(text=word)
        yield ChatDelta(reply=reply)

    async def close(self) -> None:
        """Record that it was closed."""
        self.is_closed = True

    def assert_used_up(self) -> None:
        """Fail unless every reply was requested."""
        asked, written = len(self.requests), len(self._replies)
        assert asked == written, f"{self.name}: {asked} of {written} replies were requested"
