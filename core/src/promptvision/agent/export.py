"""Export and delete whole conversations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from promptvision.agent.reply import Reply
from promptvision.agent.services import AgentServices
from promptvision.agent.turns.records import records_in
from promptvision.conversations.turn import Conversation, Turn

__all__ = ["conversation_page", "delete_conversation", "export_conversation"]

MAX_TURNS = 10_000


async def export_conversation(
    services: AgentServices, user_id: str, conversation_id: str, show: Callable[[str], str]
) -> dict[str, Any] | None:
    """A conversation with its turns and images as plain JSON; None when the user has no such conversation.

    Args:
        services: the stores.
        user_id: the owner.
        conversation_id: the conversation.
        show: maps an image id to what the reader sees, such as a URL.
    """
    conversations = services.conversations
    found = await conversations.conversation(user_id, conversation_id)
    if found is None:
        return None
    turns = await conversations.history(user_id, conversation_id, MAX_TURNS)
    return _document(found, turns, show)


async def conversation_page(
    services: AgentServices,
    user_id: str,
    conversation_id: str,
    show: Callable[[str], str],
    *,
    limit: int,
    before: int | None = None,
) -> dict[str, Any] | None:
    """The newest turns of a conversation, or those before one, with the images that appear in them.

    Args:
        services: the stores.
        user_id: the owner.
        conversation_id: the conversation.
        show: maps an image id to what the reader sees, such as a URL.
        limit: how many turns.
        before: only turns with a lower ``seq``.

    Returns:
        As :func:`export_conversation`, with ``next_before``: ``before`` of the next page, None on the last.
    """
    conversations = services.conversations
    found = await conversations.conversation(user_id, conversation_id)
    if found is None:
        return None
    turns = await conversations.history(user_id, conversation_id, limit + 1, before=before)
    shown = turns[-limit:]
    document = _document(found, shown, show)
    return {**document, "next_before": shown[0].seq if len(turns) > limit else None}


def _document(found: Conversation, turns: list[Turn], show: Callable[[str], str]) -> dict[str, Any]:
    images = [
        {**asdict(record), "handle": record.handle, "url": show(record.image_id)}
        for record in records_in(turns)
    ]
    return {**asdict(found), "turns": [_export_turn(turn, show) for turn in turns], "images": images}


def _export_turn(turn: Turn, show: Callable[[str], str]) -> dict[str, Any]:
    reply = Reply.from_stored(turn.reply).document(show) if turn.reply else None
    return {
        "turn_id": turn.id,
        "seq": turn.seq,
        "prompt_id": turn.key.prompt_id,
        "prompt": turn.prompt,
        "status": str(turn.status),
        "created_at": turn.created_at,
        "reply": reply,
    }


async def delete_conversation(services: AgentServices, user_id: str, conversation_id: str) -> bool:
    """Delete a conversation, and its images that nothing else refers to; return False if there is none.

    An image that was put since the oldest running request began also stays: that request may be about to
    refer to it. ``promptvision store gc`` removes it if it does not.
    """
    conversations = services.conversations
    records = await conversations.images(user_id, conversation_id)
    began_at = services.in_flight.oldest_start()
    if not await conversations.delete(user_id, conversation_id):
        return False
    for image_id in {record.image_id for record in records}:
        if not await conversations.image_in_use(image_id):
            services.runtime.images.drop(image_id)
            await services.images.delete(image_id, unless_put_since=began_at)
    return True
