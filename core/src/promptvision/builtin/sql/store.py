"""The conversation store on SQLite and PostgreSQL, through SQLAlchemy Core."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from promptvision.builtin.sql import statements
from promptvision.builtin.sql.claims import ClaimRequest, RaceLostError, UnansweredClaims, decide
from promptvision.builtin.sql.database import Database, Transaction
from promptvision.builtin.sql.faults import ClashError
from promptvision.builtin.sql.rows import (
    conversation_of,
    event_rows,
    image_rows,
    journal_of,
    journaled,
    last_turns,
)
from promptvision.conversations.store import (
    conversation_columns,
    encode_json,
    restore_conflict,
    turn_columns,
)
from promptvision.conversations.turn import Claim, Conversation, Event, ImageRecord, Turn, TurnKey, TurnStatus
from promptvision.errors import LeaseLost, StoreError

__all__ = ["SQLConversationStore"]

CLAIM_ATTEMPTS = 5
"""A claim that loses a race on PostgreSQL reads again; the second read usually sees the winner."""


class SQLConversationStore:
    """Conversations in an SQL database that any number of processes may share.

    A write is durable when its call returns (SQLite: WAL with synchronous=FULL). Safe across threads. The
    methods are described at :class:`~promptvision.conversations.store.ConversationStore`.

    Args:
        url: ``sqlite:///path`` or ``postgresql+psycopg://user:password@host/database``. Tables are created or
            upgraded as needed; the folder of an SQLite file is created with access for its owner only.
        lock_timeout_s: limit of the wait for a lock, a statement or a free connection, in seconds.

    Raises:
        SetupError: the URL is invalid, or the schema is newer than this version.
        StoreError: the database cannot be reached, or its file is damaged.
    """

    blocking = True

    def __init__(self, url: str, *, lock_timeout_s: float = 5.0) -> None:
        self._database = Database(url, lock_timeout_s)
        self._inserts = statements.inserts_for(self._database.dialect)
        self._unanswered = UnansweredClaims()

    def claim_turn(self, key: TurnKey, *, prompt: str, fingerprint: str, owner: str, lease_s: float) -> Turn:
        """Claim the right to run a turn."""
        with self._unanswered.nonce(key, fingerprint) as nonce:
            return self._claim(
                ClaimRequest(
                    key=key,
                    prompt=prompt,
                    fingerprint=fingerprint,
                    owner=owner,
                    lease_s=lease_s,
                    nonce=nonce,
                )
            )

    def _claim(self, request: ClaimRequest) -> Turn:
        for _ in range(CLAIM_ATTEMPTS):
            try:
                with self._database.writing() as db:
                    return decide(db, self._inserts, request)
            except (RaceLostError, ClashError):
                continue
        raise StoreError(f"conversations: {self._database.where}: too many claims at once", retryable=True)

    def heartbeat(self, turn: Turn) -> None:
        """Send a heartbeat: keep the claim on a running turn."""
        with self._database.writing() as db:
            if db.change(statements.HEARTBEAT, _held(turn)) != 1:
                raise _lease_lost(turn)

    def append(self, turn: Turn, events: Sequence[Event]) -> None:
        """Add journal entries, all or none."""
        if not events:
            return self.heartbeat(turn)
        with self._database.writing() as db:
            _add(db, turn, events)
        return None

    def finish_turn(
        self, turn: Turn, status: TurnStatus, reply: dict[str, Any], events: Sequence[Event] = ()
    ) -> None:
        """End a turn with its last journal entries and its reply document."""
        if status is TurnStatus.RUNNING:
            raise ValueError("a turn ends as done, failed, cancelled or interrupted, not as running")
        end = {**_held(turn), "new_status": status.value, "new_reply": encode_json(reply).decode()}
        with self._database.writing() as db:
            if events:
                with suppress(LeaseLost):  # checked below: this call may be a repetition
                    _add(db, turn, events)
            if db.change(statements.FINISH, end) != 1 and not db.rows(statements.ENDED_SO, end):
                raise _lease_lost(turn)

    def close_stale(self, lease_s: float) -> int:
        """Close running turns without a heartbeat as interrupted; return how many."""
        with self._database.writing() as db:
            return db.change(statements.CLOSE_STALE, {"lease_s": lease_s})

    def record_answer(self, user_id: str, turn_id: str, approval_id: str, answer: dict[str, Any]) -> bool:
        """Record the answer to a question of a running turn."""
        question = {"user": user_id, "turn": turn_id, "approval": approval_id}
        with self._database.writing() as db:
            db.change(self._inserts.answer, {**question, "answer": encode_json(answer).decode()})
            rows = db.rows(statements.ANSWERED_SO, question)
        return bool(rows) and json.loads(rows[0].data) == answer

    def answers(self, turn: Turn) -> dict[str, dict[str, Any]]:
        """The recorded answers to the questions of a turn."""
        with self._database.reading() as db:
            rows = db.rows(statements.ANSWERS, _held(turn))
        return {row.approval_id: json.loads(row.data) for row in rows}

    def turn(self, user_id: str, turn_id: str) -> Turn | None:
        """One turn of the user with its events, or None."""
        with self._database.reading() as db:
            rows = db.rows(statements.TURN, {"user": user_id, "turn": turn_id})
            return journaled(db, rows[0], Claim.READ) if rows else None

    def find_turn(self, key: TurnKey) -> Turn | None:
        """The turn of a key with its events, or None."""
        wanted = {**_conversation(key.user_id, key.conversation_id), "prompt": key.prompt_id}
        with self._database.reading() as db:
            rows = db.rows(statements.TURN_OF_KEY, wanted)
            return journaled(db, rows[0], Claim.READ) if rows else None

    def history(
        self, user_id: str, conversation_id: str, turns: int, *, before: int | None = None
    ) -> list[Turn]:
        """The last turns of a conversation with their events, oldest first."""
        with self._database.reading() as db:
            return last_turns(db, user_id, conversation_id, turns, before)

    def images(
        self,
        user_id: str,
        conversation_id: str,
        *,
        newest: int | None = None,
        ids: Sequence[str] | None = None,
    ) -> list[ImageRecord]:
        """The image table of a conversation, by number."""
        with self._database.reading() as db:
            rows = image_rows(db, user_id, conversation_id, newest, ids)
        records = [ImageRecord(**{**json.loads(row.data), "turn_seq": row.turn_seq}) for row in rows]
        return sorted(records, key=lambda record: record.number)

    def conversations(self, user_id: str, *, limit: int = 50, offset: int = 0) -> list[Conversation]:
        """The user's conversations, newest activity first."""
        with self._database.reading() as db:
            page = {"user": user_id, "count": limit, "skip": offset}
            return [conversation_of(row) for row in db.rows(statements.CONVERSATIONS, page)]

    def conversation(self, user_id: str, conversation_id: str) -> Conversation | None:
        """One conversation of the user, or None."""
        with self._database.reading() as db:
            rows = db.rows(statements.CONVERSATION, _conversation(user_id, conversation_id))
            return conversation_of(rows[0]) if rows else None

    def rename(self, user_id: str, conversation_id: str, title: str) -> bool:
        """Set the title; return False if the user has no such conversation."""
        with self._database.writing() as db:
            wanted = {**_conversation(user_id, conversation_id), "new_title": title}
            return db.change(statements.RENAME, wanted) == 1

    def delete(self, user_id: str, conversation_id: str) -> bool:
        """Remove a conversation with its turns, events and images; return False if there is none."""
        with self._database.writing() as db:
            return db.change(statements.DELETE, _conversation(user_id, conversation_id)) == 1

    def add_image(self, user_id: str, image_id: str) -> None:
        """Record that the user has uploaded an image."""
        with self._database.writing() as db:
            db.change(self._inserts.upload, {"user_id": user_id, "image_id": image_id})

    def owns_image(self, user_id: str, image_id: str) -> bool:
        """Whether the user uploaded the image or it appears in one of their conversations."""
        with self._database.reading() as db:
            [(owns,)] = db.rows(statements.OWNS_IMAGE, {"user": user_id, "image": image_id})
            return bool(owns)

    def image_in_use(self, image_id: str) -> bool:
        """Whether any user uploaded the image or has it in a conversation."""
        with self._database.reading() as db:
            [(in_use,)] = db.rows(statements.IMAGE_IN_USE, {"image": image_id})
            return bool(in_use)

    def users(self) -> list[str]:
        """Return all users that have a conversation or an upload."""
        with self._database.reading() as db:
            return [row.user_id for row in db.rows(statements.USERS, {})]

    def uploads(self, user_id: str) -> list[str]:
        """Ids of the images that the user uploaded."""
        with self._database.reading() as db:
            return [row.image_id for row in db.rows(statements.UPLOADS, {"user": user_id})]

    def restore_turn(self, conversation: Conversation, turn: Turn) -> None:
        """Add an ended turn of another store."""
        names = _conversation(turn.key.user_id, turn.key.conversation_id)
        try:
            with self._database.writing() as db:
                db.change(self._inserts.conversation, conversation_columns(conversation))
                db.change(statements.DELETE_OLDER_STATE, {**_held(turn), **names})
                db.insert(statements.INSERT_TURN, [turn_columns(turn)])
                if turn.events:
                    db.insert(statements.INSERT_EVENTS, event_rows(turn, turn.events))
        except ClashError as exc:
            raise restore_conflict(turn) from exc

    def close(self) -> None:
        """Close all connections."""
        self._database.close()


def _conversation(user_id: str, conversation_id: str) -> dict[str, Any]:
    return {"user": user_id, "conversation": conversation_id}


def _held(turn: Turn) -> dict[str, Any]:
    return {"turn": turn.id, "user": turn.key.user_id, "held_fence": turn.fence}


def _lease_lost(turn: Turn) -> LeaseLost:
    return LeaseLost(f"turn {turn.id}: the lease was lost: the turn was taken over, has ended or was deleted")


def _add(db: Transaction, turn: Turn, events: Sequence[Event]) -> None:
    """Add journal entries to a running turn, unless they are there already."""
    rows = event_rows(turn, events)
    before = events[0].seq - 1
    if [event.seq for event in events] != list(range(before + 1, before + 1 + len(events))):
        raise StoreError(f"turn {turn.id}: journal entries must be numbered without gaps")
    counted = {**_held(turn), "before": before, "added": len(rows)}
    if db.change(statements.COUNT_EVENTS, counted) == 1:
        db.insert(statements.INSERT_EVENTS, rows)
    else:
        _accept_repetition(db, turn, events)


def _accept_repetition(db: Transaction, turn: Turn, events: Sequence[Event]) -> None:
    """Accept entries that are in the journal already."""
    held = db.rows(statements.HELD, _held(turn))
    if not held:
        raise _lease_lost(turn)
    journal = journal_of(db, turn.id)
    first = events[0].seq - 1
    if journal[first : first + len(events)] != list(events):
        raise StoreError(f"turn {turn.id}: entry {first + 1} does not follow entry {held[0].event_count}")
