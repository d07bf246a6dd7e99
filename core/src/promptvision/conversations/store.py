"""The conversation store protocol.

Every method is atomic by itself and needs no transaction held by the caller, so a store can be an SQL
database or an HTTP API. All text is cleaned by the caller (:func:`clean_text`): no NUL, no lone surrogates.
Calls may block; the agent makes them off the event loop unless ``blocking`` is false.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Protocol

from pydantic_core import PydanticSerializationError, to_json

from promptvision.conversations.turn import Conversation, Event, ImageRecord, Turn, TurnKey, TurnStatus
from promptvision.errors import Conflict

__all__ = [
    "ConversationStore",
    "clean_text",
    "conversation_columns",
    "encode_json",
    "restore_conflict",
    "title_of",
    "turn_columns",
]

TITLE_CHARS = 80


def encode_json(value: Any) -> bytes:
    """Serialise a value as compact JSON in UTF-8, by pydantic's fast writer where it can.

    Lone surrogates, which have no UTF-8 form, are escaped.
    """
    try:
        return to_json(value, inf_nan_mode="constants")
    except PydanticSerializationError:
        return json.dumps(value, separators=(",", ":")).encode()


def clean_text(text: str) -> str:
    """Text that every store can hold: NUL dropped, lone surrogates replaced."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def title_of(prompt: str) -> str:
    """The title of a conversation that starts with this prompt: its first 80 characters, on one line."""
    return " ".join(prompt[: 4 * TITLE_CHARS].split())[:TITLE_CHARS]


def restore_conflict(turn: Turn) -> Conflict:
    """The error for a turn that cannot be restored because of different data in its place."""
    key = turn.key
    return Conflict(
        f"conversation {key.conversation_id!r} of user {key.user_id!r}: turn {turn.seq} exists already "
        "with other contents, or has continued since",
        hint="delete that conversation in one of the two stores",
    )


def turn_columns(turn: Turn) -> dict[str, Any]:
    """The columns of a turn from another store, in the tables of the SQL store; JSON is stored as text."""
    return {
        "id": turn.id,
        "user_id": turn.key.user_id,
        "conversation_id": turn.key.conversation_id,
        "prompt_id": turn.key.prompt_id,
        "seq": turn.seq,
        "status": turn.status.value,
        "fence": turn.fence,
        "owner": "restored",
        "prompt": turn.prompt,
        "fingerprint": turn.fingerprint,
        "reply": None if turn.reply is None else json.dumps(turn.reply),
        "event_count": len(turn.events),
        "created_at": turn.created_at,
        "heartbeat_at": turn.created_at,
    }


def conversation_columns(conversation: Conversation) -> dict[str, Any]:
    """The columns of a conversation from another store, in the tables of the SQL store."""
    return {
        "user_id": conversation.user_id,
        "conversation_id": conversation.id,
        "title": conversation.title,
        "turns": conversation.turns,
        "created_at": conversation.created_at,
        "updated_at": conversation.updated_at,
    }


class ConversationStore(Protocol):
    """Stores conversations with their turns and events.

    All methods raise :class:`~promptvision.errors.StoreError` when the store fails, ``retryable`` when the
    same call may work later. Every query is filtered by ``user_id``.
    """

    blocking: bool
    """Whether calls may wait for a disk or a network."""

    def claim_turn(self, key: TurnKey, *, prompt: str, fingerprint: str, owner: str, lease_s: float) -> Turn:
        """Claim the right to run a turn.

        The result depends on the key: a new key creates a turn (``Claim.NEW``) unless another turn of the
        conversation is running (``BUSY``); an ended turn returns its reply (``DONE``); an interrupted one, or
        a running one whose owner has sent no heartbeat for ``lease_s`` seconds, is taken over with the next
        fence and its events (``RESUMED``); otherwise ``BUSY``. A running turn of the same conversation under
        another key whose lease has expired is closed as interrupted. The first claim creates the
        conversation, titled after the prompt.

        Args:
            key: user, conversation, prompt_id.
            prompt: the user's words, stored with the turn.
            fingerprint: digest of the request.
            owner: name of this process, for operators. A store may add a nonce to it, to recognise a claim of
                this process whose answer was lost.
            lease_s: seconds without heartbeat after which a running turn counts as dead.

        Raises:
            Conflict: the key exists with another fingerprint.
        """

    def heartbeat(self, turn: Turn) -> None:
        """Send a heartbeat: keep the claim on a running turn.

        Raises:
            LeaseLost: the turn was taken over or has ended.
        """

    def append(self, turn: Turn, events: Sequence[Event]) -> None:
        """Add journal entries, all or none; also a heartbeat.

        Entries that exist already and are equal are not an error: a call may be repeated when its
        acknowledgement was lost.

        Raises:
            LeaseLost: the turn was taken over or has ended; nothing was written.
            StoreError: the entries do not follow the stored ones; nothing was written.
        """

    def finish_turn(
        self, turn: Turn, status: TurnStatus, reply: dict[str, Any], events: Sequence[Event] = ()
    ) -> None:
        """End a turn with its last journal entries and its reply document.

        Repeating the same call is not an error. A turn never ends without the entries; a store that needs two
        calls for it adds them first.

        Raises:
            LeaseLost: the turn was taken over or has ended; nothing was written.
            StoreError: the entries do not follow the stored ones; the turn has not ended.
        """

    def close_stale(self, lease_s: float) -> int:
        """Close running turns without a heartbeat for ``lease_s`` seconds as interrupted; return how many."""

    def record_answer(self, user_id: str, turn_id: str, approval_id: str, answer: dict[str, Any]) -> bool:
        """Record the user's answer to a question of a running turn, for the process that runs it.

        The first answer counts. It belongs to the current fence of the turn: after a take-over the question
        is asked again. Repeating a call is not an error.

        Args:
            user_id: the owner.
            turn_id: the turn.
            approval_id: the question.
            answer: plain JSON.

        Returns:
            False if the user has no such turn that is running, or the question has another answer.
        """

    def answers(self, turn: Turn) -> dict[str, dict[str, Any]]:
        """The recorded answers to the questions of a turn with its fence, by question."""

    def turn(self, user_id: str, turn_id: str) -> Turn | None:
        """One turn with its events, or None when there is none that belongs to the user."""

    def find_turn(self, key: TurnKey) -> Turn | None:
        """The turn of a key with its events, or None when there is none."""

    def history(
        self, user_id: str, conversation_id: str, turns: int, *, before: int | None = None
    ) -> list[Turn]:
        """The last turns of a conversation with their events, oldest first.

        Args:
            user_id: the owner.
            conversation_id: the conversation.
            turns: maximum number of turns.
            before: only turns with a lower ``seq``; default: all.
        """

    def images(
        self,
        user_id: str,
        conversation_id: str,
        *,
        newest: int | None = None,
        ids: Sequence[str] | None = None,
    ) -> list[ImageRecord]:
        """The image table of a conversation, by number.

        Args:
            user_id: the owner.
            conversation_id: the conversation.
            newest: maximum number of records, newest first to keep; default: all.
            ids: only the records of these images; default: all.
        """

    def conversations(self, user_id: str, *, limit: int = 50, offset: int = 0) -> list[Conversation]:
        """The user's conversations, newest activity first."""

    def conversation(self, user_id: str, conversation_id: str) -> Conversation | None:
        """One conversation, or None when there is none that belongs to the user."""

    def rename(self, user_id: str, conversation_id: str, title: str) -> bool:
        """Set the title; False when there is no such conversation of the user."""

    def delete(self, user_id: str, conversation_id: str) -> bool:
        """Remove a conversation with its turns, events and images; False when there is none."""

    def add_image(self, user_id: str, image_id: str) -> None:
        """Record that the user has uploaded an image. Idempotent."""

    def owns_image(self, user_id: str, image_id: str) -> bool:
        """Whether the user uploaded the image or it appears in one of their conversations."""

    def image_in_use(self, image_id: str) -> bool:
        """Whether any user uploaded the image or has it in a conversation."""

    def users(self) -> list[str]:
        """All users that have a conversation or an upload, in any order."""

    def uploads(self, user_id: str) -> list[str]:
        """Ids of the images that the user uploaded, in any order."""

    def restore_turn(self, conversation: Conversation, turn: Turn) -> None:
        """Store an ended turn of another store unchanged, with the data of its conversation.

        An older state of the same turn (same id, no higher fence) is replaced; repeating the call is not
        an error. The conversation gets the title and times given.

        Args:
            conversation: the turn's conversation; its owner and id are those of the turn's key.
            turn: any turn that is not running.

        Raises:
            Conflict: another turn, or a later state of this one, is in its place; nothing was written.
        """

    def close(self) -> None:
        """Release connections. The store is not used afterwards."""
