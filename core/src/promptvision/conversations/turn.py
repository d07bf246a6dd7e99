"""The values of a conversation: turns, their journal of events, and the images made in them."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from promptvision.images.handles import ImageRecord

__all__ = [
    "Claim",
    "Conversation",
    "Event",
    "EventKind",
    "ImageRecord",
    "Turn",
    "TurnKey",
    "TurnStatus",
    "new_id",
]


def new_id() -> str:
    """A new random id: 128 bits, 32 hexadecimal digits."""
    return os.urandom(16).hex()


class TurnStatus(StrEnum):
    """The state of a turn. Only ``running`` is open."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


class Claim(StrEnum):
    """The result of claiming a turn."""

    NEW = "new"
    """The caller has the turn, and it has no events."""
    RESUMED = "resumed"
    """The caller has the turn, which was interrupted, with the events of the earlier try."""
    BUSY = "busy"
    """It, or another turn of the conversation, is running elsewhere."""
    DONE = "done"
    """It has ended; ``reply`` holds the stored answer."""
    READ = "read"
    """The turn was read and not claimed."""


@dataclass(frozen=True)
class TurnKey:
    """The idempotency key of a turn: the same key is the same request."""

    user_id: str
    conversation_id: str
    prompt_id: str


class EventKind(StrEnum):
    """Kinds of journal entry."""

    IMAGE = "image"
    """An image entered the conversation; ``image_id`` is set and ``data`` is an :class:`ImageRecord`."""
    MESSAGE = "message"
    """A planner's message with its tool calls, stored before any of them runs."""
    STEP_STARTED = "step_started"
    """A tool is about to run."""
    STEP_FINISHED = "step_finished"
    """A tool has ended, successfully or not; ``outcome`` is set if that answers a call of the planner."""
    OBSERVATION = "observation"
    """The outcome of a call that ended without a finished step."""
    NOTE = "note"
    """A warning to show later, such as that another planner answered."""
    APPROVAL_ASKED = "approval_asked"
    """The user is asked whether a step may run."""
    APPROVAL_ANSWERED = "approval_answered"
    """The user's answer, or that there was none in time."""
    ITEM = "item"
    """The outcome of one image of a batch."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """One journal entry of a turn.

    Args:
        seq: position in the turn, from 1 without gaps.
        kind: what happened.
        data: plain JSON; images appear as image ids.
        image_id: the image an ``image`` event is about, so that stores can index it.
    """

    seq: int
    kind: EventKind
    data: dict[str, Any]
    image_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One user message with its events and its reply.

    Args:
        id: unique, opaque.
        key: the idempotency key.
        seq: position in the conversation, from 1.
        status: its state.
        claim: the result of claiming it, in the value that ``claim_turn`` returns.
        fence: incremented at each take-over; writes with an older fence are refused.
        prompt: the user's message.
        fingerprint: digest of the prompt and the image sent with it.
        reply: stored reply document (images as ids), once it has ended.
        events: the journal so far.
        created_at: seconds since the epoch, by the store's clock; for display, never for ordering.
    """

    id: str
    key: TurnKey
    seq: int
    status: TurnStatus
    claim: Claim
    fence: int
    prompt: str
    fingerprint: str
    reply: dict[str, Any] | None = None
    events: tuple[Event, ...] = field(default=())
    created_at: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """A conversation as a list shows it."""

    id: str
    user_id: str
    title: str
    turns: int
    created_at: float
    updated_at: float
