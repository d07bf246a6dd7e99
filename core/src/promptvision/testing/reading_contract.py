"""Reading conversations: part of the contract of conversation stores."""

from __future__ import annotations

import time
import uuid
from typing import Any

import pytest

from promptvision.conversations.store import ConversationStore
from promptvision.conversations.turn import (
    Claim,
    TurnKey,
    TurnStatus,
)
from promptvision.errors import LeaseLost
from promptvision.testing.turns import claim, image_event, note

__all__ = ["ReadingContract"]


class ReadingContract:
    """Answers, history, images, conversations and uploads."""

    def test_first_answer_to_a_question_counts(self, store: ConversationStore, user: str) -> None:
        """A second answer is refused; repeating the first one is not an error."""
        turn = claim(store, user)
        assert store.answers(turn) == {}
        yes, no = {"approved": True, "reason": ""}, {"approved": False, "reason": "no; '\u2028"}
        assert store.record_answer(user, turn.id, "1-1", no)
        assert store.record_answer(user, turn.id, "1-1", no)
        assert not store.record_answer(user, turn.id, "1-1", yes)
        assert store.record_answer(user, turn.id, "1-2", yes)
        assert store.answers(turn) == {"1-1": no, "1-2": yes}

    def test_only_the_owner_answers_and_only_while_the_turn_runs(
        self, store: ConversationStore, user: str
    ) -> None:
        """Other users, unknown turns and ended turns are refused."""
        turn, yes = claim(store, user), {"approved": True}
        assert not store.record_answer(f"{user}x", turn.id, "1-1", yes)
        assert not store.record_answer(user, "no-such-turn", "1-1", yes)
        store.finish_turn(turn, TurnStatus.INTERRUPTED, {})
        assert not store.record_answer(user, turn.id, "1-1", yes)
        assert store.answers(turn) == {}

    def test_answer_does_not_outlive_a_take_over(self, store: ConversationStore, user: str) -> None:
        """A resumed turn asks again, and its answers go with the conversation."""
        turn = claim(store, user)
        store.record_answer(user, turn.id, "1-1", {"approved": True})
        store.finish_turn(turn, TurnStatus.INTERRUPTED, {})
        resumed = claim(store, user)
        assert resumed.claim is Claim.RESUMED
        assert store.answers(resumed) == {}
        assert store.record_answer(user, turn.id, "1-1", {"approved": False})
        assert store.answers(resumed) == {"1-1": {"approved": False}}
        store.delete(user, turn.key.conversation_id)
        assert store.answers(resumed) == {}

    def test_history_is_the_last_turns_oldest_first(self, store: ConversationStore, user: str) -> None:
        """Turns are ordered by position, each with its own events."""
        for number in range(1, 6):
            turn = claim(store, user, f"p{number}", prompt=f"prompt {number}")
            store.append(turn, [note(1, f"event {number}"), note(2)])
            store.finish_turn(turn, TurnStatus.DONE, {"n": number})
        read = store.history(user, "c1", 3)
        assert [turn.seq for turn in read] == [3, 4, 5]
        assert [turn.prompt for turn in read] == ["prompt 3", "prompt 4", "prompt 5"]
        assert [turn.events[0].data["text"] for turn in read] == ["event 3", "event 4", "event 5"]
        assert [len(turn.events) for turn in read] == [2, 2, 2]
        assert {turn.claim for turn in read} == {Claim.READ}
        assert len(store.history(user, "c1", 100)) == 5
        assert store.history(user, "c1", 0) == []
        assert store.history(user, "none", 5) == []
        assert [turn.seq for turn in store.history(user, "c1", 2, before=4)] == [2, 3]
        assert [turn.events[0].data["text"] for turn in store.history(user, "c1", 1, before=2)] == ["event 1"]
        assert [turn.seq for turn in store.history(user, "c1", 9, before=10**12)] == [1, 2, 3, 4, 5]
        assert store.history(user, "c1", 9, before=1) == []

    def test_turn_is_found_by_its_key(self, store: ConversationStore, user: str) -> None:
        """The result equals that of :meth:`turn`, and only the owner gets it."""
        new = claim(store, user)
        store.append(new, [note(1)])
        store.finish_turn(new, TurnStatus.DONE, {"n": 1})
        assert store.find_turn(new.key) == store.turn(user, new.id)
        assert store.find_turn(TurnKey(user, "c1", "other")) is None
        assert store.find_turn(TurnKey(user, "other", new.key.prompt_id)) is None
        assert store.find_turn(TurnKey(f"{user}-other", "c1", new.key.prompt_id)) is None

    def test_image_table(self, store: ConversationStore, user: str) -> None:
        """It lists every image by number, with the turn it appeared in."""
        first = claim(store, user, "p1")
        store.append(first, [image_event(1, 1, "a" * 64), note(2), image_event(3, 2, "b" * 64, parent=1)])
        store.finish_turn(first, TurnStatus.DONE, {})
        second = claim(store, user, "p2")
        store.append(second, [image_event(1, 3, "a" * 64, parent=2)])
        records = store.images(user, "c1")
        assert [(record.handle, record.image_id[0], record.turn_seq) for record in records] == [
            ("img_1", "a", 1),
            ("img_2", "b", 1),
            ("img_3", "a", 2),
        ]
        assert (records[1].parent, records[1].maker, records[1].kind) == (1, "convert_to_bw", "edit")
        assert (records[0].width, records[0].height) == (4, 3)
        assert store.images(user, "none") == []

    def test_newest_images_and_images_of_some_ids(self, store: ConversationStore, user: str) -> None:
        """``newest`` counts from the end of the conversation, ``ids`` selects, and both can be given."""
        for seq, letter in enumerate("abca", 1):
            turn = claim(store, user, f"p{seq}")
            number = 2 * seq - 1
            store.append(
                turn,
                [image_event(1, number, letter * 64), image_event(2, number + 1, "d" * 64, parent=number)],
            )
            store.finish_turn(turn, TurnStatus.DONE, {})

        def numbers(**wanted: Any) -> list[int]:
            return [record.number for record in store.images(user, "c1", **wanted)]

        assert numbers(newest=3) == [6, 7, 8]
        assert numbers(newest=99) == numbers() == [1, 2, 3, 4, 5, 6, 7, 8]
        assert numbers(newest=0) == numbers(ids=[]) == numbers(ids=["e" * 64]) == []
        assert numbers(ids=["a" * 64, "b" * 64, "a" * 64]) == [1, 3, 7]
        assert numbers(ids=["a" * 64, "b" * 64], newest=2) == [3, 7]
        assert store.images(f"{user}-other", "c1", newest=3) == []
        assert [record.turn_seq for record in store.images(user, "c1", newest=2)] == [4, 4]

    def test_conversations_newest_activity_first(self, store: ConversationStore, user: str) -> None:
        """A new turn moves its conversation to the front; limit and offset select a page."""
        for name in ("c1", "c2", "c3"):
            turn = claim(store, user, conversation=name)
            store.finish_turn(turn, TurnStatus.DONE, {})
            time.sleep(0.005)  # stores save this time in milliseconds
        claim(store, user, "p2", conversation="c1")
        assert [found.id for found in store.conversations(user)] == ["c1", "c3", "c2"]
        assert [found.turns for found in store.conversations(user)] == [2, 1, 1]
        assert [found.id for found in store.conversations(user, limit=1, offset=1)] == ["c3"]
        assert store.conversations(user, offset=3) == []

    def test_rename_and_delete(self, store: ConversationStore, user: str) -> None:
        """Both return whether the conversation existed; a deleted one leaves no data behind."""
        turn = claim(store, user)
        store.append(turn, [image_event(1, 1, "c" * 64)])
        other = claim(store, user, conversation="c2")
        assert store.rename(user, "c1", "lions")
        assert not store.rename(user, "none", "lions")
        found = store.conversation(user, "c1")
        assert found is not None
        assert found.title == "lions"
        assert store.delete(user, "c1")
        assert not store.delete(user, "c1")
        assert store.conversation(user, "c1") is None
        assert store.history(user, "c1", 5) == []
        assert store.images(user, "c1") == []
        assert store.turn(user, turn.id) is None
        with pytest.raises(LeaseLost):
            store.append(turn, [note(2)])
        store.heartbeat(other)
        assert claim(store, user).seq == 1

    def test_uploads_and_images_in_use(self, store: ConversationStore, user: str) -> None:
        """A user owns an image by upload or in a conversation; it is in use while either exists."""
        uploaded, made = uuid.uuid4().hex * 2, uuid.uuid4().hex * 2
        assert not store.owns_image(user, uploaded)
        assert not store.image_in_use(uploaded)
        store.add_image(user, uploaded)
        store.add_image(user, uploaded)
        assert store.owns_image(user, uploaded)
        assert not store.owns_image(f"{user}-other", uploaded)
        assert store.image_in_use(uploaded)
        turn = claim(store, user)
        store.append(turn, [image_event(1, 1, made)])
        assert store.owns_image(user, made)
        assert not store.owns_image(f"{user}-other", made)
        assert store.image_in_use(made)
        store.delete(user, "c1")
        assert not store.owns_image(user, made)
        assert not store.image_in_use(made)
        assert store.owns_image(user, uploaded)
