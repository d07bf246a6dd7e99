"""The journal of a turn: part of the contract of conversation stores."""

from __future__ import annotations

from typing import Any

import pytest

from promptvision.conversations.store import ConversationStore
from promptvision.conversations.turn import (
    Claim,
    Event,
    EventKind,
    TurnStatus,
)
from promptvision.errors import LeaseLost, StoreError
from promptvision.testing.turns import claim, image_event, note

__all__ = ["JournalContract"]


class JournalContract:
    """Appending entries and ending turns."""

    def test_journal_keeps_order_kind_and_data(self, store: ConversationStore, user: str) -> None:
        """Entries are returned unchanged and in order."""
        turn = claim(store, user)
        data: dict[str, Any] = {
            "float": 0.1 + 0.2,
            "big": 2**53,
            "nested": [{"a": None}, [True, False], ""],
            "text": 'quote " slash \\ snow \N{SNOWMAN} face \N{GRINNING FACE} right-to-left \u202e',
        }
        events = [
            image_event(1, 1, "a" * 64),
            Event(seq=2, kind=EventKind.MESSAGE, data=data),
            Event(seq=3, kind=EventKind.STEP_STARTED, data={}),
            Event(seq=4, kind=EventKind.STEP_FINISHED, data={"status": "done"}),
        ]
        store.append(turn, events[:1])
        store.append(turn, [])
        store.append(turn, events[1:])
        read = store.turn(user, turn.id)
        assert read is not None
        assert (read.claim, read.events) == (Claim.READ, tuple(events))

    def test_large_entry(self, store: ConversationStore, user: str) -> None:
        """A megabyte in one entry is kept."""
        turn = claim(store, user)
        event = Event(seq=1, kind=EventKind.STEP_FINISHED, data={"text": "word " * 200_000})
        store.append(turn, [event])
        assert store.history(user, "c1", 1)[0].events == (event,)

    def test_stored_data_is_not_shared_with_the_caller(self, store: ConversationStore, user: str) -> None:
        """Changing a dictionary after the call does not affect the store."""
        turn = claim(store, user)
        data: dict[str, Any] = {"list": [1]}
        reply: dict[str, Any] = {"list": [1]}
        store.append(turn, [Event(seq=1, kind=EventKind.NOTE, data=data)])
        store.finish_turn(turn, TurnStatus.DONE, reply)
        data["list"].append(2)
        reply["list"].append(2)
        for _ in range(2):
            read = claim(store, user)
            assert read.reply == {"list": [1]}
            assert read.events[0].data == {"list": [1]}
            read.reply["list"].append(3)

    def test_repeated_append_is_harmless(self, store: ConversationStore, user: str) -> None:
        """A call whose acknowledgement was lost can be repeated."""
        turn = claim(store, user)
        for _ in range(3):
            store.append(turn, [note(1), note(2)])
        store.append(turn, [note(3)])
        store.append(turn, [note(1), note(2)])
        read = store.turn(user, turn.id)
        assert read is not None
        assert read.events == (note(1), note(2), note(3))

    def test_append_is_all_or_none(self, store: ConversationStore, user: str) -> None:
        """Entries that clash with a stored one are rejected together with the others of the call."""
        turn = claim(store, user)
        store.append(turn, [note(1)])
        with pytest.raises(StoreError):
            store.append(turn, [note(1, "different"), note(2)])
        read = store.turn(user, turn.id)
        assert read is not None
        assert read.events == (note(1),)
        store.append(turn, [note(2)])

    def test_ended_turn_takes_no_more_writes(self, store: ConversationStore, user: str) -> None:
        """An ended turn cannot be changed; ending it the same way again has no effect."""
        turn = claim(store, user)
        store.finish_turn(turn, TurnStatus.DONE, {"text": "one"})
        store.finish_turn(turn, TurnStatus.DONE, {"text": "one"})
        with pytest.raises(LeaseLost):
            store.finish_turn(turn, TurnStatus.DONE, {"text": "two"})
        with pytest.raises(LeaseLost):
            store.finish_turn(turn, TurnStatus.FAILED, {"text": "one"})
        with pytest.raises(LeaseLost):
            store.append(turn, [note(1)])
        with pytest.raises(LeaseLost):
            store.heartbeat(turn)
        assert claim(store, user).reply == {"text": "one"}

    def test_turn_ends_with_its_last_entries(self, store: ConversationStore, user: str) -> None:
        """They are visible as soon as the turn has ended, and ending it again has no effect."""
        turn = claim(store, user)
        store.append(turn, [note(1)])
        for _ in range(2):
            store.finish_turn(turn, TurnStatus.DONE, {"text": "one"}, [note(2), note(3)])
            read = claim(store, user)
            assert (read.reply, read.events) == ({"text": "one"}, (note(1), note(2), note(3)))

    def test_last_entries_may_exist(self, store: ConversationStore, user: str) -> None:
        """The state after a call that was interrupted before the turn ended."""
        turn = claim(store, user)
        store.append(turn, [note(1)])
        store.finish_turn(turn, TurnStatus.DONE, {"text": "one"}, [note(1)])
        assert claim(store, user).events == (note(1),)

    def test_turn_does_not_end_with_entries_that_do_not_follow(
        self, store: ConversationStore, user: str
    ) -> None:
        """The turn continues as if nothing had been requested."""
        turn = claim(store, user)
        for wrong in ([note(2)], [note(1), note(3)]):
            with pytest.raises(StoreError):
                store.finish_turn(turn, TurnStatus.DONE, {"text": "one"}, wrong)
        store.append(turn, [note(1)])
        read = store.turn(user, turn.id)
        assert read is not None
        assert (read.status, read.events) == (TurnStatus.RUNNING, (note(1),))

    def test_owner_that_lost_its_turn_cannot_end_it(self, store: ConversationStore, user: str) -> None:
        """Neither its reply nor its last entries are stored."""
        old = claim(store, user)
        new = claim(store, user, lease_s=0)
        with pytest.raises(LeaseLost):
            store.finish_turn(old, TurnStatus.DONE, {"text": "old"}, [note(1)])
        read = store.turn(user, new.id)
        assert read is not None
        assert (read.status, read.events) == (TurnStatus.RUNNING, ())

    def test_turn_does_not_end_as_running(self, store: ConversationStore, user: str) -> None:
        """A turn cannot end as running."""
        turn = claim(store, user)
        with pytest.raises(ValueError, match="running"):
            store.finish_turn(turn, TurnStatus.RUNNING, {})
        store.heartbeat(turn)
