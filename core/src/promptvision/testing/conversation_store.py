"""Tests that every conversation store must pass.

Subclass :class:`ConversationStoreContract` in a test module and define a ``store`` fixture::

    class TestMyStore(ConversationStoreContract):
        @pytest.fixture
        def store(self) -> Iterator[ConversationStore]:
            store = MyStore("...")
            yield store
            store.close()

It needs pytest and hypothesis. Every test uses its own user names, so all can share one database.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from promptvision.conversations.store import ConversationStore, clean_text
from promptvision.conversations.turn import (
    Claim,
    Event,
    EventKind,
    TurnKey,
    TurnStatus,
)
from promptvision.errors import LeaseLost
from promptvision.testing.claims_contract import ClaimsContract
from promptvision.testing.journal_contract import JournalContract
from promptvision.testing.reading_contract import ReadingContract
from promptvision.testing.transfer_contract import TransferContract
from promptvision.testing.turns import claim, image_event, note

__all__ = ["HOSTILE_IDS", "ConversationStoreContract"]

HOSTILE_IDS = (
    "a,or(id.gt.0)",
    "' OR '1'='1",
    '"; DROP TABLE turns; --',
    "../../etc/passwd",
    "%",
    "_",
    "*",
    "a b\tc\nd",
    "in.(1,2)",
    "user&select=*",
    "ü-\N{SNOWMAN}-\N{GRINNING FACE}",
    "\\",
    "null",
    "x" * 200,
)
"""Ids with a special meaning in SQL, PostgREST filters, URLs or file systems."""

_TEXT = st.text(st.characters(exclude_categories=()), max_size=50).map(clean_text)
_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXT,
    lambda values: st.lists(values, max_size=4) | st.dictionaries(_TEXT, values, max_size=4),
    max_leaves=12,
)


class ConversationStoreContract(ClaimsContract, JournalContract, ReadingContract, TransferContract):
    """Contract tests for conversation stores. A subclass defines the ``store`` fixture."""

    @pytest.fixture
    def user(self) -> str:
        """A user that no other test uses."""
        return f"user-{uuid.uuid4().hex}"

    def test_everything_belongs_to_its_owner(self, store: ConversationStore, user: str) -> None:
        """Another user can read and change nothing, even with the correct ids."""
        turn = claim(store, user)
        store.append(turn, [image_event(1, 1, "d" * 64)])
        other = f"{user}-other"
        assert store.turn(other, turn.id) is None
        assert store.history(other, "c1", 5) == []
        assert store.images(other, "c1") == []
        assert store.conversations(other) == []
        assert store.conversation(other, "c1") is None
        assert not store.rename(other, "c1", "mine now")
        assert not store.delete(other, "c1")
        forged = replace(turn, key=replace(turn.key, user_id=other))
        with pytest.raises(LeaseLost):
            store.heartbeat(forged)
        with pytest.raises(LeaseLost):
            store.append(forged, [note(2)])
        with pytest.raises(LeaseLost):
            store.finish_turn(forged, TurnStatus.DONE, {})
        assert claim(store, other).claim is Claim.NEW
        store.append(turn, [note(2)])
        assert len(store.history(user, "c1", 5)[0].events) == 2

    def test_hostile_ids_are_plain_values(self, store: ConversationStore, user: str) -> None:
        """Special characters have no effect in user, conversation and prompt ids."""
        bystander = claim(store, user, conversation="bystander")
        users = [f"{user}{hostile}" for hostile in HOSTILE_IDS]
        for name, hostile in zip(users, HOSTILE_IDS, strict=True):
            turn = claim(store, name, hostile, conversation=hostile)
            assert (turn.claim, turn.seq, turn.key) == (Claim.NEW, 1, TurnKey(name, hostile, hostile))
            store.append(turn, [image_event(1, 1, "e" * 64)])
            store.finish_turn(turn, TurnStatus.DONE, {"id": hostile})
            assert not store.owns_image(user, "e" * 64)
        for name, hostile in zip(users, HOSTILE_IDS, strict=True):
            assert [found.id for found in store.conversations(name)] == [hostile]
            assert claim(store, name, hostile, conversation=hostile).reply == {"id": hostile}
            assert len(store.images(name, hostile)) == 1
            assert store.turn(name, hostile) is None
            assert store.rename(name, hostile, hostile)
            assert store.delete(name, hostile)
        store.heartbeat(bystander)
        assert [found.id for found in store.conversations(user)] == ["bystander"]

    def test_cleaned_text_and_json_come_back_unchanged(self, store: ConversationStore) -> None:
        """Text from ``clean_text`` and any JSON are returned unchanged."""

        @settings(max_examples=40, deadline=None)
        @example(text="a\x00b \ud800 \U0010ffff \r\n\t\x07\x1b[31m e\u0301\u00e9 \ufeff\ufffe", data={"": []})
        @given(text=_TEXT, data=st.dictionaries(_TEXT, _JSON, max_size=4))
        def round_trips(text: str, data: dict[str, Any]) -> None:
            text, user = clean_text(text), f"user-{uuid.uuid4().hex}"
            turn = claim(store, user, f"p{text}", conversation=f"c{text}", prompt=text)
            event = Event(seq=1, kind=EventKind.NOTE, data=data)
            store.append(turn, [event])
            store.finish_turn(turn, TurnStatus.DONE, data)
            store.rename(user, f"c{text}", text)
            again = claim(store, user, f"p{text}", conversation=f"c{text}")
            assert (again.claim, again.prompt, again.key) == (Claim.DONE, text, turn.key)
            assert (again.reply, again.events) == (data, (event,))
            [found] = store.conversations(user)
            assert (found.id, found.title) == (f"c{text}", text)

        round_trips()
