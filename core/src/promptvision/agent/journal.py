"""Storing a turn's events before what they announce, off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from promptvision.conversations.store import ConversationStore
from promptvision.conversations.turn import Event, EventKind, Turn, TurnStatus

__all__ = ["Entry", "Journal", "Listener", "call_store"]

POST_DELAY_S = 0.001
"""How long posted events wait for the next write to take them along."""

P = ParamSpec("P")
T = TypeVar("T")

Entry = tuple[EventKind, dict[str, Any], str | None]
"""Kind, data and the image that an event is about."""

Listener = Callable[[Event], None]
"""Told of every event once it is stored; must not block."""


async def call_store(store: Any, method: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a store's method, in a thread when the store may wait for a disk or a network."""
    if not store.blocking:
        return method(*args, **kwargs)
    return await asyncio.to_thread(method, *args, **kwargs)


class Journal:
    """The events of one turn.

    Nothing begins before the events that announce it are stored: :meth:`write` waits for that. What has
    ended is given to :meth:`post`, which does not wait: asking the planner again changes nothing, so it need
    not wait for a disk or a network, and where another step follows at once the end of one and the beginning
    of the other are stored together. An event is told only once it is stored.

    Args:
        store: where they are written.
        turn: the claimed turn.
        listeners: told of each event after it is stored.
    """

    def __init__(self, store: ConversationStore, turn: Turn, listeners: list[Listener]) -> None:
        self._store = store
        self.turn = turn
        self._listeners = listeners
        self._seq = max((event.seq for event in turn.events), default=0)
        self._held: list[Entry] = []
        self._on_its_way: asyncio.Future[None] | None = None
        self._sent: list[Event] = []
        self._failure: BaseException | None = None

    def hold(self, *entries: Entry) -> None:
        """Keep events for the next write; there is one before anything happens that they announce."""
        self._held.extend(entries)

    def post(self, *further: Entry) -> None:
        """Store what is held and further events, all or none, very soon; the next write waits for it."""
        self._held.extend(further)
        if self._store.blocking:
            asyncio.get_running_loop().call_later(POST_DELAY_S, self._send)
        else:
            self._send()

    async def write(self, *further: Entry) -> None:
        """Store what is held and further events, all or none, after what was posted.

        Raises:
            LeaseLost: another process has the turn now.
            StoreError: these events, or some that were posted, could not be stored; none is from then on.
        """
        self._held.extend(further)
        if self._store.blocking:
            await self._settle()
        self._send()
        if self._store.blocking:
            await self._settle()

    async def end(self, status: TurnStatus, reply: dict[str, Any]) -> None:
        """End the turn with its reply, and with what is held or posted.

        Raises:
            LeaseLost: another process has the turn now.
            StoreError: the end, or some events that were posted, could not be stored.
        """
        await self._settle()
        events = self._take()
        await call_store(self._store, self._store.finish_turn, self.turn, status, reply, events)
        self._tell(events)

    def break_off(self) -> None:
        """Mark the turn as interrupted, with what is held or posted; waits for the store.

        Raises:
            StoreError: it could not be stored.
        """
        self._store.finish_turn(self.turn, TurnStatus.INTERRUPTED, {}, self._take())

    async def _settle(self) -> None:
        """Wait until nothing is on its way, and raise what went wrong."""
        while (sent := self._on_its_way) is not None:
            if sent.done():
                self._arrived(sent)
            else:
                await asyncio.shield(sent)
        if self._failure is not None:
            raise self._failure

    def _take(self) -> list[Event]:
        """What is held, numbered; nothing when something before it was lost."""
        entries, self._held = self._held, []
        if self._failure is not None:
            return []
        events = [
            Event(seq=self._seq + index, kind=kind, data=data, image_id=image_id)
            for index, (kind, data, image_id) in enumerate(entries, start=1)
        ]
        self._seq += len(events)
        return events

    def _send(self) -> None:
        """Begin to store what is held, unless something is on its way or has been lost."""
        if not self._held or self._on_its_way is not None or self._failure is not None:
            return
        events = self._take()
        if not self._store.blocking:
            self._store.append(self.turn, events)
            self._tell(events)
            return
        loop = asyncio.get_running_loop()
        self._sent = events
        self._on_its_way = loop.run_in_executor(None, self._store.append, self.turn, events)
        self._on_its_way.add_done_callback(self._arrived)

    def _arrived(self, sent: asyncio.Future[None]) -> None:
        """Note what came of what was on its way; whoever sees first that it has ended says so."""
        if sent is not self._on_its_way:
            return
        self._on_its_way = None
        self._failure = asyncio.CancelledError() if sent.cancelled() else sent.exception()
        if self._failure is None:
            self._tell(self._sent)
            self._send()  # what was held or posted meanwhile

    def _tell(self, events: list[Event]) -> None:
        for event in events:
            for listener in self._listeners:
                listener(event)
