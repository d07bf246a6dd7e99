"""A planner with one fixed call."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from promptvision.plugin import ChatReply, PlanRequest, ToolCall

__all__ = ["FixedPlan"]

_PROMPT_CHARS = 300


class FixedPlan:
    """Makes one call and answers with its summary, or answers at once.

    A tool call of an MCP client is a turn like any other: journaled, with handles for its images and with
    its prerequisites as steps.

    Args:
        operation: the operation to call; None: none.
        arguments: its arguments.
        answer: the answer when there is no call.
    """

    name = "mcp"
    context_tokens = 1_000_000

    def __init__(
        self, operation: str | None = None, arguments: Mapping[str, Any] | None = None, *, answer: str = ""
    ) -> None:
        self._operation = operation
        self._arguments = dict(arguments or {})
        self._answer = answer

    @property
    def prompt(self) -> str:
        """The call as the message of its turn."""
        if self._operation is None:
            return self._answer
        return f"{self._operation} {json.dumps(self._arguments, ensure_ascii=False)}"[:_PROMPT_CHARS]

    async def complete(self, request: PlanRequest) -> ChatReply:
        """The call, then the summary of its result."""
        if self._operation is None:
            return ChatReply(text=self._answer, planner=self.name)
        if request.outcomes:
            return ChatReply(text=request.outcomes[-1].summary, planner=self.name)
        call = ToolCall(id="call", name=self._operation, arguments=self._arguments)
        return ChatReply(tool_calls=(call,), finish_reason="tool_calls", planner=self.name)

    async def close(self) -> None:
        """Do nothing: there is nothing to release."""
