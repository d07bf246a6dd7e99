"""Conversations in memory, for tests and for ``PROMPTVISION_CONVERSATIONS=memory:``."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

from promptvision.conversations.store import encode_json, restore_conflict, title_of
from promptvision.conversations.turn import (
    Claim,
    Conversation,
    Event,
    EventKind,
    ImageRecord,
    Turn,
    TurnKey,
    TurnStatus,
    new_id,
)
from promptvision.errors import Conflict, LeaseLost, StoreError

__all__ = ["MemoryConversationStore"]


class _Entry(NamedTuple):
    """A journal entry with its data as JSON text, so that callers share no objects with the store."""

    seq: int
    kind: EventKind
    data: bytes
    image_id: str | None

    @classmethod
    def of(cls, event: Event) -> _Entry:
        return cls(event.seq, event.kind, encode_json(event.data), event.image_id)

    def event(self) -> Event:
        return Event(seq=self.seq, kind=self.kind, data=json.loads(self.data), image_id=self.image_id)


@dataclass
class _Turn:
    """The current state of a turn."""

    key: TurnKey
    seq: int
    prompt: str
    fingerprint: str
    owner: str
    id: str = field(default_factory=new_id)
    status: TurnStatus = TurnStatus.RUNNING
    fence: int = 1
    reply: bytes | None = None
    entries: list[_Entry] = field(default_factory=list)
    answers: dict[tuple[int, str], bytes] = field(default_factory=dict)
    created_at: float = field(default_factory=time.time)
    heartbeat_at: float = field(default_factory=time.monotonic)

    @classmethod
    def restored(cls, turn: Turn) -> _Turn:
        return cls(
            turn.key,
            turn.seq,
            turn.prompt,
            turn.fingerprint,
            "restored",
            id=turn.id,
            status=turn.status,
            fence=turn.fence,
            reply=None if turn.reply is None else encode_json(turn.reply),
            entries=[_Entry.of(event) for event in turn.events],
            created_at=turn.created_at,
        )

    def is_stale(self, lease_s: float) -> bool:
        return time.monotonic() - self.heartbeat_at >= lease_s

    def take_over(self, owner: str) -> None:
        self.status, self.owner, self.reply = TurnStatus.RUNNING, owner, None
        self.fence += 1
        self.heartbeat_at = time.monotonic()

    def value(self, claim: Claim) -> Turn:
        return Turn(
            id=self.id,
            key=self.key,
            seq=self.seq,
            status=self.status,
            claim=claim,
            fence=self.fence,
            prompt=self.prompt,
            fingerprint=self.fingerprint,
            reply=None if self.reply is None else json.loads(self.reply),
            events=tuple(entry.event() for entry in self.entries),
            created_at=self.created_at,
        )


@dataclass
class _Conversation:
    """A conversation and its turns by prompt_id, in order."""

    title: str
    turns: dict[str, _Turn] = field(default_factory=dict)
    created_at: float = field(default_factory=time.time)
    updated_at: float = field(default_factory=time.time)

    def running(self) -> _Turn | None:
        return next((turn for turn in self.turns.values() if turn.status is TurnStatus.RUNNING), None)


def _add(held: _Turn, added: list[_Entry]) -> None:
    """Add entries to a turn, unless they are there already."""
    last = len(held.entries)
    if [entry.seq for entry in added] == list(range(last + 1, last + 1 + len(added))):
        held.entries += added
        return
    at = added[0].seq - 1
    if held.entries[at : at + len(added)] != added:
        raise StoreError(f"turn {held.id}: entry {at + 1} does not follow entry {last}")


class MemoryConversationStore:
    """A conversation store that loses its contents when the process ends. Safe across threads."""

    blocking = False

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._conversations: dict[tuple[str, str], _Conversation] = {}
        self._turns: dict[str, _Turn] = {}
        self._uploads: set[tuple[str, str]] = set()

    def claim_turn(self, key: TurnKey, *, prompt: str, fingerprint: str, owner: str, lease_s: float) -> Turn:
        """Claim the right to run a turn; see :class:`~promptvision.conversations.store.ConversationStore`."""
        with self._lock:
            names = (key.user_id, key.conversation_id)
            conversation = self._conversations.get(names) or _Conversation(title=title_of(prompt))
            mine = conversation.turns.get(key.prompt_id)
            if mine is not None and mine.fingerprint != fingerprint:
                raise Conflict(f"prompt_id {key.prompt_id!r} was sent before with another prompt or image")
            if mine is not None and mine.status not in (TurnStatus.RUNNING, TurnStatus.INTERRUPTED):
                return mine.value(Claim.DONE)
            running = conversation.running()
            if running is not None and not running.is_stale(lease_s):
                return running.value(Claim.BUSY)
            if running is not None:
                running.status = TurnStatus.INTERRUPTED
            self._conversations[names] = conversation
            conversation.updated_at = time.time()
            if mine is not None:
                mine.take_over(owner)
                return mine.value(Claim.RESUMED)
            new = _Turn(key, len(conversation.turns) + 1, prompt, fingerprint, owner)
            conversation.turns[key.prompt_id] = self._turns[new.id] = new
            return new.value(Claim.NEW)

    def _held(self, turn: Turn) -> _Turn:
        held = self._turns.get(turn.id)
        if held is None or (held.key, held.fence, held.status) != (turn.key, turn.fence, TurnStatus.RUNNING):
            raise LeaseLost(
                f"turn {turn.id}: the lease was lost: the turn was taken over, has ended or was deleted"
            )
        return held

    def heartbeat(self, turn: Turn) -> None:
        """Send a heartbeat: keep the claim on a running turn."""
        with self._lock:
            self._held(turn).heartbeat_at = time.monotonic()

    def append(self, turn: Turn, events: Sequence[Event]) -> None:
        """Add journal entries, all or none."""
        added = [_Entry.of(event) for event in events]
        with self._lock:
            held = self._held(turn)
            held.heartbeat_at = time.monotonic()
            _add(held, added)

    def finish_turn(
        self, turn: Turn, status: TurnStatus, reply: dict[str, Any], events: Sequence[Event] = ()
    ) -> None:
        """End a turn with its last journal entries and its reply document."""
        if status is TurnStatus.RUNNING:
            raise ValueError("a turn ends as done, failed, cancelled or interrupted, not as running")
        text = encode_json(reply)
        with self._lock:
            ended = self._turns.get(turn.id)
            if ended and (ended.key, ended.fence, ended.status, ended.reply) == (
                turn.key,
                turn.fence,
                status,
                text,
            ):
                return
            held = self._held(turn)
            _add(held, [_Entry.of(event) for event in events])
            held.status, held.reply = status, text

    def close_stale(self, lease_s: float) -> int:
        """Close running turns without a heartbeat as interrupted; return how many."""
        with self._lock:
            stale = [
                turn
                for turn in self._turns.values()
                if turn.status is TurnStatus.RUNNING and turn.is_stale(lease_s)
            ]
            for turn in stale:
                turn.status = TurnStatus.INTERRUPTED
            return len(stale)

    def record_answer(self, user_id: str, turn_id: str, approval_id: str, answer: dict[str, Any]) -> bool:
        """Record the answer to a question of a running turn."""
        with self._lock:
            held = self._turns.get(turn_id)
            if held is None or held.key.user_id != user_id or held.status is not TurnStatus.RUNNING:
                return False
            given = encode_json(answer)
            return held.answers.setdefault((held.fence, approval_id), given) == given

    def answers(self, turn: Turn) -> dict[str, dict[str, Any]]:
        """The recorded answers to the questions of a turn."""
        with self._lock:
            held = self._turns.get(turn.id)
            if held is None or held.key.user_id != turn.key.user_id:
                return {}
            found = [(name, data) for (fence, name), data in held.answers.items() if fence == turn.fence]
        return {name: json.loads(data) for name, data in found}

    def turn(self, user_id: str, turn_id: str) -> Turn | None:
        """One turn of the user with its events, or None."""
        with self._lock:
            turn = self._turns.get(turn_id)
            return turn.value(Claim.READ) if turn is not None and turn.key.user_id == user_id else None

    def _turns_of(self, user_id: str, conversation_id: str) -> list[_Turn]:
        conversation = self._conversations.get((user_id, conversation_id))
        return [] if conversation is None else list(conversation.turns.values())

    def find_turn(self, key: TurnKey) -> Turn | None:
        """The turn of a key with its events, or None."""
        with self._lock:
            conversation = self._conversations.get((key.user_id, key.conversation_id))
            turn = None if conversation is None else conversation.turns.get(key.prompt_id)
            return None if turn is None else turn.value(Claim.READ)

    def history(
        self, user_id: str, conversation_id: str, turns: int, *, before: int | None = None
    ) -> list[Turn]:
        """The last turns of a conversation with their events, oldest first."""
        with self._lock:
            held = self._turns_of(user_id, conversation_id)
            if before is not None:
                held = [turn for turn in held if turn.seq < before]
            return [turn.value(Claim.READ) for turn in held[max(len(held) - turns, 0) :]]

    def images(
        self,
        user_id: str,
        conversation_id: str,
        *,
        newest: int | None = None,
        ids: Sequence[str] | None = None,
    ) -> list[ImageRecord]:
        """The image table of a conversation, by number."""
        with self._lock:
            entries = (
                (entry, turn.seq)
                for turn in reversed(self._turns_of(user_id, conversation_id))
                for entry in reversed(turn.entries)
                if entry.kind is EventKind.IMAGE and (ids is None or entry.image_id in ids)
            )
            found = list(islice(entries, newest))
        records = [ImageRecord(**{**json.loads(entry.data), "turn_seq": seq}) for entry, seq in found]
        return sorted(records, key=lambda record: record.number)

    def conversations(self, user_id: str, *, limit: int = 50, offset: int = 0) -> list[Conversation]:
        """The user's conversations, newest activity first."""
        with self._lock:
            found = [
                self._value(names, conversation)
                for names, conversation in self._conversations.items()
                if names[0] == user_id
            ]
        found.sort(key=lambda conversation: (-conversation.updated_at, conversation.id))
        return found[offset : offset + limit]

    @staticmethod
    def _value(names: tuple[str, str], conversation: _Conversation) -> Conversation:
        return Conversation(
            id=names[1],
            user_id=names[0],
            title=conversation.title,
            turns=len(conversation.turns),
            created_at=conversation.created_at,
            updated_at=conversation.updated_at,
        )

    def conversation(self, user_id: str, conversation_id: str) -> Conversation | None:
        """One conversation of the user, or None."""
        with self._lock:
            found = self._conversations.get((user_id, conversation_id))
            return None if found is None else self._value((user_id, conversation_id), found)

    def rename(self, user_id: str, conversation_id: str, title: str) -> bool:
        """Set the title; return False if the user has no such conversation."""
        with self._lock:
            found = self._conversations.get((user_id, conversation_id))
            if found is not None:
                found.title = title
            return found is not None

    def delete(self, user_id: str, conversation_id: str) -> bool:
        """Remove a conversation with its turns, events and images; return False if there is none."""
        with self._lock:
            found = self._conversations.pop((user_id, conversation_id), None)
            for turn in found.turns.values() if found else ():
                del self._turns[turn.id]
            return found is not None

    def add_image(self, user_id: str, image_id: str) -> None:
        """Record that the user has uploaded an image."""
        with self._lock:
            self._uploads.add((user_id, image_id))

    def owns_image(self, user_id: str, image_id: str) -> bool:
        """Whether the user uploaded the image or it appears in one of their conversations."""
        with self._lock:
            return (user_id, image_id) in self._uploads or any(
                turn.key.user_id == user_id and self._shows(turn, image_id) for turn in self._turns.values()
            )

    def image_in_use(self, image_id: str) -> bool:
        """Whether any user uploaded the image or has it in a conversation."""
        with self._lock:
            return any(uploaded == image_id for _, uploaded in self._uploads) or any(
                self._shows(turn, image_id) for turn in self._turns.values()
            )

    @staticmethod
    def _shows(turn: _Turn, image_id: str) -> bool:
        return any(entry.image_id == image_id for entry in turn.entries)

    def users(self) -> list[str]:
        """Return all users that have a conversation or an upload."""
        with self._lock:
            return list({user for user, _ in [*self._conversations, *self._uploads]})

    def uploads(self, user_id: str) -> list[str]:
        """Ids of the images that the user uploaded."""
        with self._lock:
            return [image_id for user, image_id in self._uploads if user == user_id]

    def restore_turn(self, conversation: Conversation, turn: Turn) -> None:
        """Add an ended turn of another store."""
        restored = _Turn.restored(turn)
        names = (turn.key.user_id, turn.key.conversation_id)
        with self._lock:
            held = self._conversations.get(names) or _Conversation(title=conversation.title)
            old = self._turns.get(turn.id)
            conflicting = [
                other
                for other in held.turns.values()
                if other is not old and (other.key == turn.key or other.seq == turn.seq)
            ]
            if conflicting or (
                old and ((old.key, old.seq) != (turn.key, turn.seq) or old.fence > turn.fence)
            ):
                raise restore_conflict(turn)
            held.title = conversation.title
            held.created_at, held.updated_at = conversation.created_at, conversation.updated_at
            held.turns[turn.key.prompt_id] = self._turns[turn.id] = restored
            held.turns = dict(sorted(held.turns.items(), key=lambda item: item[1].seq))
            self._conversations[names] = held

    def close(self) -> None:
        """Do nothing: there is nothing to release."""
