"""Copy conversations and images from one store to another.

Both copies can be interrupted and repeated: existing data is not copied again. Copied data is read back and
compared.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace

from promptvision.conversations.store import ConversationStore, restore_conflict
from promptvision.conversations.turn import Conversation, Turn, TurnStatus
from promptvision.errors import NotFound, StoreError
from promptvision.images.store import ImageStore

__all__ = [
    "ReportProgress",
    "all_conversations",
    "copy_conversations",
    "copy_images",
    "digest_of_conversations",
    "digest_of_images",
]

ReportProgress = Callable[[str, int, int], None]
"""Called with the kind of item, the number of copied items and their total."""

PAGE = 200
MAX_TURNS = 1_000_000


def copy_conversations(source: ConversationStore, target: ConversationStore, report: ReportProgress) -> int:
    """Copy all conversations, turn by turn, and all uploads; return how many conversations were copied.

    A running turn arrives as interrupted. No process should use either store in the meantime.

    Raises:
        Conflict: the target has another conversation under the same owner and id.
        StoreError: a store failed, or the data read back differs.
    """
    users = sorted(source.users())
    moved = 0
    for number, user in enumerate(users):
        for conversation in all_conversations(source, user):
            moved += _copy_conversation(source, target, conversation)
        for image_id in set(source.uploads(user)) - set(target.uploads(user)):
            target.add_image(user, image_id)
        report("users", number + 1, len(users))
    return moved


def all_conversations(store: ConversationStore, user_id: str) -> Iterator[Conversation]:
    """All conversations of a user, newest activity first."""
    offset = 0
    while page := store.conversations(user_id, limit=PAGE, offset=offset):
        yield from page
        offset += len(page)


def _copy_conversation(
    source: ConversationStore, target: ConversationStore, conversation: Conversation
) -> bool:
    """Copy one conversation; return False if the target already has it."""
    key = (conversation.user_id, conversation.id)
    wanted = _settled(source.history(*key, MAX_TURNS))
    there = target.history(*key, MAX_TURNS)
    if there == wanted and target.conversation(*key) == conversation:
        return False
    ids = {turn.id for turn in wanted}
    if others := [turn for turn in there if turn.id not in ids]:
        raise restore_conflict(others[0])
    held = {turn.id: turn for turn in there}
    missing = [turn for turn in wanted if held.get(turn.id) != turn]
    for turn in missing or wanted[-1:]:  # without missing turns, the last one carries the title and the times
        target.restore_turn(conversation, turn)
    if target.history(*key, MAX_TURNS) != wanted or target.conversation(*key) != conversation:
        raise StoreError(
            f"conversation {conversation.id!r} of {conversation.user_id!r} differs after the copy"
        )
    return True


def _settled(turns: list[Turn]) -> list[Turn]:
    """Turns as stored while no process runs them."""
    return [
        replace(turn, status=TurnStatus.INTERRUPTED) if turn.status is TurnStatus.RUNNING else turn
        for turn in turns
    ]


def copy_images(source: ImageStore, target: ImageStore, report: ReportProgress) -> int:
    """Copy all images that the target does not have; return how many.

    Images that the source itself cannot read are skipped and reported at the end.

    Raises:
        StoreError: a store failed, or the bytes of an image do not match its id.
    """
    wanted = sorted(source.ids())
    there = set(target.ids())
    damaged: list[str] = []
    for number, image_id in enumerate(wanted):
        if image_id not in there and not _copy_image(source, target, image_id):
            damaged.append(image_id)
        report("images", number + 1, len(wanted))
    if damaged:
        raise StoreError(f"{len(damaged)} images cannot be read from the source, the first is {damaged[0]}")
    return len(set(wanted) - there)


def _copy_image(source: ImageStore, target: ImageStore, image_id: str) -> bool:
    """Copy one image and read it back; return False if the source cannot read it."""
    try:
        data, media_type = source.get(image_id), source.stat(image_id).media_type
    except NotFound:
        return True  # deleted since it was listed
    except StoreError as exc:
        if exc.retryable:
            raise
        return False
    target.put(data, media_type)
    if target.get(image_id) != data:
        raise StoreError(f"image {image_id} differs after the copy")
    return True


def digest_of_conversations(store: ConversationStore) -> str:
    """SHA-256 of everything in the store, the same for every kind of store."""
    whole = hashlib.sha256()
    for user in sorted(store.users()):
        for conversation in sorted(all_conversations(store, user), key=lambda one: one.id):
            turns = _settled(store.history(user, conversation.id, MAX_TURNS))
            whole.update(_json([asdict(conversation), [asdict(turn) for turn in turns]]))
        whole.update(_json([user, sorted(store.uploads(user))]))
    return whole.hexdigest()


def digest_of_images(store: ImageStore) -> str:
    """SHA-256 of ids, types and sizes of all images; each is read and compared with its id."""
    whole = hashlib.sha256()
    for image_id in sorted(store.ids()):
        store.get(image_id)
        whole.update(_json(asdict(store.stat(image_id))))
    return whole.hexdigest()


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True).encode() + b"\n"
