"""Following a turn from its beginning to its end, wherever it runs and however often one comes back."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from promptvision.agent.agui import Translator
from promptvision.agent.journal import call_store
from promptvision.agent.reply import Reply
from promptvision.conversations.turn import Event, Turn, TurnStatus
from promptvision.errors import NotFound

if TYPE_CHECKING:
    from promptvision.agent.agent import Agent
    from promptvision.agent.running import RunningTurn

__all__ = ["Frame", "follow"]

POLL_S = 0.3
"""How often a turn that runs in another process is looked at."""
PROGRESS_S = 0.1
"""At most one progress event in this time."""
QUEUE = 1024


@dataclass(frozen=True)
class Frame:
    """One AG-UI event on its way to a reader.

    Args:
        event: the event.
        number: position among the stored events, from 1; None for what is never replayed.
    """

    event: dict[str, Any]
    number: int | None


class _Live:
    """What a running turn tells, as a bounded queue that keeps all events and only the newest progress."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Event | tuple[int, float, float, str]] = asyncio.Queue(QUEUE)
        self._told_at = 0.0

    def event(self, event: Event) -> None:
        if self.queue.full():
            self.queue.get_nowait()  # the reader is far behind; what is dropped here is read from the store
        self.queue.put_nowait(event)

    def progress(self, step: int, done: float, total: float, message: str) -> None:
        now = time.monotonic()
        is_told = math.isfinite(done) and math.isfinite(total)  # JSON has no other numbers
        if is_told and now - self._told_at >= PROGRESS_S and self.queue.qsize() < QUEUE // 2:
            self._told_at = now
            self.queue.put_nowait((step, done, total, message))


@contextmanager
def _listening(running: RunningTurn | None) -> Iterator[_Live]:
    live = _Live()
    if running is not None:
        running.listeners.append(live.event)
        running.progress_listeners.append(live.progress)
    try:
        yield live
    finally:
        if running is not None:
            running.listeners.remove(live.event)
            running.progress_listeners.remove(live.progress)


async def follow(
    agent: Agent, user_id: str, turn_id: str, show: Callable[[str], str], *, after: int = 0
) -> AsyncGenerator[Frame, None]:
    """All events of a turn: those stored so far, then those to come, until it ends.

    Args:
        agent: whose turn it is.
        user_id: the owner.
        turn_id: which turn.
        show: turns an image id into the URL that the reader can open.
        after: leave out events up to this number; the reader has them.

    Raises:
        NotFound: the user has no such turn.
    """
    running = agent.running(user_id, turn_id)
    with _listening(running) as live:
        turn = await _read(agent, user_id, turn_id)
        records = await call_store(
            agent.conversations, agent.conversations.images, user_id, turn.key.conversation_id
        )
        translator = Translator(turn, [r for r in records if r.turn_seq < turn.seq], show)
        teller = _Teller(translator, after)
        for frame in teller.begin():
            yield frame
        is_over, swept_at = False, time.monotonic()
        while True:
            for frame in teller.catch_up(turn):
                yield frame
            if is_over or turn.status is not TurnStatus.RUNNING:
                break
            if running is None:
                swept_at = await _poll(agent, swept_at)
            else:
                async for frame in _listen(running, live, teller):
                    yield frame
                is_over = True  # even if our process has given the turn up without ending it
            turn = await _read(agent, user_id, turn_id)
        for frame in teller.end(turn, _failure(running)):
            yield frame


async def _poll(agent: Agent, swept_at: float) -> float:
    """Wait a little for another process; once per lease close what dead ones left open.

    Returns:
        ``time.monotonic()`` when that was done last.
    """
    await asyncio.sleep(POLL_S)
    if time.monotonic() - swept_at < agent.settings.lease_s:
        return swept_at
    await agent.close_stale()
    return time.monotonic()


async def _listen(running: RunningTurn, live: _Live, teller: _Teller) -> AsyncIterator[Frame]:
    """Pass on what a turn of this process tells, until its task is over and all is told."""
    task = running.task
    while task is not None and not (task.done() and live.queue.empty()):
        told = asyncio.ensure_future(live.queue.get())
        await asyncio.wait({told, task}, return_when=asyncio.FIRST_COMPLETED)
        if not told.done():
            told.cancel()
            continue
        for frame in teller.tell(told.result()):
            yield frame


class _Teller:
    """Numbers the frames of a turn and leaves out those that the reader has."""

    def __init__(self, translator: Translator, after: int) -> None:
        self._translator = translator
        self._after = after
        self._number = 0
        self._seq = 0

    def begin(self) -> list[Frame]:
        return self._numbered(self._translator.opening())

    def catch_up(self, turn: Turn) -> list[Frame]:
        """Frames of stored events that were not told yet."""
        return [frame for event in turn.events for frame in self.tell(event)]

    def tell(self, told: Event | tuple[int, float, float, str]) -> list[Frame]:
        if not isinstance(told, Event):
            return [Frame(self._translator.progress(*told), None)]
        if told.seq != self._seq + 1:
            return []  # told already, or ahead of what the store will give
        self._seq = told.seq
        return self._numbered(self._translator.event(told))

    def end(self, turn: Turn, error: str) -> list[Frame]:
        """The closing frames; those of a turn that may go on later have no number."""
        is_final = turn.status in (TurnStatus.DONE, TurnStatus.FAILED, TurnStatus.CANCELLED)
        reply = Reply.from_stored(turn.reply) if is_final and turn.reply else None
        status = TurnStatus.INTERRUPTED if turn.status is TurnStatus.RUNNING else turn.status
        events = self._translator.closing(status, reply, error)
        return self._numbered(events) if is_final else [Frame(event, None) for event in events]

    def _numbered(self, events: list[dict[str, Any]]) -> list[Frame]:
        frames = []
        for event in events:
            self._number += 1
            if self._number > self._after:
                frames.append(Frame(event, self._number))
        return frames


async def _read(agent: Agent, user_id: str, turn_id: str) -> Turn:
    turn = await call_store(agent.conversations, agent.conversations.turn, user_id, turn_id)
    if turn is None:
        raise NotFound("no such turn")
    return turn


def _failure(running: RunningTurn | None) -> str:
    if running is None or running.task is None or not running.task.done() or running.task.cancelled():
        return ""
    error = running.task.exception()
    return "" if error is None else str(error)
