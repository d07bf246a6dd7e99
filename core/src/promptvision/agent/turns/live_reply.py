"""The reply that a planner is streaming, before any of it is journaled."""

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

INTERVAL_S = 0.05
"""Minimum interval between notifications of a subscriber; faster text is combined."""

ReplySubscriber = Callable[[], None]
"""Called on the event loop when there is more text; must not block."""


@dataclass(frozen=True)
class SentPrefix:
    """The part of a text that a reader has received: its first characters.

    Args:
        chars: how many.
        digest: their CRC-32, which shows whether another text begins with the same characters.
    """

    chars: int = 0
    digest: int = 0

    @classmethod
    def whole(cls, text: str) -> SentPrefix:
        """All of a text."""
        return cls(len(text), _digest(text))

    def begins(self, text: str) -> bool:
        """Whether a text starts with the prefix."""
        return len(text) >= self.chars and _digest(text[: self.chars]) == self.digest


class LiveReply:
    """The text of the reply that a planner is streaming, as far as it has arrived.

    The text is stored once for all subscribers. A subscriber reads what was added since its last read, so a
    slow one uses no extra memory and does not delay the others.
    """

    def __init__(self) -> None:
        self.has_subscribers = False
        """Whether anyone follows the turn; otherwise planners are asked for whole replies."""
        self.subscribers: list[ReplySubscriber] = []
        self.message = 0
        """Number of the planner's message in the turn, from 1."""
        self.is_whole = True
        """Whether the reply has ended; from then on the journal has its text."""
        self._pieces: list[str] = []
        self._filter = AnswerFilter()

    @property
    def text(self) -> str:
        """The text so far."""
        self._pieces = ["".join(self._pieces)]
        return self._pieces[0]

    async def receive(self, message: int, deltas: AsyncGenerator[ChatDelta, None]) -> ChatReply:
        """Receive a streamed reply, notify the subscribers as it arrives, and return it.

        Args:
            message: number of the planner's message in the turn, from 1.
            deltas: the stream; it is closed however this ends.

        Raises:
            ProviderError: the stream failed, or ended without a reply.
        """
        self.message, self.is_whole, self._pieces = message, False, []
        self._filter = AnswerFilter()
        reply = None
        try:
            async with aclosing(deltas):
                async for delta in deltas:
                    self._add(delta)
                    reply = delta.reply or reply
        finally:
            self.is_whole = True
        if reply is None:
            raise ProviderError("the planner's stream ended without a reply", kind="cut", retryable=True)
        return reply

    def _add(self, delta: ChatDelta) -> None:
        if delta.restarted:
            self._pieces, self._filter = [], AnswerFilter()
        if text := self._filter.feed(delta.text):
            self._pieces.append(text)
            for subscriber in self.subscribers:
                subscriber()


class Throttle:
    """Calls a subscriber at most once in :data:`INTERVAL_S`, and never drops the last call.

    Args:
        subscriber: called on the event loop, at once or a little later.
    """

    def __init__(self, subscriber: ReplySubscriber) -> None:
        self._subscriber = subscriber
        self._called_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def __call__(self) -> None:
        """Call the subscriber now, or as soon as the interval is over."""
        if self._timer is not None:
            return
        wait_s = self._called_at + INTERVAL_S - time.monotonic()
        if wait_s <= 0:
            self._call()
        else:
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._call)

    def close(self) -> None:
        """Drop a call that is due later."""
        if self._timer is not None:
            self._timer.cancel()

    def _call(self) -> None:
        self._timer, self._called_at = None, time.monotonic()
        self._subscriber()


def _digest(text: str) -> int:
    return zlib.crc32(text.encode("utf-8", "surrogatepass"))
