"""Which process may run a turn: part of the contract of conversation stores."""

from __future__ import annotations

import time

import pytest

from promptvision.conversations.store import ConversationStore
from promptvision.conversations.turn import (
    Claim,
    Turn,
    TurnKey,
    TurnStatus,
)
from promptvision.errors import Conflict, LeaseLost
from promptvision.testing.turns import claim, in_threads, note

__all__ = ["ClaimsContract"]


class ClaimsContract:
    """Claims, take-overs, leases and concurrent requests."""

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
