"""Telling one reader a turn: numbered events, text ahead of its event, and a cursor to come back with."""

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
    """How far a reader is in a turn. Its text stands in the ids of events; readers give it back as it is.

    Args:
        number: how many of the events that are replayed the reader has.
        message: which message of the planner the next two are about, from 1.
        dropped: how many message ids were spent on text of it that was given up.
        given: what the reader has of its text ahead of its event; None: not even its beginning.
    """

    number: int = 0
    message: int = 0
    dropped: int = 0
    given: SentPrefix | None = None

    def __str__(self) -> str:
        if not self.message:
            return str(self.number)
        ahead = "" if self.given is None else f".{self.given.chars}.{self.given.digest:08x}"
        return f"{self.number}~{self.message}.{self.dropped}{ahead}"

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """The cursor that a text stands for.

        Raises:
            ValueError: it is none.
        """
        found = _CURSOR.fullmatch(text)
        if found is None:
            raise ValueError(f"{text[:40]!r} is no place in a turn")
        number, message, dropped, chars, digest = found.groups()
        given = None if chars is None else SentPrefix(int(chars), int(digest, 16))
        return cls(int(number), int(message or 0), int(dropped or 0), given)


@dataclass(frozen=True)
class StreamEvent:
    """One AG-UI event on its way to a reader.

    Args:
        event: the event.
        cursor: how far the reader is with it; None for what does not change that.
    """

    event: AguiEvent
    cursor: Cursor | None


class EventEncoder:
    """Makes the frames of a turn, without those that the reader has.

    Events of the journal become numbered frames, the same ones for every reader. Text that a planner is
    still saying goes ahead of its event, under the message id that the event will have; once the event is
    there, only the rest of the text follows. AG-UI cannot take text back: where the event says something
    else than was given, or another provider begins anew, the message is ended and the right text gets a
    message id of its own.

    Args:
        translator: makes AG-UI events.
        after: how far the reader is.
    """

    def __init__(self, translator: Translator, after: Cursor) -> None:
        self._translator = translator
        self._after = after.number
        self._number = 0
        self._seq = 0
        self._open_steps = 0
        self._message, self._dropped, self._given = after.message, after.dropped, after.given

    def begin(self) -> list[StreamEvent]:
        """What stands before the first event."""
        return self._numbered(self._translator.opening())

    def catch_up(self, turn: Turn) -> list[StreamEvent]:
        """Frames of stored events that were not told yet."""
        return [frame for event in turn.events for frame in self.tell(event)]

    def tell(self, event: Event) -> list[StreamEvent]:
        """Frames of one event; none when it was told already, or is ahead of what the store will give."""
        if event.seq != self._seq + 1:
            return []
        self._seq = event.seq
        self._open_steps += (event.kind is EventKind.STEP_STARTED) - (event.kind is EventKind.STEP_FINISHED)
        message = self._translator.message
        events = self._translator.event(event)
        if self._translator.message == message:
            return self._numbered(events)
        frames = [*self._settle(message, events), *self._numbered(events)]
        if self._message == message:
            self._forget()
        return frames

    def progress(self, step: int, done: float, total: float, message: str) -> list[StreamEvent]:
        """How far a step is."""
        return [StreamEvent(self._translator.progress(step, done, total, message), None)]

    def say(self, speech: LiveReply, seq: int) -> list[StreamEvent]:
        """What a planner has said since it was looked at last.

        A step whose end is still on its way to the store ends first. While the text is no longer than what
        the reader has, there is nothing to say: a reply that is begun anew mostly begins with the same words.

        Args:
            speech: the reply that is coming.
            seq: the event before it; a reader who is further behind is told nothing.
        """
        is_next = speech.message == self._translator.message and not self._open_steps
        if speech.is_whole or not is_next or self._seq < seq or self._number < self._after:
            return []
        text = speech.text
        self._turn_to(speech.message)
        frames: list[StreamEvent] = []
        if self._given is not None and len(text) > self._given.chars and not self._given.begins(text):
            frames.append(self._drop())
        if self._given is None and text:
            self._given = SentPrefix()
            frames.append(self._text_frame("START", role="assistant"))
        if self._given is not None and (more := text[self._given.chars :]):
            self._given = SentPrefix.whole(text)
            frames.append(self._text_frame("CONTENT", delta=more))
        return frames

    def end(self, turn: Turn, error: str) -> list[StreamEvent]:
        """The closing frames; those of a turn that may go on later are never replayed."""
        is_final = turn.status in (TurnStatus.DONE, TurnStatus.FAILED, TurnStatus.CANCELLED)
        reply = Reply.from_stored(turn.reply) if is_final and turn.reply else None
        status = TurnStatus.INTERRUPTED if turn.status is TurnStatus.RUNNING else turn.status
        message = self._translator.message
        events = self._translator.closing(status, reply, error)
        frames = self._settle(message, events)
        return frames + (
            self._numbered(events) if is_final else [StreamEvent(event, None) for event in events]
        )

    def _settle(self, message: int, events: list[AguiEvent]) -> list[StreamEvent]:
        """End what was given of a message if its event says something else."""
        self._turn_to(message)
        text = _text_in(events)
        is_another = self._message != message  # the reader has this one, and some of a later one
        if self._given is None or is_another or (text is not None and self._given.begins(text)):
            return []
        return [self._drop()]

    def _turn_to(self, message: int) -> None:
        if message > self._message:
            self._message, self._dropped, self._given = message, 0, None

    def _forget(self) -> None:
        self._message, self._dropped, self._given = 0, 0, None

    def _drop(self) -> StreamEvent:
        event = {"type": "TEXT_MESSAGE_END", "messageId": self._message_id()}
        self._dropped, self._given = self._dropped + 1, None
        return StreamEvent(event, self._cursor())

    def _numbered(self, events: list[AguiEvent]) -> list[StreamEvent]:
        frames = []
        for event in events:
            self._number += 1
            if self._number <= self._after:
                continue
            due = self._rest(event) if event["type"].startswith("TEXT_MESSAGE_") else event
            if due is not None:
                frames.append(StreamEvent(due, self._cursor()))
        return frames

    def _rest(self, event: AguiEvent) -> AguiEvent | None:
        """What the reader does not have of a text event."""
        event, given = {**event, "messageId": self._message_id()}, self._given
        if event["type"] == "TEXT_MESSAGE_END":
            self._forget()
        elif given is not None:
            if event["type"] == "TEXT_MESSAGE_START":
                return None
            self._given = None
            event["delta"] = event["delta"][given.chars :]
            return event if event["delta"] else None
        return event

    def _text_frame(self, kind: str, **members: Any) -> StreamEvent:
        event = {"type": f"TEXT_MESSAGE_{kind}", "messageId": self._message_id(), **members}
        return StreamEvent(event, self._cursor())

    def _message_id(self) -> str:
        """The id of the message as every reader knows it, or another one if that is spent."""
        whole = self._translator.message_id(self._message)
        return f"{whole}-{self._dropped + 1}" if self._dropped else whole

    def _cursor(self) -> Cursor:
        if not self._dropped and self._given is None:
            return Cursor(self._number)
        return Cursor(self._number, self._message, self._dropped, self._given)


def _text_in(events: list[AguiEvent]) -> str | None:
    """The text of the message among some events; None when there is no message."""
    if not any(event["type"] == "TEXT_MESSAGE_START" for event in events):
        return None
    return next((event["delta"] for event in events if event["type"] == "TEXT_MESSAGE_CONTENT"), "")
