"""Turns of other stores: part of the contract of conversation stores."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from promptvision.conversations.store import ConversationStore
from promptvision.conversations.turn import (
    Claim,
    Conversation,
    Turn,
    TurnKey,
    TurnStatus,
)
from promptvision.errors import Conflict
from promptvision.testing.turns import claim, image_event, note

__all__ = ["TransferContract"]


class TransferContract:
    """Listing users and uploads, and restoring turns."""

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
