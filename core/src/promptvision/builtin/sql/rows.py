"""Conversion between table rows and conversation values. JSON is stored as text."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from promptvision.builtin.sql import statements
from promptvision.builtin.sql.database import Transaction
from promptvision.conversations.store import encode_json
from promptvision.conversations.turn import Claim, Conversation, Event, EventKind, Turn, TurnKey, TurnStatus

__all__ = [
    "conversation_of",
    "event_rows",
    "image_rows",
    "journal_of",
    "journaled",
    "last_turns",
]


MAX_SEQ = 2**31 - 1
"""Largest value of ``turns.seq``, and of a limit."""


def _turn_of(row: Any, claim: Claim, journal: Sequence[Event]) -> Turn:
    return Turn(
        id=row.id,
        key=TurnKey(row.user_id, row.conversation_id, row.prompt_id),
        seq=row.seq,
        status=TurnStatus(row.status),
        claim=claim,
        fence=row.fence,
        prompt=row.prompt,
        fingerprint=row.fingerprint,
        reply=None if row.reply is None else json.loads(row.reply),
        events=tuple(journal),
        created_at=row.created_at,
    )


def journal_of(db: Transaction, turn_id: str) -> list[Event]:
    """Return the events of one turn."""
    return [_event_of(row) for row in db.rows(statements.JOURNAL, {"turn": turn_id})]


def _event_of(row: Any) -> Event:
    return Event(seq=row.seq, kind=EventKind(row.kind), data=json.loads(row.data), image_id=row.image_id)


def journaled(db: Transaction, row: Any, claim: Claim) -> Turn:
    """Return a turn from its row, with its events read from the database."""
    return _turn_of(row, claim, journal_of(db, row.id))


def last_turns(
    db: Transaction, user_id: str, conversation_id: str, count: int, before: int | None = None
) -> list[Turn]:
    """Return the last turns of a conversation, or those before one, with their events, oldest first."""
    limit = {"count": max(count, 0), "before": MAX_SEQ if before is None else min(before, MAX_SEQ)}
    wanted = {"user": user_id, "conversation": conversation_id, **limit}
    rows = db.rows(statements.LAST_TURNS, wanted)
    journals: defaultdict[str, list[Event]] = defaultdict(list)
    for row in db.rows(statements.LAST_JOURNALS, wanted):
        journals[row.turn_id].append(_event_of(row))
    return [_turn_of(row, Claim.READ, journals[row.id]) for row in reversed(rows)]


def image_rows(
    db: Transaction, user_id: str, conversation_id: str, newest: int | None, ids: Sequence[str] | None
) -> list[Any]:
    """Return the events of a conversation's images, the newest first, at most ``newest`` of them."""
    count = MAX_SEQ if newest is None else newest
    wanted = {"user": user_id, "conversation": conversation_id, "count": count}
    if ids is None:
        return db.rows(statements.IMAGES, wanted)
    rows = [row for image in set(ids) for row in db.rows(statements.IMAGES_OF_ID, {**wanted, "image": image})]
    return sorted(rows, key=lambda row: (row.turn_seq, row.seq), reverse=True)[:count]


def event_rows(turn: Turn, events: Sequence[Event]) -> list[dict[str, Any]]:
    """Return the journal rows of a turn."""
    return [
        {
            "turn_id": turn.id,
            "seq": event.seq,
            "user_id": turn.key.user_id,
            "conversation_id": turn.key.conversation_id,
            "turn_seq": turn.seq,
            "kind": event.kind.value,
            "data": encode_json(event.data).decode(),
            "image_id": event.image_id,
        }
        for event in events
    ]


def conversation_of(row: Any) -> Conversation:
    """Return a conversation from its row."""
    return Conversation(
        id=row.conversation_id,
        user_id=row.user_id,
        title=row.title,
        turns=row.turns,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
