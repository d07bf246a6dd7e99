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

import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from typing import Any, TypeVar

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from promptvision.conversations.store import ConversationStore, clean_text
from promptvision.conversations.turn import (
    Claim,
    Conversation,
    Event,
    EventKind,
    ImageRecord,
    Turn,
    TurnKey,
    TurnStatus,
)
from promptvision.errors import Conflict, LeaseLost, StoreError

__all__ = ["HOSTILE_IDS", "ConversationStoreContract", "claim", "image_event", "note"]

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

T = TypeVar("T")

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


def claim(
    store: ConversationStore,
    user: str,
    prompt_id: str = "p1",
    *,
    conversation: str = "c1",
    prompt: str = "make it black and white",
    fingerprint: str = "f1",
    owner: str = "tester",
    lease_s: float = 60,
) -> Turn:
    """Claim a turn, with defaults for arguments that a test does not set."""
    key = TurnKey(user, conversation, prompt_id)
    return store.claim_turn(key, prompt=prompt, fingerprint=fingerprint, owner=owner, lease_s=lease_s)


def note(seq: int, text: str = "hello") -> Event:
    """A small journal entry."""
    return Event(seq=seq, kind=EventKind.NOTE, data={"text": text})


def image_event(seq: int, number: int, image_id: str, parent: int | None = None) -> Event:
    """A journal entry for an image that entered the conversation."""
    record = ImageRecord(
        number=number,
        image_id=image_id,
        kind="input" if parent is None else "edit",
        parent=parent,
        maker="" if parent is None else "convert_to_bw",
        width=4,
        height=3,
    )
    return Event(seq=seq, kind=EventKind.IMAGE, data=asdict(record), image_id=image_id)


def in_threads(count: int, action: Callable[[int], T]) -> list[T]:
    """Call the action with 0 to ``count - 1``, each in a separate thread, and collect the results."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(action, range(count)))


class ConversationStoreContract:
    """Contract tests for conversation stores. A subclass defines the ``store`` fixture."""

    @pytest.fixture
    def user(self) -> str:
        """A user that no other test uses."""
        return f"user-{uuid.uuid4().hex}"

    # claiming

    def test_first_claim_makes_the_turn_and_the_conversation(
        self, store: ConversationStore, user: str
    ) -> None:
        """A new key is claimed, becomes the first turn, and sets the title of the conversation."""
        turn = claim(store, user, prompt="  find\nthe lion ")
        assert (turn.claim, turn.status, turn.seq, turn.events) == (Claim.NEW, TurnStatus.RUNNING, 1, ())
        assert (turn.key, turn.fingerprint, turn.reply) == (TurnKey(user, "c1", "p1"), "f1", None)
        assert turn.prompt == "  find\nthe lion "
        assert abs(turn.created_at - time.time()) < 60
        conversation = store.conversation(user, "c1")
        assert conversation is not None
        assert (conversation.title, conversation.turns) == ("find the lion", 1)

    def test_title_of_a_huge_prompt_is_short(self, store: ConversationStore, user: str) -> None:
        """The prompt is stored in full, the title is shortened."""
        prompt = "lion " * 20_000
        claim(store, user, prompt=prompt)
        conversation = store.conversation(user, "c1")
        assert conversation is not None
        assert len(conversation.title) <= 80
        assert store.history(user, "c1", 1)[0].prompt == prompt

    @pytest.mark.parametrize("status", [TurnStatus.DONE, TurnStatus.FAILED, TurnStatus.CANCELLED])
    def test_ended_turn_gives_its_stored_reply(
        self, store: ConversationStore, user: str, status: TurnStatus
    ) -> None:
        """The same key returns the stored reply, however often it is claimed."""
        turn = claim(store, user)
        store.append(turn, [note(1)])
        store.finish_turn(turn, status, {"text": "done", "n": [1, 2.5, None, True]})
        for _ in range(3):
            again = claim(store, user, lease_s=0)
            assert (again.claim, again.status, again.id) == (Claim.DONE, status, turn.id)
            assert again.reply == {"text": "done", "n": [1, 2.5, None, True]}
            assert again.events == (note(1),)
        assert len(store.history(user, "c1", 10)) == 1

    def test_other_fingerprint_is_a_conflict(self, store: ConversationStore, user: str) -> None:
        """Another body under the same key is rejected, running or ended, and nothing is written."""
        turn = claim(store, user)
        with pytest.raises(Conflict):
            claim(store, user, fingerprint="other", lease_s=0)
        store.heartbeat(turn)
        store.finish_turn(turn, TurnStatus.DONE, {})
        with pytest.raises(Conflict):
            claim(store, user, fingerprint="other")
        assert [turn.fingerprint for turn in store.history(user, "c1", 10)] == ["f1"]

    def test_running_key_is_busy(self, store: ConversationStore, user: str) -> None:
        """A running turn cannot be claimed a second time, not even by the same owner."""
        turn = claim(store, user)
        again = claim(store, user)
        assert (again.claim, again.id, again.status) == (Claim.BUSY, turn.id, TurnStatus.RUNNING)
        store.heartbeat(turn)

    def test_one_turn_runs_in_a_conversation(self, store: ConversationStore, user: str) -> None:
        """The second prompt gets the blocking turn; another conversation is not blocked."""
        turn = claim(store, user, "p1")
        blocked = claim(store, user, "p2")
        assert (blocked.claim, blocked.id, blocked.key.prompt_id) == (Claim.BUSY, turn.id, "p1")
        assert claim(store, user, "p2", conversation="c2").claim is Claim.NEW
        store.finish_turn(turn, TurnStatus.DONE, {})
        after = claim(store, user, "p2")
        assert (after.claim, after.seq) == (Claim.NEW, 2)

    def test_interrupted_turn_is_resumed_with_its_events(self, store: ConversationStore, user: str) -> None:
        """The next claim gets the journal so far and a higher fence."""
        turn = claim(store, user)
        store.append(turn, [note(1), note(2)])
        store.finish_turn(turn, TurnStatus.INTERRUPTED, {"text": "the server was stopped"})
        again = claim(store, user)
        assert (again.claim, again.status, again.seq) == (Claim.RESUMED, TurnStatus.RUNNING, 1)
        assert (again.fence, again.reply) == (turn.fence + 1, None)
        assert again.events == (note(1), note(2))
        store.append(again, [note(3)])
        store.finish_turn(again, TurnStatus.DONE, {"text": "ok"})
        assert claim(store, user).reply == {"text": "ok"}

    def test_interrupted_turn_waits_for_the_running_one(self, store: ConversationStore, user: str) -> None:
        """Resuming an older turn keeps the limit of one running turn."""
        first = claim(store, user, "p1")
        store.finish_turn(first, TurnStatus.INTERRUPTED, {})
        second = claim(store, user, "p2")
        blocked = claim(store, user, "p1")
        assert (blocked.claim, blocked.id) == (Claim.BUSY, second.id)
        store.finish_turn(second, TurnStatus.DONE, {})
        assert claim(store, user, "p1").claim is Claim.RESUMED

    def test_late_writes_of_the_old_owner_are_refused(self, store: ConversationStore, user: str) -> None:
        """After a take-over the old fence writes nothing."""
        old = claim(store, user, owner="old")
        store.append(old, [note(1)])
        new = claim(store, user, owner="new", lease_s=0)
        assert (new.claim, new.fence, new.events) == (Claim.RESUMED, old.fence + 1, (note(1),))
        with pytest.raises(LeaseLost):
            store.heartbeat(old)
        with pytest.raises(LeaseLost):
            store.append(old, [note(2, "late")])
        with pytest.raises(LeaseLost):
            store.finish_turn(old, TurnStatus.DONE, {"text": "late"})
        store.append(new, [note(2, "new")])
        store.finish_turn(new, TurnStatus.DONE, {"text": "new"})
        [turn] = store.history(user, "c1", 10)
        assert (turn.reply, turn.events) == ({"text": "new"}, (note(1), note(2, "new")))

    def test_lease_ends_without_heartbeat(self, store: ConversationStore, user: str) -> None:
        """A heartbeat keeps the turn; without one it is taken over after the lease expires, not before."""
        turn = claim(store, user)
        store.heartbeat(turn)
        heartbeat_at = time.monotonic()
        while claim(store, user, lease_s=0.4).claim is Claim.BUSY:
            assert time.monotonic() - heartbeat_at < 10
            time.sleep(0.02)
        assert time.monotonic() - heartbeat_at >= 0.39
        with pytest.raises(LeaseLost):
            store.heartbeat(turn)

    def test_claim_closes_dead_turn_of_another_key(self, store: ConversationStore, user: str) -> None:
        """A crashed turn does not block the conversation forever."""
        dead = claim(store, user, "p1")
        new = claim(store, user, "p2", lease_s=0)
        assert (new.claim, new.seq) == (Claim.NEW, 2)
        with pytest.raises(LeaseLost):
            store.append(dead, [note(1)])
        assert [turn.status for turn in store.history(user, "c1", 10)] == [
            TurnStatus.INTERRUPTED,
            TurnStatus.RUNNING,
        ]

    def test_close_stale_closes_only_the_dead(self, store: ConversationStore, user: str) -> None:
        """Turns with a fresh heartbeat keep running; the others become interrupted."""
        alive = claim(store, user)
        store.close_stale(600)
        store.heartbeat(alive)
        assert store.close_stale(0) >= 1
        with pytest.raises(LeaseLost):
            store.heartbeat(alive)
        assert store.history(user, "c1", 1)[0].status is TurnStatus.INTERRUPTED
        assert claim(store, user).claim is Claim.RESUMED

    # the journal

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

    # reading

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

    # moving to and from other stores

    def test_users_are_those_with_conversations_or_uploads(self, store: ConversationStore, user: str) -> None:
        """Each is listed once; a user without data is not listed."""
        assert user not in store.users()
        claim(store, user)
        claim(store, user, conversation="c2")
        store.add_image(f"{user}-uploader", uuid.uuid4().hex * 2)
        listed = store.users()
        assert listed.count(user) == listed.count(f"{user}-uploader") == 1
        store.delete(user, "c1")
        store.delete(user, "c2")
        assert user not in store.users()

    def test_uploads_are_listed_for_their_owner(self, store: ConversationStore, user: str) -> None:
        """Uploads only: images made in a conversation are found in it."""
        ids = {uuid.uuid4().hex * 2 for _ in range(3)}
        for image_id in ids:
            store.add_image(user, image_id)
        store.append(claim(store, user), [image_event(1, 1, uuid.uuid4().hex * 2)])
        assert sorted(store.uploads(user)) == sorted(ids)
        assert store.uploads(f"{user}-other") == []

    def test_restored_turns_are_unchanged(self, store: ConversationStore, user: str) -> None:
        """Ids, times, fences, replies, events and titles are kept, in any order of the turns."""
        conversation, turns = _foreign(user)
        for turn in [*reversed(turns), *turns]:
            store.restore_turn(conversation, turn)
        assert store.conversation(user, "c1") == conversation
        assert store.history(user, "c1", 10) == turns
        assert [record.turn_seq for record in store.images(user, "c1")] == [1, 2, 3]
        assert store.owns_image(user, store.images(user, "c1")[0].image_id)
        again = claim(store, user, "p2", fingerprint="f2")
        assert (again.claim, again.reply) == (Claim.DONE, {"n": 2})
        resumed = claim(store, user, "p3", fingerprint="f3")
        assert (resumed.claim, resumed.fence, resumed.id) == (Claim.RESUMED, 4, turns[2].id)
        store.append(resumed, [note(2)])
        store.finish_turn(resumed, TurnStatus.DONE, {})
        assert claim(store, user, "p4").seq == 4

    def test_restoring_again_brings_the_newer_state(self, store: ConversationStore, user: str) -> None:
        """A second copy transfers changes made in the other store after the first."""
        conversation, turns = _foreign(user)
        for turn in turns:
            store.restore_turn(conversation, turn)
        newer = replace(
            turns[2], status=TurnStatus.DONE, fence=4, reply={}, events=(*turns[2].events, note(2))
        )
        renamed = replace(conversation, title="renamed", updated_at=conversation.updated_at + 1)
        store.restore_turn(renamed, newer)
        assert store.history(user, "c1", 10) == [*turns[:2], newer]
        assert store.conversation(user, "c1") == renamed

    def test_restoring_keeps_other_and_newer_turns(self, store: ConversationStore, user: str) -> None:
        """Another turn with the same prompt_id or position, or a later fence, is not overwritten."""
        conversation, turns = _foreign(user)
        for turn in turns:
            store.restore_turn(conversation, turn)
        unrelated = replace(turns[0], id=uuid.uuid4().hex)
        for wrong in (
            replace(unrelated, seq=9),
            replace(unrelated, key=replace(unrelated.key, prompt_id="p9")),
            replace(turns[2], fence=2),
            replace(turns[0], key=TurnKey(f"{user}-other", "c1", "p1")),
        ):
            title = replace(conversation, user_id=wrong.key.user_id, title="not this")
            with pytest.raises(Conflict):
                store.restore_turn(title, wrong)
        assert store.history(user, "c1", 10) == turns
        assert store.conversation(user, "c1") == conversation
        assert store.conversations(f"{user}-other") == []

    # owners and unusual text

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

    # concurrency

    def test_fifty_claims_of_one_key_give_one_turn(self, store: ConversationStore, user: str) -> None:
        """Exactly one caller gets the turn; the others get its id."""
        turns = in_threads(50, lambda _: claim(store, user))
        assert sorted(turn.claim for turn in turns) == [Claim.BUSY] * 49 + [Claim.NEW]
        assert len({turn.id for turn in turns}) == 1
        assert len(store.history(user, "c1", 100)) == 1

    def test_fifty_prompts_at_once_run_one(self, store: ConversationStore, user: str) -> None:
        """One turn of the conversation runs; the others are refused with its id, and write nothing."""
        turns = in_threads(50, lambda number: claim(store, user, f"p{number}"))
        assert sorted(turn.claim for turn in turns) == [Claim.BUSY] * 49 + [Claim.NEW]
        assert len({turn.id for turn in turns}) == 1
        [turn] = store.history(user, "c1", 100)
        assert turn.seq == 1

    def test_twenty_resumers_of_one_turn(self, store: ConversationStore, user: str) -> None:
        """Exactly one caller takes over an interrupted turn."""
        turn = claim(store, user)
        store.finish_turn(turn, TurnStatus.INTERRUPTED, {})
        turns = in_threads(20, lambda _: claim(store, user))
        assert sorted(turn.claim for turn in turns) == [Claim.BUSY] * 19 + [Claim.RESUMED]
        assert {turn.fence for turn in turns} == {turn.fence + 1}

    def test_conversations_in_parallel(self, store: ConversationStore, user: str) -> None:
        """Turns of different conversations do not affect each other."""

        def converse(number: int) -> list[Turn]:
            name = f"c{number}"
            for prompt in range(3):
                turn = claim(store, user, f"p{prompt}", conversation=name)
                for seq in range(1, 6):
                    store.append(turn, [note(seq, f"{name} {prompt} {seq}")])
                store.finish_turn(turn, TurnStatus.DONE, {"text": name})
            return store.history(user, name, 10)

        for number, turns in enumerate(in_threads(8, converse)):
            assert [turn.seq for turn in turns] == [1, 2, 3]
            assert [event.data["text"] for turn in turns for event in turn.events] == [
                f"c{number} {prompt} {seq}" for prompt in range(3) for seq in range(1, 6)
            ]


def _foreign(user: str) -> tuple[Conversation, list[Turn]]:
    """A conversation of another store: two done turns and an interrupted one."""
    turns = [
        Turn(
            id=uuid.uuid4().hex,
            key=TurnKey(user, "c1", f"p{seq}"),
            seq=seq,
            status=TurnStatus.INTERRUPTED if seq == 3 else TurnStatus.DONE,
            claim=Claim.READ,
            fence=seq,
            prompt=f"prompt {seq}",
            fingerprint=f"f{seq}",
            reply=None if seq == 3 else {"n": seq},
            events=(image_event(1, seq, uuid.uuid4().hex * 2),),
            created_at=1_700_000_000.123456 + seq,
        )
        for seq in (1, 2, 3)
    ]
    conversation = Conversation(
        id="c1", user_id=user, title="lions", turns=3, created_at=1_700_000_000.1, updated_at=1_700_000_003.3
    )
    return conversation, turns
