"""The conversation store on Supabase: each method is one database function call."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from promptvision.plugin import (
    Claim,
    Conflict,
    Conversation,
    Event,
    ImageRecord,
    LeaseLost,
    SetupError,
    StoreError,
    Turn,
    TurnKey,
    TurnStatus,
    clean_text,
    conversation_columns,
    restore_conflict,
    title_of,
)
from promptvision_supabase.client import DatabaseClient
from promptvision_supabase.documents import (
    conversation_of,
    document_of,
    event_list,
    image_of,
    turn_of,
)

__all__ = ["SupabaseConversationStore", "open_store"]

VERSION = 4
"""Version of the set-up script, returned by ``promptvision_status``."""


def open_store(setting: Callable[[str], str | None]) -> SupabaseConversationStore:
    """The store that ``SUPABASE_URL`` and ``SUPABASE_KEY`` name.

    Raises:
        SetupError: one of them is not set, or the project is not set up.
        StoreError: the project cannot be reached.
    """
    names = ("SUPABASE_URL", "SUPABASE_KEY")
    if missing := [name for name in names if not setting(name)]:
        raise SetupError(
            f"conversations: supabase: {' and '.join(missing)} not set", hint="see docs/stores.md"
        )
    return SupabaseConversationStore(*(setting(name) or "" for name in names))


class SupabaseConversationStore:
    """Conversations in a Supabase project, shared by any number of processes.

    Safe across threads. The methods are described at
    :class:`~promptvision.conversations.store.ConversationStore`.

    Args:
        url: of the project.
        key: its service_role (secret) key.

    Raises:
        SetupError: the set-up script was not run, has another version, or hides all rows from this key.
        StoreError: the project cannot be reached.
    """

    blocking = True

    def __init__(self, url: str, key: str) -> None:
        self._client = DatabaseClient(url, key)
        self._call = self._client.call
        try:
            self._check_setup()
        except BaseException:
            self._client.close()
            raise

    def _check_setup(self) -> None:
        """Check the database once for problems that would look like an empty store or fail much later."""
        try:
            status = self._call("status")
        except StoreError as exc:
            if exc.retryable:
                raise
            raise SetupError(exc.message, hint=exc.hint) from exc
        where = self._client.where
        if status["version"] != VERSION:
            raise SetupError(
                f"{where}: its set-up script is version {status['version']}, this needs {VERSION}",
                hint="run what `promptvision supabase sql` prints in the project's SQL editor",
            )
        if status["hidden"]:
            raise SetupError(
                f"{where}: SUPABASE_KEY is a key of role {status['role']!r}, from which row-level security "
                "hides every row, so that all would look empty",
                hint="set SUPABASE_KEY to the service_role (secret) key, or add policies for that role",
            )

    def claim_turn(self, key: TurnKey, *, prompt: str, fingerprint: str, owner: str, lease_s: float) -> Turn:
        """Claim the right to run a turn."""
        answer = self._call(
            "claim_turn",
            **_place(key.user_id, key.conversation_id),
            prompt_id=key.prompt_id,
            prompt=clean_text(prompt),
            title=title_of(clean_text(prompt)),
            fingerprint=fingerprint,
            owner=f"{owner} {uuid.uuid4().hex}",  # recognises a repeated call after a lost answer
            lease_s=lease_s,
            turn=uuid.uuid4().hex,
        )
        if answer["claim"] == "conflict":
            raise Conflict(f"prompt_id {key.prompt_id!r} was sent before with another prompt or image")
        return turn_of(answer["turn"], Claim(answer["claim"]))

    def heartbeat(self, turn: Turn) -> None:
        """Keep the claim on a running turn."""
        if not self._call("heartbeat", **_held(turn)):
            raise _lease_lost(turn)

    def append(self, turn: Turn, events: Sequence[Event]) -> None:
        """Add journal entries, all or none."""
        if not events:
            return self.heartbeat(turn)
        before = events[0].seq - 1
        if [event.seq for event in events] != list(range(before + 1, before + 1 + len(events))):
            raise StoreError(f"turn {turn.id}: journal entries must be numbered without gaps")
        outcome = self._call("append", **_held(turn), before=before, events=event_list(list(events)))
        if outcome == "lost":
            raise _lease_lost(turn)
        if outcome == "gap":
            raise StoreError(f"turn {turn.id}: entry {before + 1} does not follow the stored ones")
        return None

    def finish_turn(
        self, turn: Turn, status: TurnStatus, reply: dict[str, Any], events: Sequence[Event] = ()
    ) -> None:
        """End a turn with its last journal entries and its reply document."""
        if status is TurnStatus.RUNNING:
            raise ValueError("a turn ends as done, failed, cancelled or interrupted, not as running")
        if events:
            with suppress(LeaseLost):  # checked below: this call may be a repetition
                self.append(turn, events)
        if not self._call("finish_turn", **_held(turn), status=status.value, reply=json.dumps(reply)):
            raise _lease_lost(turn)

    def close_stale(self, lease_s: float) -> int:
        """Close running turns without a heartbeat as interrupted; return how many."""
        return int(self._call("close_stale", lease_s=lease_s))

    def record_answer(self, user_id: str, turn_id: str, approval_id: str, answer: dict[str, Any]) -> bool:
        """Record the answer to a question of a running turn."""
        question = {"user": user_id, "turn": turn_id, "approval": approval_id}
        return bool(self._call("record_answer", **question, answer=json.dumps(answer)))

    def answers(self, turn: Turn) -> dict[str, dict[str, Any]]:
        """The recorded answers to the questions of a turn."""
        return {name: json.loads(data) for name, data in self._call("answers", **_held(turn)).items()}

    def turn(self, user_id: str, turn_id: str) -> Turn | None:
        """One turn of the user with its events, or None."""
        found = self._call("turn", user=user_id, turn=turn_id)
        return turn_of(found, Claim.READ) if found else None

    def find_turn(self, key: TurnKey) -> Turn | None:
        """The turn of a key with its events, or None."""
        found = self._call("find_turn", **_place(key.user_id, key.conversation_id), prompt_id=key.prompt_id)
        return turn_of(found, Claim.READ) if found else None

    def history(
        self, user_id: str, conversation_id: str, turns: int, *, before: int | None = None
    ) -> list[Turn]:
        """The last turns of a conversation with their events, oldest first."""
        limits = {"count": max(turns, 0), "before": before}
        found = self._call("history", **_place(user_id, conversation_id), **limits)
        return [turn_of(document, Claim.READ) for document in found]

    def images(
        self,
        user_id: str,
        conversation_id: str,
        *,
        newest: int | None = None,
        ids: Sequence[str] | None = None,
    ) -> list[ImageRecord]:
        """The image table of a conversation, by number."""
        wanted = None if ids is None else list(ids)
        found = self._call("images", **_place(user_id, conversation_id), newest=newest, ids=wanted)
        return sorted((image_of(*entry) for entry in found), key=lambda record: record.number)

    def conversations(self, user_id: str, *, limit: int = 50, offset: int = 0) -> list[Conversation]:
        """The user's conversations, newest activity first."""
        found = self._call("conversations", user=user_id, limit=limit, offset=offset)
        return [conversation_of(document) for document in found]

    def conversation(self, user_id: str, conversation_id: str) -> Conversation | None:
        """One conversation of the user, or None."""
        found = self._call("conversation", **_place(user_id, conversation_id))
        return conversation_of(found) if found else None

    def rename(self, user_id: str, conversation_id: str, title: str) -> bool:
        """Set the title; False when there is no such conversation of the user."""
        return bool(self._call("rename", **_place(user_id, conversation_id), title=clean_text(title)))

    def delete(self, user_id: str, conversation_id: str) -> bool:
        """Remove a conversation with its turns, events and images; False when there is none."""
        return bool(self._call("delete", **_place(user_id, conversation_id)))

    def add_image(self, user_id: str, image_id: str) -> None:
        """Record that the user has uploaded an image."""
        self._call("add_image", user=user_id, image=image_id)

    def owns_image(self, user_id: str, image_id: str) -> bool:
        """Whether the user uploaded the image or it appears in one of their conversations."""
        return bool(self._call("owns_image", user=user_id, image=image_id))

    def image_in_use(self, image_id: str) -> bool:
        """Whether any user uploaded the image or has it in a conversation."""
        return bool(self._call("image_in_use", image=image_id))

    def users(self) -> list[str]:
        """All users that have a conversation or an upload."""
        return list(self._call("users"))

    def uploads(self, user_id: str) -> list[str]:
        """Ids of the images that the user uploaded."""
        return list(self._call("uploads", user=user_id))

    def restore_turn(self, conversation: Conversation, turn: Turn) -> None:
        """Store an ended turn of another store unchanged."""
        given = {"conversation": conversation_columns(conversation), "turn": document_of(turn)}
        try:
            self._call("restore_turn", **given)
        except StoreError as exc:
            if exc.__cause__ is not None and getattr(exc.__cause__, "code", None) == "23505":
                raise restore_conflict(turn) from exc
            raise

    def close(self) -> None:
        """Release connections."""
        self._client.close()


def _place(user_id: str, conversation_id: str) -> dict[str, str]:
    return {"user": user_id, "conversation": conversation_id}


def _held(turn: Turn) -> dict[str, Any]:
    return {"user": turn.key.user_id, "turn": turn.id, "fence": turn.fence}


def _lease_lost(turn: Turn) -> LeaseLost:
    return LeaseLost(f"turn {turn.id} the lease was lost: it was taken over, has ended or was deleted")
