"""The journal of a turn: events are stored, off the event loop, before anything depends on them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from promptvision.conversations.async_store import AsyncConversationStore
from promptvision.conversations.turn import Event, EventKind, Turn, TurnStatus

__all__ = ["Entry", "Journal", "Listener"]

POST_DELAY_S = 0.001
"""How long posted events wait for further ones, so that one write stores both."""

Entry = tuple[EventKind, dict[str, Any], str | None]
"""Kind, data and image of an event."""

Listener = Callable[[Event], None]
"""Called with each event once it is stored; must not block."""


class Journal:
    """The events of one turn.

    An action starts only after the events that announce it are stored: :meth:`write` waits for that. The end
    of a step goes to :meth:`post`, which does not wait: the planner can run in the meantime, and if another
    step follows at once, its start and the end of the last one are stored in one write. Listeners get an
    event only once it is stored.

    Args:
        conversations: where events are stored.
        turn: the claimed turn.
        listeners: called with each stored event.
    """

    def __init__(self, conversations: AsyncConversationStore, turn: Turn, listeners: list[Listener]) -> None:
        self._conversations = conversations
        self.turn = turn
        self._listeners = listeners
        self._seq = max((event.seq for event in turn.events), default=0)
        self._waiting: list[Entry] = []
        self._appending: asyncio.Future[None] | None = None
        self._appended: list[Event] = []
        self._failure: BaseException | None = None

    def defer(self, *entries: Entry) -> None:
        """Keep events for the next write, which happens before the action that they announce."""
        self._waiting.extend(entries)

    def post(self, *entries: Entry) -> None:
        """Store deferred and new events, all or none, in the background; the next write waits for it."""
        self._waiting.extend(entries)
        if self._conversations.is_immediate:
            self._append()
        else:
            asyncio.get_running_loop().call_later(POST_DELAY_S, self._append)

    async def write(self, *entries: Entry) -> None:
        """Store deferred and new events, all or none, after those that were posted.

        Raises:
            LeaseLost: another process has the turn now.
            StoreError: these events or posted ones could not be stored; no later event is stored either.
        """
        self._waiting.extend(entries)
        if not self._is_settled:
            await self._settle()
        self._append()
        if not self._is_settled:
            await self._settle()

    async def finish(self, status: TurnStatus, reply: dict[str, Any]) -> None:
        """End the turn with its reply and with the events that were deferred or posted.

        Raises:
            LeaseLost: another process has the turn now.
            StoreError: the end, or posted events, could not be stored.
        """
        if not self._is_settled:
            await self._settle()
        events = self._number_waiting()
        await self._conversations.finish_turn(self.turn, status, reply, events)
        self._deliver(events)

    def interrupt(self) -> None:
        """Mark the turn as interrupted, with the events that were deferred or posted. Blocks.

        Raises:
            StoreError: it could not be stored.
        """
        events = self._number_waiting()
        self._conversations.store.finish_turn(self.turn, TurnStatus.INTERRUPTED, {}, events)

    async def read_answers(self) -> dict[str, dict[str, Any]]:
        """The answers to the turn's questions that other processes have recorded.

        Raises:
            StoreError: they could not be read.
        """
        return await self._conversations.answers(self.turn)

    @property
    def _is_settled(self) -> bool:
        """Whether no append is running or has failed."""
        return self._appending is None and self._failure is None

    async def _settle(self) -> None:
        """Wait until no append is running, and raise its error if it failed."""
        while (appending := self._appending) is not None:
            if appending.done():
                self._on_appended(appending)
            else:
                await asyncio.shield(appending)
        if self._failure is not None:
            raise self._failure

    def _number_waiting(self) -> list[Event]:
        """The waiting events, numbered; none when an event before them was lost."""
        entries, self._waiting = self._waiting, []
        if self._failure is not None:
            return []
        events = [
            Event(seq=self._seq + index, kind=kind, data=data, image_id=image_id)
            for index, (kind, data, image_id) in enumerate(entries, start=1)
        ]
        self._seq += len(events)
        return events

    def _append(self) -> None:
        """Start to store the waiting events, unless an append is running or has failed."""
        if not self._waiting or not self._is_settled:
            return
        self._appended = self._number_waiting()
        try:
            self._appending = self._conversations.start_append(self.turn, self._appended)
        except Exception as exc:  # noqa: BLE001  # raised by the next write, as what a thread raises is
            self._failure = exc
            return
        if self._appending is None:
            self._deliver(self._appended)
        else:
            self._appending.add_done_callback(self._on_appended)

    def _on_appended(self, appending: asyncio.Future[None]) -> None:
        """Deliver the stored events or note the failure. Called once or twice for each append."""
        if appending is not self._appending:
            return
        self._appending = None
        self._failure = asyncio.CancelledError() if appending.cancelled() else appending.exception()
        if self._failure is None:
            self._deliver(self._appended)
            self._append()  # what was deferred or posted meanwhile

    def _deliver(self, events: list[Event]) -> None:
        for event in events:
            for listener in self._listeners:
                listener(event)
