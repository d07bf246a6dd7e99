"""The image records that turns need, at a cost that does not depend on the length of the conversation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from promptvision.agent.turns.recovery import steps_of
from promptvision.conversations.async_store import AsyncConversationStore
from promptvision.conversations.turn import EventKind, Turn
from promptvision.images.handles import ImageRecord

__all__ = ["NEWEST_IMAGES", "records_in", "records_near"]

NEWEST_IMAGES = 128
"""Number of images that are read whether they are used or not; more than the planner is shown."""


async def records_near(
    conversations: AsyncConversationStore, user_id: str, conversation_id: str, turns: Sequence[Turn]
) -> list[ImageRecord]:
    """The newest images of a conversation, and those that some turns of it used, by number."""
    newest = await conversations.images(user_id, conversation_id, newest=NEWEST_IMAGES)
    if len(newest) < NEWEST_IMAGES:
        return newest
    used = set(_used_by(turns)) - {record.image_id for record in newest}
    older = await conversations.images(user_id, conversation_id, ids=sorted(used)) if used else []
    return [*older, *newest]


def records_in(turns: Sequence[Turn]) -> list[ImageRecord]:
    """The images that entered the conversation in some turns, by number."""
    records = [
        ImageRecord(**{**event.data, "turn_seq": turn.seq})
        for turn in turns
        for event in turn.events
        if event.kind is EventKind.IMAGE
    ]
    return sorted(records, key=lambda record: record.number)


def _used_by(turns: Sequence[Turn]) -> Iterator[str]:
    """The images that turns started from or used in a step."""
    for turn in turns:
        started_from = (turn.reply or {}).get("image_url")
        if started_from:
            yield started_from
        for step in steps_of(turn.events):
            yield from step.image_ids
