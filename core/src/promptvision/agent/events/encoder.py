"""Encode a turn for one reader: numbered events, text sent ahead of its event, and a resume cursor."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from promptvision.agent.events.agui import AguiEvent, Translator
from promptvision.agent.reply import Reply
from promptvision.agent.turns.live_reply import LiveReply, SentPrefix
from promptvision.conversations.turn import Event, EventKind, Turn, TurnStatus

__all__ = ["Cursor", "EventEncoder", "StreamEvent"]

_CURSOR = re.compile(r"(\d{1,9})(?:~(\d{1,6})\.(\d{1,6})(?:\.(\d{1,9})\.([0-9a-f]{8}))?)?", re.ASCII)


@dataclass(frozen=True)
class Cursor:
    """A reader's position in a turn. Its text is the id of a server-sent event, opaque to readers.

    Args:
        number: how many of the numbered events the reader has.
        message: the planner's message that ``dropped`` and ``sent`` are about, from 1.
        dropped: how many message ids were used for text of the message that turned out to be wrong.
        sent: the part of its text that was sent ahead of its event; None: not even its start.
    """

    number: int = 0
    message: int = 0
    dropped: int = 0
    sent: SentPrefix | None = None

    def __str__(self) -> str:
        if not self.message:
            return str(self.number)
        ahead = "" if self.sent is None else f".{self.sent.chars}.{self.sent.digest:08x}"
        return f"{self.number}~{self.message}.{self.dropped}{ahead}"

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """The cursor with this text.

        Raises:
            ValueError: it is not the text of a cursor.
        """
        found = _CURSOR.fullmatch(text)
        if found is None:
            raise ValueError(f"{text[:40]!r} is not a position in a turn")
        number, message, dropped, chars, digest = found.groups()
        sent = None if chars is None else SentPrefix(int(chars), int(digest, 16))
        return cls(int(number), int(message or 0), int(dropped or 0), sent)


@dataclass(frozen=True)
class StreamEvent:
    """One AG-UI event on its way to a reader.

    Args:
        event: the event.
        cursor: the reader's position after it; None for an event that does not change the position.
    """

    event: AguiEvent
    cursor: Cursor | None


class EventEncoder:
    """Encodes a turn as stream events, without those that the reader has already received.

    Events of the journal become numbered stream events, the same ones for every reader. Text that a planner
    is still streaming is sent ahead of its event, under the message id that the event will have; once the
    event is stored, only the rest of the text follows. AG-UI cannot retract text: if the text of the event
    differs from what was sent, or another provider starts again, the message is ended and the correct text
    gets a new message id.

    Args:
        translator: makes AG-UI events.
        after: the reader's position.
    """

    def __init__(self, translator: Translator, after: Cursor) -> None:
        self._translator = translator
        self._after = after.number
        self._number = 0
        self._seq = 0
        self._open_steps = 0
        self._message, self._dropped, self._sent = after.message, after.dropped, after.sent

    def opening(self) -> list[StreamEvent]:
        """The stream events before the first event of the journal."""
        return self._numbered(self._translator.opening())

    def replay(self, turn: Turn) -> list[StreamEvent]:
        """Encode the stored events that were not encoded yet."""
        return [encoded for event in turn.events for encoded in self.encode(event)]

    def encode(self, event: Event) -> list[StreamEvent]:
        """Encode one event; nothing if it was encoded already, or events before it were not."""
        if event.seq != self._seq + 1:
            return []
        self._seq = event.seq
        self._open_steps += (event.kind is EventKind.STEP_STARTED) - (event.kind is EventKind.STEP_FINISHED)
        message = self._translator.message
        events = self._translator.event(event)
        if self._translator.message == message:
            return self._numbered(events)
        encoded = [*self._settle(message, events), *self._numbered(events)]
        if self._message == message:
            self._reset()
        return encoded

    def progress(self, step: int, done: float, total: float, message: str) -> list[StreamEvent]:
        """Encode the progress of a step."""
        return [StreamEvent(self._translator.progress(step, done, total, message), None)]

    def encode_text(self, reply: LiveReply, seq: int) -> list[StreamEvent]:
        """Encode the text that has arrived since the last call.

        A step whose end is still being stored ends first. Nothing is sent until the text is longer than what
        was already sent, since a reply that starts again usually starts with the same words.

        Args:
            reply: the reply that is streaming.
            seq: number of the event before it; nothing is sent to a reader who is further behind.
        """
        is_next = reply.message == self._translator.message and not self._open_steps
        if reply.is_whole or not is_next or self._seq < seq or self._number < self._after:
            return []
        text = reply.text
        self._select(reply.message)
        encoded: list[StreamEvent] = []
        if self._sent is not None and len(text) > self._sent.chars and not self._sent.begins(text):
            encoded.append(self._drop())
        if self._sent is None and text:
            self._sent = SentPrefix()
            encoded.append(self._text_event("START", role="assistant"))
        if self._sent is not None and (more := text[self._sent.chars :]):
            self._sent = SentPrefix.whole(text)
            encoded.append(self._text_event("CONTENT", delta=more))
        return encoded

    def closing(self, turn: Turn, error: str) -> list[StreamEvent]:
        """The closing stream events; those of a turn that may be resumed later are never replayed."""
        is_final = turn.status in (TurnStatus.DONE, TurnStatus.FAILED, TurnStatus.CANCELLED)
        reply = Reply.from_stored(turn.reply) if is_final and turn.reply else None
        status = TurnStatus.INTERRUPTED if turn.status is TurnStatus.RUNNING else turn.status
        message = self._translator.message
        events = self._translator.closing(status, reply, error)
        encoded = self._settle(message, events)
        return encoded + (
            self._numbered(events) if is_final else [StreamEvent(event, None) for event in events]
        )

    def _settle(self, message: int, events: list[AguiEvent]) -> list[StreamEvent]:
        """End a message that was sent in part if its event has another text."""
        self._select(message)
        text = _text_in(events)
        is_another = self._message != message  # the reader has this one, and some of a later one
        if self._sent is None or is_another or (text is not None and self._sent.begins(text)):
            return []
        return [self._drop()]

    def _select(self, message: int) -> None:
        if message > self._message:
            self._message, self._dropped, self._sent = message, 0, None

    def _reset(self) -> None:
        self._message, self._dropped, self._sent = 0, 0, None

    def _drop(self) -> StreamEvent:
        event = {"type": "TEXT_MESSAGE_END", "messageId": self._message_id()}
        self._dropped, self._sent = self._dropped + 1, None
        return StreamEvent(event, self._cursor())

    def _numbered(self, events: list[AguiEvent]) -> list[StreamEvent]:
        encoded = []
        for event in events:
            self._number += 1
            if self._number <= self._after:
                continue
            due = self._rest(event) if event["type"].startswith("TEXT_MESSAGE_") else event
            if due is not None:
                encoded.append(StreamEvent(due, self._cursor()))
        return encoded

    def _rest(self, event: AguiEvent) -> AguiEvent | None:
        """The part of a text event that was not sent yet."""
        event, sent = {**event, "messageId": self._message_id()}, self._sent
        if event["type"] == "TEXT_MESSAGE_END":
            self._reset()
        elif sent is not None:
            if event["type"] == "TEXT_MESSAGE_START":
                return None
            self._sent = None
            event["delta"] = event["delta"][sent.chars :]
            return event if event["delta"] else None
        return event

    def _text_event(self, kind: str, **members: Any) -> StreamEvent:
        event = {"type": f"TEXT_MESSAGE_{kind}", "messageId": self._message_id(), **members}
        return StreamEvent(event, self._cursor())

    def _message_id(self) -> str:
        """The id of the message that every reader gets, or a new one if that was used for wrong text."""
        whole = self._translator.message_id(self._message)
        return f"{whole}-{self._dropped + 1}" if self._dropped else whole

    def _cursor(self) -> Cursor:
        if not self._dropped and self._sent is None:
            return Cursor(self._number)
        return Cursor(self._number, self._message, self._dropped, self._sent)


def _text_in(events: list[AguiEvent]) -> str | None:
    """The text of the message among some events; None when there is no message."""
    if not any(event["type"] == "TEXT_MESSAGE_START" for event in events):
        return None
    return next((event["delta"] for event in events if event["type"] == "TEXT_MESSAGE_CONTENT"), "")
