"""Convert between JSON documents of the database and values of a conversation.

Event data and replies are JSON stored as text, since a database's JSON type rejects some valid JSON.
"""

from __future__ import annotations

import json
from typing import Any

from promptvision.plugin import (
    Claim,
    Conversation,
    Event,
    EventKind,
    ImageRecord,
    Turn,
    TurnKey,
    TurnStatus,
    turn_columns,
)

__all__ = ["conversation_of", "document_of", "event_list", "image_of", "turn_of"]


def turn_of(document: dict[str, Any], claim: Claim) -> Turn:
    """A turn from the result of ``promptvision_document``."""
    reply = document["reply"]
    return Turn(
        id=document["id"],
        key=TurnKey(document["user_id"], document["conversation_id"], document["prompt_id"]),
        seq=document["seq"],
        status=TurnStatus(document["status"]),
        claim=claim,
        fence=document["fence"],
        prompt=document["prompt"],
        fingerprint=document["fingerprint"],
        reply=None if reply is None else json.loads(reply),
        events=tuple(
            Event(seq=seq, kind=EventKind(kind), data=json.loads(data), image_id=image_id)
            for seq, kind, data, image_id in document["events"]
        ),
        created_at=document["created_at"],
    )


def document_of(turn: Turn) -> dict[str, Any]:
    """A turn as an argument of ``promptvision_restore_turn``."""
    return {**turn_columns(turn), "events": event_list(turn.events)}


def event_list(events: tuple[Event, ...] | list[Event]) -> list[list[str | None]]:
    """Events as an argument of ``promptvision_append``."""
    return [[event.kind.value, json.dumps(event.data), event.image_id] for event in events]


def conversation_of(document: dict[str, Any]) -> Conversation:
    """A conversation from its row."""
    return Conversation(
        id=document["conversation_id"],
        user_id=document["user_id"],
        title=document["title"],
        turns=document["turns"],
        created_at=document["created_at"],
        updated_at=document["updated_at"],
    )


def image_of(data: str, turn_seq: int) -> ImageRecord:
    """A row of the image table from its event."""
    return ImageRecord(**{**json.loads(data), "turn_seq": turn_seq})
