"""Rows of the tables as values of a conversation, and back. JSON is stored as text."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row

from promptvision.builtin.sql import statements
from promptvision.conversations.turn import Claim, Conversation, Event, EventKind, Turn, TurnKey, TurnStatus

__all__ = ["conversation_of", "event_rows", "journal_of", "journaled", "turn_of"]


def turn_of(row: Row[Any], claim: Claim, journal: Sequence[Event]) -> Turn:
    """A turn from its row and its events."""
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


def journal_of(db: Connection, turn_id: str) -> list[Event]:
    """The events of one turn."""
    return [_event_of(row) for row in db.execute(statements.JOURNAL, {"turn": turn_id})]


def _event_of(row: Any) -> Event:
    return Event(seq=row.seq, kind=EventKind(row.kind), data=json.loads(row.data), image_id=row.image_id)


def journaled(db: Connection, rows: Sequence[Row[Any]], claim: Claim) -> list[Turn]:
    """Turns from their rows, with their events read from the database."""
    if len(rows) == 1:
        return [turn_of(rows[0], claim, journal_of(db, rows[0].id))]
    journals: defaultdict[str, list[Event]] = defaultdict(list)
    for row in db.execute(statements.JOURNALS, {"turns": [row.id for row in rows]}):
        journals[row.turn_id].append(_event_of(row))
    return [turn_of(row, claim, journals[row.id]) for row in rows]


def event_rows(turn: Turn, events: Sequence[Event]) -> list[dict[str, Any]]:
    """Rows for the journal of a turn."""
    return [
        {
            "turn_id": turn.id,
            "seq": event.seq,
            "user_id": turn.key.user_id,
            "conversation_id": turn.key.conversation_id,
            "turn_seq": turn.seq,
            "kind": event.kind.value,
            "data": json.dumps(event.data),
            "image_id": event.image_id,
        }
        for event in events
    ]


def conversation_of(row: Row[Any]) -> Conversation:
    """A conversation from its row."""
    return Conversation(
        id=row.conversation_id,
        user_id=row.user_id,
        title=row.title,
        turns=row.turns,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
