"""The planner's calls with their functions found and their arguments repaired, once for each call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from promptvision.errors import ArgumentsError
from promptvision.llm.messages import ToolCall
from promptvision.llm.planner import PlannerFunction
from promptvision.llm.repair import repair_arguments

__all__ = ["PreparedCall", "prepare_call"]


class PreparedCall(NamedTuple):
    """One call of the planner.

    Args:
        call: the call as the planner wrote it.
        function: the function that it names; None when there is no such function.
        values: the repaired arguments.
        notes: what the repair changed, for the planner.
        error: why the arguments cannot be read; None when they can.
    """

    call: ToolCall
    function: PlannerFunction | None
    values: dict[str, Any]
    notes: Sequence[str] = ()
    error: ArgumentsError | None = None

    @property
    def is_readable(self) -> bool:
        """Whether there is such a function and its arguments can be read."""
        return self.function is not None and self.error is None

    @property
    def names_an_image(self) -> bool:
        """Whether the arguments say which image is meant; otherwise it is the current one."""
        return self.function is not None and bool(self.values.get(self.function.image or ""))

    def repeats(self, other: PreparedCall) -> bool:
        """Whether two readable calls have equal names and arguments."""
        return self.call.name == other.call.name and self.values == other.values


def prepare_call(call: ToolCall, functions: Mapping[str, PlannerFunction]) -> PreparedCall:
    """Find the function of a call and repair its arguments.

    Args:
        call: the planner's call.
        functions: the functions that may be called, by name.
    """
    function = functions.get(call.name)
    if function is None:
        return PreparedCall(call, None, {})
    try:
        values, notes = repair_arguments(call.arguments, function.parameters)
    except ArgumentsError as exc:
        return PreparedCall(call, function, {}, error=exc)
    return PreparedCall(call, function, values, notes)
