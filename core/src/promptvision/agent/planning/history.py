"""Which part of a conversation the planner sees."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from promptvision.agent.planning.observation import observe_failure
from promptvision.conversations.turn import EventKind, Turn, TurnStatus
from promptvision.llm.messages import Message, ToolCall
from promptvision.llm.planner import CallOutcome
from promptvision.types import UNTRUSTED, neutralize_chat_markers

__all__ = ["TURNS", "history_messages", "turn_messages", "turn_outcomes"]

TURNS = 12
"""Turns read from the store, at most."""
WHOLE = 2
"""Newest turns whose tool results are shown whole; older ones become one line each."""
PREVIEW_CHARS = 200


def history_messages(turns: Sequence[Turn]) -> list[Message]:
    """Earlier turns as messages, oldest first, each with all of its calls and their results.

    Args:
        turns: ended turns, oldest first.
    """
    newest = len(turns) - WHOLE
    return [
        message for place, turn in enumerate(turns) for message in _ended_turn(turn, is_whole=place >= newest)
    ]


def _ended_turn(turn: Turn, *, is_whole: bool) -> list[Message]:
    answer = (turn.reply or {}).get("text_response") or _ended_note(turn.status)
    user = Message(role="user", content=turn.prompt)
    return [user, *turn_messages(turn, is_whole=is_whole), Message(role="assistant", content=answer)]


def _ended_note(status: TurnStatus) -> str:
    return f"(This turn was {status} before it was answered.)"


def turn_messages(turn: Turn, *, is_whole: bool = True) -> list[Message]:
    """What the planner said and was told in one turn.

    A call that was never answered gets a result that says so, since hosts refuse a call without one.
    """
    answers = dict(_answers(turn, is_whole=is_whole))
    messages: list[Message] = []
    for event in turn.events:
        if event.kind is not EventKind.MESSAGE:
            continue
        calls = tuple(ToolCall(**call) for call in event.data["tool_calls"])
        messages.append(Message(role="assistant", content=event.data["text"], tool_calls=calls))
        messages.extend(answers.get(call.id) or _interrupted(call) for call in calls)
    return messages


def turn_outcomes(turn: Turn) -> list[CallOutcome]:
    """The calls of one turn that have a result, in the order in which the results were written."""
    calls = {
        call["id"]: call
        for event in turn.events
        if event.kind is EventKind.MESSAGE
        for call in event.data["tool_calls"]
    }
    return [
        CallOutcome(
            name=call["name"],
            arguments=call["arguments"],
            summary=event.data["summary"],
            failed=event.kind is EventKind.OBSERVATION and event.data["failed"],
        )
        for event in turn.events
        if event.kind in (EventKind.STEP_FINISHED, EventKind.OBSERVATION)
        and (call := calls.get(event.data.get("call_id"))) is not None
    ]


def _answers(turn: Turn, *, is_whole: bool) -> Iterator[tuple[str, Message]]:
    for event in turn.events:
        told: dict[str, Any] = event.data
        call_id = told.get("call_id")
        if event.kind not in (EventKind.STEP_FINISHED, EventKind.OBSERVATION) or not call_id:
            continue
        yield (
            call_id,
            Message(
                role="tool",
                content=told["told"] if is_whole else _preview(told),
                tool_call_id=call_id,
                name=told.get("operation"),
            ),
        )


def _preview(told: dict[str, Any]) -> str:
    """A result in one line; what came out of an image stays labelled as such."""
    line = " ".join(told["summary"].split())[:PREVIEW_CHARS]
    if UNTRUSTED not in told["told"]:
        return line
    return json.dumps({UNTRUSTED: neutralize_chat_markers(line)}, ensure_ascii=False)


def _interrupted(call: ToolCall) -> Message:
    text = "interrupted before it ended; its result is unknown"
    return Message(
        role="tool",
        content=observe_failure("stopped", text),
        tool_call_id=call.id,
        name=call.name,
    )
