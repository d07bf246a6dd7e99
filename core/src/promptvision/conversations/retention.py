"""Deleting what is old, and images that nothing uses."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from promptvision.conversations.store import ConversationStore
from promptvision.conversations.transfer import all_conversations
from promptvision.conversations.turn import Conversation
from promptvision.images.store import ImageStore

__all__ = ["MIN_AGE_S", "Unreferenced", "collect", "find_unreferenced"]

MIN_AGE_S = 3600.0
"""Images younger than this are left alone: a turn stores an image before it notes that it is there."""

_DAY_S = 86_400.0


@dataclass(frozen=True)
class Unreferenced:
    """What can be deleted.

    Args:
        conversations: those without activity for longer than the limit.
        images: ids of images that no other conversation shows and nobody has uploaded.
    """

    conversations: tuple[Conversation, ...]
    images: tuple[str, ...]


def find_unreferenced(
    conversations: ConversationStore, images: ImageStore, *, days: float | None, young_s: float = MIN_AGE_S
) -> Unreferenced:
    """Look for what can be deleted, and delete nothing.

    Args:
        conversations: says what is used.
        images: says what is held.
        days: age limit of conversations, counted from their last activity; None keeps all.
        young_s: images younger than so many seconds are left alone.
    """
    held = images.ids(
        older_than_s=young_s
    )  # listed before looking who uses them: what comes later is not in it
    oldest = -1.0 if days is None else time.time() - days * _DAY_S
    old: list[Conversation] = []
    used: set[str] = set()
    for user in conversations.users():
        used.update(conversations.uploads(user))
        for conversation in all_conversations(conversations, user):
            if conversation.updated_at < oldest:
                old.append(conversation)
            else:
                used.update(record.image_id for record in conversations.images(user, conversation.id))
    return Unreferenced(tuple(old), tuple(image_id for image_id in held if image_id not in used))


def collect(
    conversations: ConversationStore, images: ImageStore, waste: Unreferenced
) -> Iterator[Conversation | str]:
    """Delete waste, and name each conversation and image once it is gone.

    A conversation that was used, or an image that came into use, since the waste was looked for is kept.
    """
    for old in waste.conversations:
        now = conversations.conversation(old.user_id, old.id)
        if now == old and conversations.delete(old.user_id, old.id):
            yield old
    for image_id in waste.images:
        if not conversations.image_in_use(image_id):
            images.delete(image_id)
            yield image_id
