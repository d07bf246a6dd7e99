"""Following a turn from its beginning to its end, wherever it runs and however often one comes back."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from promptvision.agent.events.agui import Translator
from promptvision.agent.events.encoder import Cursor, EventEncoder, StreamEvent
from promptvision.agent.journal import call_store
from promptvision.agent.turns.live_reply import Throttle
from promptvision.conversations.turn import Event, Turn, TurnStatus
from promptvision.errors import NotFound

if TYPE_CHECKING:
    from promptvision.agent.agent import Agent
    from promptvision.agent.turns.handle import TurnHandle

__all__ = ["Cursor", "StreamEvent", "follow"]

POLL_S = 0.3
"""How often a turn that runs in another process is looked at."""
PROGRESS_S = 0.1
"""At most one progress event in this time."""
QUEUE = 1024


@dataclass(frozen=True)
class _More:
    """There is more of what the planner says, after the event of this number."""

    seq: int


_Told = Event | tuple[int, float, float, str] | _More


class _Live:
    """What a running turn tells, as a bounded queue: all events, and of the rest only the newest."""

    def __init__(self, running: TurnHandle | None) -> None:
        self.queue: asyncio.Queue[_Told] = asyncio.Queue(QUEUE)
        self._running = running
        self._told_at = 0.0
        self._seq = 0
        self._has_more = False
        self._more = Throttle(self._say_more)

    def __enter__(self) -> Self:
        if self._running is not None:
            self._running.listeners.append(self._event)
            self._running.progress_listeners.append(self._progress)
            self._running.speech.listeners.append(self._more)
            self._running.speech.has_subscribers = True
            self._more()  # somebody may be in the middle of a sentence
        return self

    def __exit__(self, *_: object) -> None:
        if self._running is not None:
            self._running.listeners.remove(self._event)
            self._running.progress_listeners.remove(self._progress)
            self._running.speech.listeners.remove(self._more)
        self._more.close()

    async def next(self) -> _Told:
        """What was told next."""
        told = await self.queue.get()
        if isinstance(told, _More) and told.seq == self._seq:
            self._has_more = False
        return told

    def _event(self, event: Event) -> None:
        if self.queue.full():
            self.queue.get_nowait()  # the reader is far behind; what is dropped here is read from the store
        self.queue.put_nowait(event)
        self._seq, self._has_more = event.seq, False
        if self._running is not None and not self._running.speech.is_whole:
            self._more()

    def _progress(self, step: int, done: float, total: float, message: str) -> None:
        now = time.monotonic()
        is_told = math.isfinite(done) and math.isfinite(total)  # JSON has no other numbers
        if is_told and now - self._told_at >= PROGRESS_S and self.queue.qsize() < QUEUE // 2:
            self._told_at = now
            self.queue.put_nowait((step, done, total, message))

    def _say_more(self) -> None:
        """Say once that there is more; the text itself is kept elsewhere."""
        if not self._has_more and self.queue.qsize() < QUEUE // 2:
            self._has_more = True
            self.queue.put_nowait(_More(self._seq))


async def follow(
    agent: Agent, user_id: str, turn_id: str, show: Callable[[str], str], *, after: Cursor | None = None
) -> AsyncGenerator[StreamEvent, None]:
    """All events of a turn: those stored so far, then those to come, until it ends.

    A turn that runs in this process is told with the text of each reply as it comes.

    Args:
        agent: whose turn it is.
        user_id: the owner.
        turn_id: which turn.
        show: turns an image id into the URL that the reader can open.
        after: how far the reader is; default: at the beginning.

    Raises:
        NotFound: the user has no such turn.
    """
    running = agent.running(user_id, turn_id)
    with _Live(running) as live:
        turn = await _read(agent, user_id, turn_id)
        records = await call_store(
            agent.conversations, agent.conversations.images, user_id, turn.key.conversation_id
        )
        translator = Translator(turn, [r for r in records if r.turn_seq < turn.seq], show)
        teller = EventEncoder(translator, after or Cursor())
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


async def _listen(running: TurnHandle, live: _Live, teller: EventEncoder) -> AsyncIterator[StreamEvent]:
    """Pass on what a turn of this process tells, until its task is over and all is told."""
    task = running.task
    while task is not None and not (task.done() and live.queue.empty()):
        told = asyncio.ensure_future(live.next())
        await asyncio.wait({told, task}, return_when=asyncio.FIRST_COMPLETED)
        if not told.done():
            told.cancel()
            continue
        for frame in _frames(running, teller, told.result()):
            yield frame


def _frames(running: TurnHandle, teller: EventEncoder, told: _Told) -> list[StreamEvent]:
    if isinstance(told, Event):
        return teller.tell(told)
    if isinstance(told, _More):
        return teller.say(running.speech, told.seq)
    return teller.progress(*told)


async def _read(agent: Agent, user_id: str, turn_id: str) -> Turn:
    turn = await call_store(agent.conversations, agent.conversations.turn, user_id, turn_id)
    if turn is None:
        raise NotFound("no such turn")
    return turn


def _failure(running: TurnHandle | None) -> str:
    if running is None or running.task is None or not running.task.done() or running.task.cancelled():
        return ""
    error = running.task.exception()
    return "" if error is None else str(error)
