"""Whole conversations: export and deletion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from promptvision.agent.journal import call_store
from promptvision.agent.reply import Reply
from promptvision.conversations.turn import Turn

if TYPE_CHECKING:
    from promptvision.agent.agent import Agent

__all__ = ["delete_conversation", "export_conversation"]

MAX_TURNS = 10_000


async def export_conversation(
    agent: Agent, user_id: str, conversation_id: str, show: Callable[[str], str]
) -> dict[str, Any] | None:
    """A conversation with its turns and images as plain JSON; None when the user has no such one.

    Args:
        agent: whose store is read.
        user_id: the owner.
        conversation_id: which one.
        show: turns an image id into what the reader should see.
    """
    store = agent.conversations
    found = await call_store(store, store.conversation, user_id, conversation_id)
    if found is None:
        return None
    turns = await call_store(store, store.history, user_id, conversation_id, MAX_TURNS)
    records = await call_store(store, store.images, user_id, conversation_id)
    images = [{**asdict(record), "handle": record.handle, "url": show(record.image_id)} for record in records]
    return {**asdict(found), "turns": [_turn(turn, show) for turn in turns], "images": images}


def _turn(turn: Turn, show: Callable[[str], str]) -> dict[str, Any]:
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


async def delete_conversation(agent: Agent, user_id: str, conversation_id: str) -> bool:
    """Delete a conversation and those of its images that nothing else uses; False when there is none."""
    store = agent.conversations
    records = await call_store(store, store.images, user_id, conversation_id)
    if not await call_store(store, store.delete, user_id, conversation_id):
        return False
    for image_id in {record.image_id for record in records}:
        if not await call_store(store, store.image_in_use, image_id):
            await call_store(agent.images, agent.images.delete, image_id)
    return True
