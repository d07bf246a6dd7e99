"""Turns that are running in this process, and the line in which they wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from promptvision.agent.journal import Listener
from promptvision.agent.reply import Reply
from promptvision.agent.turns.live_reply import LiveReply
from promptvision.conversations.turn import Turn, TurnKey
from promptvision.errors import Busy
from promptvision.runtime.cancellation import CancelToken

__all__ = ["ConversationQueue", "ProgressListener", "TurnHandle"]

MAX_WAITING = 4
"""Requests that may wait for one conversation; the next is told to come back later."""

ProgressListener = Callable[[int, float, float, str], None]
"""Gets step number, done, total and a message, on the event loop."""


@dataclass(eq=False)
class TurnHandle:
    """A turn on its way. It runs by itself: whoever waits for it may leave without stopping it.

    Args:
        key: the idempotency key.
        fingerprint: digest of the request.
        cancel: set it to stop the turn at its next check point.
        turn: the turn once it is claimed, or the stored one if it had ended before.
        is_claimed: set when there is a turn, or when there will be none.
        speech: the reply that is streaming; set ``has_subscribers`` before awaiting the turn.
    """

    key: TurnKey
    fingerprint: str
    cancel: CancelToken = field(default_factory=CancelToken)
    turn: Turn | None = None
    is_claimed: asyncio.Event = field(default_factory=asyncio.Event)
    listeners: list[Listener] = field(default_factory=list)
    progress_listeners: list[ProgressListener] = field(default_factory=list)
    speech: LiveReply = field(default_factory=LiveReply)
    task: asyncio.Task[Reply] | None = None

    async def reply(self) -> Reply:
        """Wait for the reply. Being cancelled while waiting does not stop the turn.

        Raises:
            Busy: the process is stopping; the same request goes on with the finished steps.
        """
        if self.task is None:
            raise RuntimeError("the turn was not started")
        try:
            return await asyncio.shield(self.task)
        except asyncio.CancelledError as exc:
            if not self.task.cancelled():
                raise
            said = "the server is stopping; send the same request again to go on"
            raise Busy(said, retry_after_s=2) from exc

    def progress_from_thread(self) -> ProgressListener:
        """A function that tool threads may call with their progress."""
        loop = asyncio.get_running_loop()

        def progress(step: int, done: float, total: float, message: str) -> None:
            if self.progress_listeners:
                loop.call_soon_threadsafe(self.tell_progress, step, done, total, message)

        return progress

    def tell_progress(self, step: int, done: float, total: float, message: str) -> None:
        """Pass progress on; call it on the event loop."""
        for listener in self.progress_listeners:
            listener(step, done, total, message)


class ConversationQueue:
    """One line per conversation: turns of a conversation run one after the other, in order of arrival."""

    def __init__(self) -> None:
        self._locks: dict[tuple[str, str], asyncio.Lock] = {}
        self._present: dict[tuple[str, str], int] = {}

    @asynccontextmanager
    async def place(self, user_id: str, conversation_id: str) -> AsyncIterator[None]:
        """Wait for one's turn in a conversation.

        Raises:
            Busy: the line is too long.
        """
        where = (user_id, conversation_id)
        present = self._present.get(where, 0)
        if present > MAX_WAITING:
            raise Busy(f"conversation {conversation_id!r}: {MAX_WAITING} requests are waiting already")
        self._present[where] = present + 1
        lock = self._locks.setdefault(where, asyncio.Lock())
        try:
            async with lock:
                yield
        finally:
            self._present[where] -= 1
            if not self._present[where]:
                del self._present[where], self._locks[where]
