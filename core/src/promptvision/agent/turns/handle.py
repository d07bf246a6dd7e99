"""A running turn as its callers see it, and the queue in which the turns of a conversation wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from promptvision.agent.approvals import Approval, Approvals
from promptvision.agent.journal import Listener
from promptvision.agent.reply import Reply
from promptvision.agent.turns.live_reply import LiveReply
from promptvision.conversations.turn import Turn, TurnKey
from promptvision.errors import Busy
from promptvision.runtime.cancellation import CancelToken

__all__ = ["ConversationQueue", "ProgressListener", "TurnHandle"]

MAX_WAITING = 4
"""Requests that may wait for one conversation; the next one is refused."""

ProgressListener = Callable[[int, float, float, str], None]
"""Called on the event loop with the step's number, done, total and a message."""


@dataclass(eq=False)
class TurnHandle:
    """A running turn. It runs in its own task: it continues when a caller stops waiting.

    Args:
        key: the idempotency key.
        fingerprint: digest of the request.
        cancel: stops the turn at its next check point.
        turn: the turn once it is claimed, or the stored one if it had ended before.
        is_claimed: set once there is a turn, or the attempt to claim it has failed.
        listeners: called with each stored event.
        progress_listeners: called with the progress of steps.
        live_reply: the reply that is streaming; set ``has_subscribers`` before awaiting the turn.
        approvals: the questions that wait for the user; set ``can_ask`` if the user will see them.
        task: runs the turn.
    """

    key: TurnKey
    fingerprint: str
    cancel: CancelToken = field(default_factory=CancelToken)
    turn: Turn | None = None
    is_claimed: asyncio.Event = field(default_factory=asyncio.Event)
    listeners: list[Listener] = field(default_factory=list)
    progress_listeners: list[ProgressListener] = field(default_factory=list)
    live_reply: LiveReply = field(default_factory=LiveReply)
    approvals: Approvals = field(default_factory=Approvals)
    task: asyncio.Task[Reply] | None = None

    async def reply(self) -> Reply:
        """Wait for the reply. Being cancelled while waiting does not stop the turn.

        Raises:
            Busy: the process is stopping; the same request continues after the finished steps.
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
            reason = "the server is stopping; send the same request again to continue"
            raise Busy(reason, retry_after_s=2) from exc

    async def reply_or_question(self) -> Reply | Approval:
        """Wait for the reply, or until the turn waits for its user."""
        replied = asyncio.ensure_future(self.reply())
        asked = asyncio.ensure_future(self.approvals.wait())
        try:
            await asyncio.wait({replied, asked}, return_when=asyncio.FIRST_COMPLETED)
            return replied.result() if replied.done() else asked.result()
        finally:
            replied.cancel()
            asked.cancel()

    def progress_from_thread(self) -> ProgressListener:
        """A progress listener that tools may call from any thread."""
        loop = asyncio.get_running_loop()

        def progress(step: int, done: float, total: float, message: str) -> None:
            if self.progress_listeners:
                loop.call_soon_threadsafe(self.report_progress, step, done, total, message)

        return progress

    def report_progress(self, step: int, done: float, total: float, message: str) -> None:
        """Call the progress listeners; only on the event loop."""
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
        self._lines: dict[_QueueKey, _Line] = {}

    def slot(self, user_id: str, conversation_id: str) -> AbstractAsyncContextManager[None]:
        """Enter it at once, to wait until the earlier turns of a conversation have ended.

        Raises:
            Busy: too many turns are waiting already.
        """
        key = (asyncio.get_running_loop(), user_id, conversation_id)
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = _Line(self._lines, key)
        elif line.present > MAX_WAITING:
            raise Busy(f"conversation {conversation_id!r}: {MAX_WAITING} requests are waiting already")
        return line


class _Line(AbstractAsyncContextManager[None]):
    """The turns of one conversation on one event loop; removed when the last one has ended."""

    def __init__(self, lines: dict[_QueueKey, _Line], key: _QueueKey) -> None:
        self.present = 0
        self._lines = lines
        self._key = key
        self._lock = asyncio.Lock()

    async def __aenter__(self) -> None:
        self.present += 1
        try:
            await self._lock.acquire()
        except BaseException:
            self._leave()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._lock.release()
        self._leave()

    def _leave(self) -> None:
        self.present -= 1
        if not self.present:
            del self._lines[self._key]
