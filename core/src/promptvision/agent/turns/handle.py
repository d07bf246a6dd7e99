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
        task = self.task
        if task is None:
            raise RuntimeError("the turn was not started")
        try:
            if task.get_loop() is asyncio.get_running_loop():
                return await asyncio.shield(task)
            waiting = asyncio.run_coroutine_threadsafe(_wait_for(task), task.get_loop())
            return await asyncio.wrap_future(waiting)
        except asyncio.CancelledError as exc:
            if not task.cancelled():
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


async def _wait_for(task: asyncio.Task[Reply]) -> Reply:
    return await asyncio.shield(task)


_QueueKey = tuple[asyncio.AbstractEventLoop, str, str]


class ConversationQueue:
    """Runs the turns of a conversation one after the other, in order of arrival.

    Between event loops, as between processes, the claim in the conversation store decides.
    """

    def __init__(self) -> None:
        self._locks: dict[_QueueKey, asyncio.Lock] = {}
        self._present: dict[_QueueKey, int] = {}

    @asynccontextmanager
    async def slot(self, user_id: str, conversation_id: str) -> AsyncIterator[None]:
        """Wait until the earlier turns of a conversation have ended.

        Raises:
            Busy: too many turns are waiting already.
        """
        key = (asyncio.get_running_loop(), user_id, conversation_id)
        present = self._present.get(key, 0)
        if present > MAX_WAITING:
            raise Busy(f"conversation {conversation_id!r}: {MAX_WAITING} requests are waiting already")
        self._present[key] = present + 1
        lock = self._locks.setdefault(key, asyncio.Lock())
        try:
            async with lock:
                yield
        finally:
            self._present[key] -= 1
            if not self._present[key]:
                del self._present[key], self._locks[key]
