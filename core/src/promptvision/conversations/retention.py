"""Retention: delete old conversations, and images that nothing refers to."""

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
"""Images younger than this are kept: a turn stores an image before it refers to it."""

_DAY_S = 86_400.0


@dataclass(frozen=True)
class Unreferenced:
    """Conversations and images that can be deleted.

    Args:
        conversations: conversations without activity for longer than the limit.
        images: ids of images that no other conversation shows and no user has uploaded.
        put_before: latest time at which the images were stored, in seconds since the epoch.
    """

    conversations: tuple[Conversation, ...]
    images: tuple[str, ...]
    put_before: float


def find_unreferenced(
    conversations: ConversationStore, images: ImageStore, *, days: float | None, min_age_s: float = MIN_AGE_S
) -> Unreferenced:
    """Find conversations and images that can be deleted, without deleting them.

    Args:
        conversations: the store that refers to images.
        images: the store to clean.
        days: age limit of conversations, counted from their last activity; None keeps all.
        min_age_s: keep images that were stored within this many seconds.
    """
    put_before = time.time() - min_age_s
    held = images.ids(older_than_s=min_age_s)  # listed first, so that no later image is in it
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
    return Unreferenced(tuple(old), tuple(image_id for image_id in held if image_id not in used), put_before)


def collect(
    conversations: ConversationStore, images: ImageStore, unreferenced: Unreferenced
) -> Iterator[Conversation | str]:
    """Delete the unreferenced data, and yield each conversation and image once it is deleted.

    A conversation or an image that has been used since it was found is kept.
    """
    for old in unreferenced.conversations:
        now = conversations.conversation(old.user_id, old.id)
        if now == old and conversations.delete(old.user_id, old.id):
            yield old
    for image_id in unreferenced.images:
        if not conversations.image_in_use(image_id):
            images.delete(image_id, unless_put_since=unreferenced.put_before)
            yield image_id
