"""Writing a turn's events before what they announce, off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from promptvision.conversations.store import ConversationStore
from promptvision.conversations.turn import Event, EventKind, Turn

__all__ = ["Entry", "Journal", "Listener", "call_store"]

P = ParamSpec("P")
T = TypeVar("T")

Entry = tuple[EventKind, dict[str, Any], str | None]
"""Kind, data and the picture that an event is about."""

Listener = Callable[[Event], None]
"""Told of every event once it is stored; must not block."""


async def call_store(store: Any, method: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a store's method, in a thread when the store may wait for a disk or a network."""
    if not store.blocking:
        return method(*args, **kwargs)
    return await asyncio.to_thread(method, *args, **kwargs)


class Journal:
    """The events of one turn.

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

    def hold(self, *entries: Entry) -> None:
        """Keep events for the next write; there is one before anything happens that they announce."""
        self._held.extend(entries)

    async def flush(self) -> None:
        """Store what is held."""
        if self._held:
            await self.write()

    async def write(self, *further: Entry) -> None:
        """Store what is held and further events, all or none.

        Raises:
            LeaseLost: another process has the turn now.
        """
        entries, self._held = [*self._held, *further], []
        events = [
            Event(seq=self._seq + index, kind=kind, data=data, image_id=image_id)
            for index, (kind, data, image_id) in enumerate(entries, start=1)
        ]
        await call_store(self._store, self._store.append, self.turn, events)
        self._seq += len(events)
        for event in events:
            self.tell(event)

    def tell(self, event: Event) -> None:
        """Pass an event on without storing it."""
        for listener in self._listeners:
            listener(event)
