"""The outcome of one tool call: one record for the journal, the history and the planner's request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from promptvision.conversations.turn import Event, EventKind
from promptvision.llm.messages import Message
from promptvision.tools.tool import Result

__all__ = ["ToolOutcome", "outcomes_of"]


@dataclass(frozen=True, kw_only=True)
class ToolOutcome:
    """The outcome of one tool call.

    Args:
        call_id: the planner's call; empty for a prerequisite or a call outside of a turn.
        operation: name of the function as it was called.
        content: short JSON for the LLM; empty when there is no call to answer.
        summary: one sentence for users and for planners without an LLM.
        failed: whether the call failed.
        result: the tool's result; None for a failed call and for an outcome read from a journal.
    """

    call_id: str
    operation: str
    content: str
    summary: str
    failed: bool
    result: Result | None = field(default=None, compare=False, repr=False)

    def stored(self) -> dict[str, Any]:
        """The outcome as stored in the journal."""
        stored = dict(vars(self))
        del stored["result"]
        return stored

    @classmethod
    def from_stored(cls, stored: Mapping[str, Any]) -> Self:
        """The outcome that :meth:`stored` was made from."""
        return cls(**stored)

    def message(self) -> Message:
        """The outcome as the message that answers the call."""
        return Message(role="tool", content=self.content, tool_call_id=self.call_id, name=self.operation)


def outcomes_of(events: Iterable[Event]) -> Iterator[ToolOutcome]:
    """The outcomes of the planner's calls in a journal, in the order in which they were written."""
    for event in events:
        if event.kind is EventKind.OBSERVATION:
            yield ToolOutcome.from_stored(event.data)
        elif event.kind is EventKind.STEP_FINISHED and event.data.get("outcome"):
            yield ToolOutcome.from_stored(event.data["outcome"])
