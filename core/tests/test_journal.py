"""The journal: stored before an action starts, delivered only after it is stored, always in order."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from promptvision.agent.journal import Entry, Journal
from promptvision.builtin.memory import MemoryConversationStore
from promptvision.conversations.async_store import AsyncConversationStore
from promptvision.conversations.turn import Event, EventKind, Turn, TurnKey, TurnStatus
from promptvision.errors import LeaseLost, StoreError

KEY = TurnKey("ann", "c", "p")


class SlowStore(MemoryConversationStore):
    """A store that waits for a gate before each write, and fails on demand."""

    blocking = True

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.failure: Exception | None = None
        self.batches: list[list[int]] = []

    def append(self, turn: Turn, events: Sequence[Event]) -> None:
        assert self.gate.wait(10)
        if self.failure is not None:
            raise self.failure
        super().append(turn, events)
        self.batches.append([event.seq for event in events])


def note(text: str) -> Entry:
    return EventKind.NOTE, {"message": text}, None


def begin(store: MemoryConversationStore) -> tuple[Turn, Journal, list[int]]:
    turn = store.claim_turn(KEY, prompt="x", fingerprint="f", owner="o", lease_s=60)
    delivered: list[int] = []
    return (
        turn,
        Journal(AsyncConversationStore(store), turn, [lambda event: delivered.append(event.seq)]),
        delivered,
    )


def stored(store: MemoryConversationStore, turn: Turn) -> list[str]:
    found = store.turn("ann", turn.id)
    assert found is not None
    return [event.data["message"] for event in found.events]


@pytest.mark.parametrize("blocking", [False, True])
def test_events_are_stored_in_order_however_they_are_given(blocking: bool) -> None:
    async def give() -> None:
        store = SlowStore() if blocking else MemoryConversationStore()
        if isinstance(store, SlowStore):
            store.gate.set()
        turn, journal, delivered = begin(store)
        journal.defer(note("a"))
        await journal.write(note("b"))
        journal.post(note("c"))
        journal.post(note("d"))
        journal.defer(note("e"))
        await journal.write(note("f"))
        assert stored(store, turn) == list("abcdef")
        assert delivered == [1, 2, 3, 4, 5, 6]

    asyncio.run(give())


def test_post_does_not_wait_and_publishes_nothing_before_it_is_stored() -> None:
    async def give() -> None:
        store = SlowStore()
        turn, journal, delivered = begin(store)
        journal.post(note("a"))
        await asyncio.sleep(0.02)
        assert (delivered, stored(store, turn)) == ([], [])
        writing = asyncio.ensure_future(journal.write(note("b")))
        await asyncio.sleep(0.02)
        assert not writing.done()
        store.gate.set()
        await writing
        assert delivered == [1, 2]
        assert store.batches == [[1], [2]]

    asyncio.run(give())


def test_post_is_stored_without_a_following_write() -> None:
    async def give() -> None:
        store = SlowStore()
        store.gate.set()
        turn = store.claim_turn(KEY, prompt="x", fingerprint="f", owner="o", lease_s=60)
        is_notified = asyncio.Event()
        journal = Journal(AsyncConversationStore(store), turn, [lambda event: is_notified.set()])
        journal.post(note("a"))
        await asyncio.wait_for(is_notified.wait(), 10)
        await journal.write()
        assert store.batches == [[1]]

    asyncio.run(give())


def test_what_is_posted_meanwhile_goes_in_one_write() -> None:
    async def give() -> None:
        store = SlowStore()
        _, journal, delivered = begin(store)
        for letter in "abc":
            journal.post(note(letter))
        store.gate.set()
        await asyncio.gather(journal.write(note("d")), journal.write(note("e")))
        assert store.batches == [[1, 2, 3, 4], [5]]
        assert delivered == [1, 2, 3, 4, 5]

    asyncio.run(give())


def test_write_right_after_a_stored_post_does_not_hang() -> None:
    """The loop knows that the thread has ended, but has not yet run what it does then."""

    async def give() -> None:
        store = SlowStore()
        store.gate.set()
        turn, journal, delivered = begin(store)
        writing = asyncio.ensure_future(journal.write(note("a")))
        await asyncio.sleep(0)
        sent = journal._appending
        assert sent is not None
        while not sent.done():  # noqa: ASYNC110  # an event would come too late
            await asyncio.sleep(0)
        assert delivered == []
        await journal.write(note("b"))  # not in wait_for, which would let the loop run first
        await writing
        assert (stored(store, turn), delivered) == (["a", "b"], [1, 2])

    asyncio.run(give())


@pytest.mark.parametrize("failure", [LeaseLost("taken over"), StoreError("the disk is full")])
def test_failure_of_what_was_posted_is_raised_by_every_later_write(failure: Exception) -> None:
    async def give() -> None:
        store = SlowStore()
        store.failure = failure
        store.gate.set()
        turn, journal, delivered = begin(store)
        journal.post(note("a"))
        with pytest.raises(type(failure), match=str(failure)):
            await journal.write()
        with pytest.raises(type(failure), match=str(failure)):
            await journal.write()
        store.failure = None
        journal.post(note("c"))
        with pytest.raises(type(failure)):
            await journal.write()
        assert (delivered, stored(store, turn)) == ([], []), "a journal has no gaps"

    asyncio.run(give())


@pytest.mark.parametrize("blocking", [False, True])
def test_turn_ends_with_what_is_held_and_posted(blocking: bool) -> None:
    async def give() -> None:
        store = SlowStore() if blocking else MemoryConversationStore()
        if isinstance(store, SlowStore):
            store.gate.set()
        turn, journal, delivered = begin(store)
        journal.post(note("a"))
        journal.defer(note("b"))
        await journal.finish(TurnStatus.DONE, {"text": "done"})
        found = store.turn("ann", turn.id)
        assert found is not None
        assert (found.status, found.reply) == (TurnStatus.DONE, {"text": "done"})
        assert stored(store, turn) == ["a", "b"]
        assert delivered == [1, 2]

    asyncio.run(give())


def test_turn_does_not_end_when_an_event_was_lost() -> None:
    async def give() -> None:
        store = SlowStore()
        store.failure = StoreError("the disk is full")
        turn, journal, _ = begin(store)
        journal.post(note("a"))
        await asyncio.sleep(0.02)
        store.gate.set()
        with pytest.raises(StoreError, match="the disk is full"):
            await journal.finish(TurnStatus.DONE, {})
        found = store.turn("ann", turn.id)
        assert found is not None
        assert found.status is TurnStatus.RUNNING

    asyncio.run(give())


def test_interrupted_turn_keeps_posted_events() -> None:
    async def give() -> None:
        store = SlowStore()
        turn, journal, _ = begin(store)
        journal.post(note("a"))
        journal.interrupt()
        found = store.turn("ann", turn.id)
        assert found is not None
        assert (found.status, stored(store, turn)) == (TurnStatus.INTERRUPTED, ["a"])

    asyncio.run(give())


def test_cancelled_writer_leaves_a_complete_journal() -> None:
    async def give() -> None:
        store = SlowStore()
        turn, journal, delivered = begin(store)
        writing = asyncio.ensure_future(journal.write(note("a")))
        await asyncio.sleep(0.02)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        store.gate.set()
        await journal.write(note("b"))
        assert stored(store, turn) == ["a", "b"]
        assert delivered == [1, 2]

    asyncio.run(give())
