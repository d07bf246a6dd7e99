"""The part of a conversation that the planner sees."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from promptvision.agent.outcome import ToolOutcome, outcomes_of
from promptvision.agent.planning.observation import observe_failure
from promptvision.conversations.turn import EventKind, Turn, TurnStatus
from promptvision.llm.messages import Message, ToolCall
from promptvision.llm.planner import CallOutcome
from promptvision.types import UNTRUSTED, neutralize_chat_markers

__all__ = ["TURNS", "history_messages", "turn_messages", "turn_outcomes"]

TURNS = 12
"""How many turns are read from the store."""
WHOLE = 2
"""Newest turns whose tool results are shown whole; the results of older turns become one line each."""
PREVIEW_CHARS = 200


def history_messages(turns: Sequence[Turn]) -> list[Message]:
    """Earlier turns as messages, oldest first, each with all of its calls and their results.

    Args:
        turns: ended turns, oldest first.
    """
    newest = len(turns) - WHOLE
    return [
        message for index, turn in enumerate(turns) for message in _ended_turn(turn, is_whole=index >= newest)
    ]


def _ended_turn(turn: Turn, *, is_whole: bool) -> list[Message]:
    answer = (turn.reply or {}).get("text_response") or _ended_note(turn.status)
    user = Message(role="user", content=turn.prompt)
    return [user, *turn_messages(turn, is_whole=is_whole), Message(role="assistant", content=answer)]


def _ended_note(status: TurnStatus) -> str:
    return f"(This turn was {status} before it was answered.)"


def turn_messages(turn: Turn, *, is_whole: bool = True) -> list[Message]:
    """The planner's messages of one turn with the outcomes of their calls.

    A call without an outcome is answered as interrupted, since hosts refuse a call without an answer.
    """
    answers = {outcome.call_id: outcome for outcome in outcomes_of(turn.events)}
    messages: list[Message] = []
    for event in turn.events:
        if event.kind is not EventKind.MESSAGE:
            continue
        calls = tuple(ToolCall(**call) for call in event.data["tool_calls"])
        messages.append(Message(role="assistant", content=event.data["text"], tool_calls=calls))
        for call in calls:
            outcome = answers.get(call.id)
            if outcome is None:
                messages.append(_interrupted(call).message())
            elif is_whole:
                messages.append(outcome.message())
            else:
                messages.append(replace(outcome, content=_preview(outcome)).message())
    return messages


def turn_outcomes(turn: Turn) -> list[CallOutcome]:
    """The calls of one turn that have an outcome, in the order in which the outcomes were written."""
    calls = {
        call["id"]: call
        for event in turn.events
        if event.kind is EventKind.MESSAGE
        for call in event.data["tool_calls"]
    }
    return [
        CallOutcome(
            name=call["name"], arguments=call["arguments"], summary=outcome.summary, failed=outcome.failed
        )
        for outcome in outcomes_of(turn.events)
        if (call := calls.get(outcome.call_id)) is not None
    ]


def _preview(outcome: ToolOutcome) -> str:
    """An outcome in one line; text from an image stays labelled as such."""
    line = " ".join(outcome.summary.split())[:PREVIEW_CHARS]
    if UNTRUSTED not in outcome.content:
        return line
    return json.dumps({UNTRUSTED: neutralize_chat_markers(line)}, ensure_ascii=False)


def _interrupted(call: ToolCall) -> ToolOutcome:
    text = "interrupted before it ended; its result is unknown"
    return ToolOutcome(
        call_id=call.id,
        operation=call.name,
        content=observe_failure("stopped", text),
        summary=text,
        failed=True,
    )
