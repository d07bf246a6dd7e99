"""Turns and journal entries for the tests of conversation stores."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import TypeVar

from promptvision.conversations.store import ConversationStore
from promptvision.conversations.turn import Event, EventKind, ImageRecord, Turn, TurnKey

__all__ = ["claim", "image_event", "in_threads", "note"]

T = TypeVar("T")


def claim(
    store: ConversationStore,
    user: str,
    prompt_id: str = "p1",
    *,
    conversation: str = "c1",
    prompt: str = "make it black and white",
    fingerprint: str = "f1",
    owner: str = "tester",
    lease_s: float = 60,
) -> Turn:
    """Claim a turn, with defaults for arguments that a test does not set."""
    key = TurnKey(user, conversation, prompt_id)
    return store.claim_turn(key, prompt=prompt, fingerprint=fingerprint, owner=owner, lease_s=lease_s)


def note(seq: int, text: str = "hello") -> Event:
    """A small journal entry."""
    return Event(seq=seq, kind=EventKind.NOTE, data={"text": text})


def image_event(seq: int, number: int, image_id: str, parent: int | None = None) -> Event:
    """A journal entry for an image that entered the conversation."""
    record = ImageRecord(
        number=number,
        image_id=image_id,
        kind="input" if parent is None else "edit",
        parent=parent,
        maker="" if parent is None else "convert_to_bw",
        width=4,
        height=3,
    )
    return Event(seq=seq, kind=EventKind.IMAGE, data=asdict(record), image_id=image_id)


def in_threads(count: int, action: Callable[[int], T]) -> list[T]:
    """Call the action with 0 to ``count - 1``, each in a separate thread, and collect the results."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(action, range(count)))
