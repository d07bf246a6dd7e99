"""Replay the events of a turn and follow it to its end, wherever it runs."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from typing import Self

from promptvision.agent.events.agui import Translator
from promptvision.agent.events.encoder import Cursor, EventEncoder, StreamEvent
from promptvision.agent.turns.handle import TurnHandle
from promptvision.agent.turns.live_reply import Throttle
from promptvision.agent.turns.records import records_near
from promptvision.agent.turns.running import RunningTurns
from promptvision.conversations.async_store import AsyncConversationStore
from promptvision.conversations.turn import Event, Turn, TurnStatus
from promptvision.errors import NotFound

__all__ = ["Cursor", "StreamEvent", "follow"]

POLL_S = 0.3
"""Interval at which a turn that runs in another process is read again."""
PROGRESS_INTERVAL_S = 0.1
"""Minimum interval between progress events."""
QUEUE_SIZE = 1024


@dataclass(frozen=True)
class _Progress:
    """The progress of a step."""

    step: int
    done: float
    total: float
    message: str


@dataclass(frozen=True)
class _MoreText:
    """Signals more text of the streaming reply, after the event with this number."""

    seq: int


_Update = Event | _Progress | _MoreText


class _Subscription:
    """The updates of a running turn in a bounded queue; progress and text are dropped when it is full.

    Args:
        handle: the turn; None, and no updates, when it does not run in this process.
    """

    def __init__(self, handle: TurnHandle | None) -> None:
        self.queue: asyncio.Queue[_Update] = asyncio.Queue(QUEUE_SIZE)
        self._handle = handle
        self._progress_at = 0.0
        self._seq = 0
        self._text_is_queued = False
        self._on_text = Throttle(self._queue_text)

    def __enter__(self) -> Self:
        if self._handle is not None:
            self._handle.listeners.append(self._on_event)
            self._handle.progress_listeners.append(self._on_progress)
            self._handle.live_reply.subscribers.append(self._on_text)
            self._handle.live_reply.has_subscribers = True
            self._on_text()  # a reply may be streaming already
        return self

    def __exit__(self, *_: object) -> None:
        if self._handle is not None:
            self._handle.listeners.remove(self._on_event)
            self._handle.progress_listeners.remove(self._on_progress)
            self._handle.live_reply.subscribers.remove(self._on_text)
        self._on_text.close()

    async def next(self) -> _Update:
        """Wait for the next update."""
        update = await self.queue.get()
        if isinstance(update, _MoreText) and update.seq == self._seq:
            self._text_is_queued = False
        return update

    def _on_event(self, event: Event) -> None:
        if self.queue.full():
            self.queue.get_nowait()  # a dropped event is read from the store later
        self.queue.put_nowait(event)
        self._seq, self._text_is_queued = event.seq, False
        if self._handle is not None and not self._handle.live_reply.is_whole:
            self._on_text()

    def _on_progress(self, step: int, done: float, total: float, message: str) -> None:
        now = time.monotonic()
        is_json = math.isfinite(done) and math.isfinite(total)  # JSON has no infinity and no NaN
        if is_json and now - self._progress_at >= PROGRESS_INTERVAL_S and self._has_room():
            self._progress_at = now
            self.queue.put_nowait(_Progress(step, done, total, message))

    def _queue_text(self) -> None:
        """Queue one note that there is text; the text itself stays in the live reply."""
        if not self._text_is_queued and self._has_room():
            self._text_is_queued = True
            self.queue.put_nowait(_MoreText(self._seq))

    def _has_room(self) -> bool:
        return self.queue.qsize() < QUEUE_SIZE // 2


async def follow(
    turns: RunningTurns,
    user_id: str,
    turn_id: str,
    show: Callable[[str], str],
    *,
    after: Cursor | None = None,
) -> AsyncGenerator[StreamEvent, None]:
    """Yield all events of a turn until it ends: first the stored ones, then new ones as they arrive.

    For a turn that runs in this process, the text of each reply is sent as it arrives.

    Args:
        turns: the turns of this process, and the stores.
        user_id: the owner of the turn.
        turn_id: the turn.
        show: maps an image id to the URL that the reader can open.
        after: the position to resume from; default: the beginning.

    Raises:
        NotFound: the user has no such turn.
    """
    conversations = turns.services.conversations
    handle = turns.find(user_id, turn_id)
    with _Subscription(handle) as subscription:
        turn = await _read_turn(conversations, user_id, turn_id)
        records = await records_near(conversations, user_id, turn.key.conversation_id, [turn])
        translator = Translator(turn, [r for r in records if r.turn_seq < turn.seq], show)
        encoder = EventEncoder(translator, after or Cursor())
        for encoded in encoder.opening():
            yield encoded
        is_over, swept_at = False, time.monotonic()
        while True:
            for encoded in encoder.replay(turn):
                yield encoded
            if is_over or turn.status is not TurnStatus.RUNNING:
                break
            if handle is None:
                swept_at = await _poll(turns, swept_at)
            else:
                async for encoded in _listen(handle, subscription, encoder):
                    yield encoded
                is_over = True  # even if this process abandoned the turn without ending it
            turn = await _read_turn(conversations, user_id, turn_id)
        for encoded in encoder.closing(turn, _failure(handle)):
            yield encoded


async def _poll(turns: RunningTurns, swept_at: float) -> float:
    """Wait one poll interval; once per lease, close the turns of dead processes.

    Returns:
        ``time.monotonic()`` of the last time that was done.
    """
    await asyncio.sleep(POLL_S)
    if time.monotonic() - swept_at < turns.services.settings.lease_s:
        return swept_at
    await turns.interrupted.close_stale()
    return time.monotonic()


async def _listen(
    handle: TurnHandle, subscription: _Subscription, encoder: EventEncoder
) -> AsyncIterator[StreamEvent]:
    """Encode the updates of a turn of this process until its task has ended and the queue is empty."""
    task = handle.task
    while task is not None and not (task.done() and subscription.queue.empty()):
        update = asyncio.ensure_future(subscription.next())
        await asyncio.wait({update, task}, return_when=asyncio.FIRST_COMPLETED)
        if not update.done():
            update.cancel()
            continue
        for encoded in _encode(handle, encoder, update.result()):
            yield encoded


def _encode(handle: TurnHandle, encoder: EventEncoder, update: _Update) -> list[StreamEvent]:
    if isinstance(update, Event):
        return encoder.encode(update)
    if isinstance(update, _MoreText):
        return encoder.encode_text(handle.live_reply, update.seq)
    return encoder.progress(update.step, update.done, update.total, update.message)


async def _read_turn(conversations: AsyncConversationStore, user_id: str, turn_id: str) -> Turn:
    turn = await conversations.turn(user_id, turn_id)
    if turn is None:
        raise NotFound("no such turn")
    return turn


def _failure(handle: TurnHandle | None) -> str:
    """Why the task of a turn failed; empty when it did not."""
    if handle is None or handle.task is None or not handle.task.done() or handle.task.cancelled():
        return ""
    error = handle.task.exception()
    return "" if error is None else str(error)
