"""Cursors, and readers that reconnect: each text is delivered once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from ag_ui.core import Event as ProtocolEvent
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from promptvision.agent.events.agui import Translator
from promptvision.agent.events.encoder import Cursor, EventEncoder, StreamEvent
from promptvision.agent.reply import Reply
from promptvision.agent.turns.live_reply import LiveReply, SentPrefix
from promptvision.conversations.turn import Claim, Event, EventKind, Turn, TurnKey, TurnStatus
from promptvision.llm.messages import ChatDelta, ChatReply

PROTOCOL: TypeAdapter[Any] = TypeAdapter(ProtocolEvent)
numbers = st.integers(0, 999_999)
givens = st.builds(SentPrefix, numbers, st.integers(0, 2**32 - 1))


@given(st.builds(Cursor, numbers, st.integers(1, 999_999), numbers, st.none() | givens))
def test_cursor_is_read_as_it_was_written(cursor: Cursor) -> None:
    assert Cursor.parse(str(cursor)) == cursor


@pytest.mark.parametrize(
    "text", ["", "-1", "1~", "1~1", "1~1.0.5", "1~1.0.5.xyz", "1~1.0.5.0000000g", "\u0663", "9" * 40, "1 "]
)
def test_invalid_cursor_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a position in a turn"):
        Cursor.parse(text)


@given(st.text())
def test_any_text_is_a_cursor_or_refused(text: str) -> None:
    with suppress(ValueError):
        assert Cursor.parse(text).number >= 0


class Client:
    """An AG-UI client that loses its connection after some frames."""

    def __init__(self, losses: frozenset[int]) -> None:
        self.messages: dict[str, str] = {}
        self.kinds: list[str] = []
        self.cursor = Cursor()
        self.open: str | None = None
        self._losses = losses
        self._count = 0

    def take(self, frames: list[StreamEvent]) -> bool:
        """Take frames; False when the connection was lost, with all following frames."""
        for frame in frames:
            self._take(frame)
            self._count += 1
            if self._count in self._losses:
                return False
        return True

    def _take(self, frame: StreamEvent) -> None:
        event = frame.event
        PROTOCOL.validate_python(event)
        self.kinds.append(event["type"])
        self.cursor = self.cursor if frame.cursor is None else Cursor.parse(str(frame.cursor))
        if event["type"] == "TEXT_MESSAGE_START":
            assert self.open is None
            assert event["messageId"] not in self.messages
            self.open = event["messageId"]
            self.messages[self.open] = ""
        elif event["type"] == "TEXT_MESSAGE_CONTENT":
            assert self.open == event["messageId"]
            assert event["delta"]
            self.messages[event["messageId"]] += event["delta"]
        elif event["type"] == "TEXT_MESSAGE_END":
            assert self.open == event["messageId"]
            self.open = None
        elif event["type"] == "RUN_FINISHED":
            assert self.open is None

    def final(self) -> dict[str, str]:
        """The text of each message of the planner, by the id that a replay gives it."""
        return {"-".join(name.split("-")[:3]): text for name, text in self.messages.items()}


class Harness:
    """A turn that is streamed to one client, which reconnects whenever the connection is lost."""

    def __init__(self, losses: frozenset[int]) -> None:
        key = TurnKey("local", "c", "p")
        running = TurnStatus.RUNNING
        self.turn = Turn(
            id="t", key=key, seq=1, status=running, claim=Claim.NEW, fence=1, prompt="", fingerprint=""
        )
        self.live_reply = LiveReply()
        self.client = Client(losses)
        self.live_reply.subscribers.append(
            lambda: self.send(self.encoder.encode_text(self.live_reply, len(self.turn.events)))
        )
        self.connect()

    def connect(self) -> None:
        self.encoder = EventEncoder(Translator(self.turn, [], str), self.client.cursor)
        self.send([*self.encoder.opening(), *self.encoder.replay(self.turn)])

    def send(self, frames: list[StreamEvent]) -> None:
        if not self.client.take(frames):
            self.connect()

    def write(self, kind: EventKind, data: dict[str, Any]) -> None:
        event = Event(seq=len(self.turn.events) + 1, kind=kind, data=data)
        self.turn = replace(self.turn, events=(*self.turn.events, event))
        self.send(self.encoder.encode(event))

    def hear(self, message: int, attempts: list[str], final: str) -> None:
        async def stream() -> AsyncGenerator[ChatDelta, None]:
            for number, attempt in enumerate(attempts):
                for start in range(0, len(attempt), 2):
                    yield ChatDelta(text=attempt[start : start + 2], restarted=number > 0 and start == 0)
            yield ChatDelta(reply=ChatReply(text=final))

        asyncio.run(self.live_reply.receive(message, stream()))

    def end(self, text: str) -> None:
        reply = Reply(
            text_response=text,
            image_url=None,
            steps=(),
            images=(),
            turn_id="t",
            conversation_id="c",
            prompt_id="p",
            status=TurnStatus.DONE,
            planner="x",
            notes=(),
        )
        self.turn = replace(self.turn, status=TurnStatus.DONE, reply=reply.stored())
        while "RUN_FINISHED" not in self.client.kinds:
            self.send(self.encoder.closing(self.turn, ""))


words = st.text(st.sampled_from("ab"), max_size=9)
replies = st.tuples(st.lists(words, max_size=3), words, st.booleans())
"""The message before the retry ends, the final state, and whether a note is stored before it."""


@settings(max_examples=400, deadline=None)
@given(st.lists(replies, min_size=1, max_size=3), st.frozensets(st.integers(1, 40), max_size=6))
def test_client_that_reconnects_has_each_text_once(
    planned: list[tuple[list[str], str, bool]], losses: frozenset[int]
) -> None:
    harness = Harness(losses)
    for number, (attempts, final, is_noted) in enumerate(planned, start=1):
        harness.hear(number, attempts, final)
        if is_noted:
            harness.write(EventKind.NOTE, {"message": "x"})
        if number < len(planned):
            harness.write(EventKind.MESSAGE, {"text": final, "tool_calls": [], "planner": "x"})
            harness.write(EventKind.OBSERVATION, {})
    harness.end(planned[-1][1])
    replay = Client(frozenset())
    encoder = EventEncoder(Translator(harness.turn, [], str), Cursor())
    frames = [*encoder.opening(), *encoder.replay(harness.turn), *encoder.closing(harness.turn, "")]
    replay.take(frames)
    assert [frame.cursor for frame in frames] == [Cursor(n) for n in range(1, len(frames) + 1)]
    seen = harness.client.final()
    assert {name: text for name, text in seen.items() if name in replay.messages} == replay.messages
    others = [kind for kind in harness.client.kinds if not kind.startswith("TEXT_")]
    assert others == [kind for kind in replay.kinds if not kind.startswith("TEXT_")]


def test_text_is_streamed_in_pieces_under_the_id_of_the_replay() -> None:
    harness = Harness(frozenset())
    harness.hear(1, ["The lion"], "The lion sleeps.")
    harness.end("The lion sleeps.")
    assert harness.client.messages == {"t-message-1": "The lion sleeps."}
    assert harness.client.kinds.count("TEXT_MESSAGE_CONTENT") == 5


def test_reply_that_restarts_with_the_same_words_continues() -> None:
    harness = Harness(frozenset())
    harness.hear(1, ["The lion is", "The lion is here"], "The lion is here.")
    harness.end("The lion is here.")
    assert harness.client.messages == {"t-message-1": "The lion is here."}


def test_reply_with_other_words_gets_a_message_of_its_own() -> None:
    harness = Harness(frozenset())
    harness.hear(1, ["A tiger", "The lion is here"], "The lion is here.")
    harness.end("The lion is here.")
    assert harness.client.messages == {"t-message-1": "A tiger", "t-message-1-2": "The lion is here."}
    assert harness.client.kinds.count("TEXT_MESSAGE_END") == 2


def test_text_waits_for_the_step_before_it_and_for_events_that_were_missed() -> None:
    harness = Harness(frozenset())
    step = {"step": 1, "operation": "x", "tool": "x", "plugin": "x", "arguments": {}}
    harness.write(EventKind.STEP_STARTED, step)
    harness.hear(1, ["The lion"], "The lion")
    assert "TEXT_MESSAGE_START" not in harness.client.kinds
    ended = {"status": "done", "result": None, "seconds": 0.0, "cached": False, "message": None}
    harness.write(EventKind.STEP_FINISHED, {**step, **ended})
    harness.live_reply.is_whole = False
    assert harness.encoder.encode_text(harness.live_reply, 3) == []
    assert [frame.event["type"] for frame in harness.encoder.encode_text(harness.live_reply, 2)] == [
        "TEXT_MESSAGE_START",
        "TEXT_MESSAGE_CONTENT",
    ]
