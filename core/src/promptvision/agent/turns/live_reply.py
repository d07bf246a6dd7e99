"""What a planner is saying just now, before any of it is journaled."""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

from promptvision.agent.turns.answer_filter import AnswerFilter
from promptvision.errors import ProviderError
from promptvision.llm.messages import ChatDelta, ChatReply

__all__ = ["LiveReply", "ReplySubscriber", "SentPrefix", "Throttle"]

PIECE_S = 0.05
"""At most one piece of text in this time reaches a reader; what comes faster is joined."""

ReplySubscriber = Callable[[], None]
"""Told that there is more text, on the event loop; must not block."""


@dataclass(frozen=True)
class SentPrefix:
    """What somebody has of a text: its first characters.

    Args:
        chars: how many.
        digest: their CRC-32, so that a text which begins in another way is known for what it is.
    """

    chars: int = 0
    digest: int = 0

    @classmethod
    def whole(cls, text: str) -> SentPrefix:
        """All of a text."""
        return cls(len(text), _digest(text))

    def begins(self, text: str) -> bool:
        """Whether a text begins with what was given."""
        return len(text) >= self.chars and _digest(text[: self.chars]) == self.digest


class LiveReply:
    """The text of the reply that a planner is giving, as far as it has come.

    The text is kept once, whoever reads it: a reader takes what has been added since it looked last, so that
    a slow one costs no memory and holds nobody up.
    """

    def __init__(self) -> None:
        self.has_subscribers = False
        """Whether anybody follows the turn; else planners are asked for whole replies."""
        self.listeners: list[ReplySubscriber] = []
        self.message = 0
        """Which message of the planner it is in the turn, from 1."""
        self.is_whole = True
        """Whether the reply has ended; from then on the journal tells what it was."""
        self._pieces: list[str] = []
        self._filter = AnswerFilter()

    @property
    def text(self) -> str:
        """The text so far."""
        self._pieces = ["".join(self._pieces)]
        return self._pieces[0]

    async def pass_on(self, message: int, deltas: AsyncGenerator[ChatDelta, None]) -> ChatReply:
        """Tell a streamed reply to the listeners while it comes, and return it.

        Args:
            message: which message of the planner it is in the turn, from 1.
            deltas: the stream; it is closed however this ends.

        Raises:
            ProviderError: the stream failed, or has no end.
        """
        self.message, self.is_whole, self._pieces = message, False, []
        self._filter = AnswerFilter()
        reply = None
        try:
            async with aclosing(deltas):
                async for delta in deltas:
                    self._take(delta)
                    reply = delta.reply or reply
        finally:
            self.is_whole = True
        if reply is None:
            raise ProviderError("the planner's stream had no end", kind="cut", retryable=True)
        return reply

    def _take(self, delta: ChatDelta) -> None:
        if delta.restarted:
            self._pieces, self._filter = [], AnswerFilter()
        if text := self._filter.feed(delta.text):
            self._pieces.append(text)
            for listener in self.listeners:
                listener()


class Throttle:
    """A listener that passes on at most one call in :data:`PIECE_S`, and never loses the last one.

    Args:
        listener: called on the event loop, at once or a little later.
    """

    def __init__(self, listener: ReplySubscriber) -> None:
        self._listener = listener
        self._passed_at = 0.0
        self._later: asyncio.TimerHandle | None = None

    def __call__(self) -> None:
        """Call the listener when it is time."""
        if self._later is not None:
            return
        wait_s = self._passed_at + PIECE_S - time.monotonic()
        if wait_s <= 0:
            self._pass()
        else:
            self._later = asyncio.get_running_loop().call_later(wait_s, self._pass)

    def close(self) -> None:
        """Call nothing any more."""
        if self._later is not None:
            self._later.cancel()

    def _pass(self) -> None:
        self._later, self._passed_at = None, time.monotonic()
        self._listener()


def _digest(text: str) -> int:
    return zlib.crc32(text.encode("utf-8", "surrogatepass"))
