"""The planner's calls with their arguments repaired and keyed once for each call."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from promptvision.errors import ArgumentsError
from promptvision.llm.messages import ToolCall
from promptvision.llm.planner import PlannerFunction
from promptvision.llm.repair import repair_arguments

__all__ = ["PreparedCall", "prepare_call"]

_KEYS = json.JSONEncoder(sort_keys=True, default=str)


@dataclass(frozen=True, kw_only=True)
class PreparedCall:
    """One call of the planner.

    Args:
        call: the call as the planner wrote it.
        function: the function that it names; None when there is no such function.
        values: the repaired arguments.
        notes: what the repair changed, for the planner.
        error: why the arguments cannot be read; None when they can.
        key: equal for calls with equal names and arguments.
    """

    call: ToolCall
    function: PlannerFunction | None
    values: dict[str, Any] = field(default_factory=dict)
    notes: Sequence[str] = ()
    error: ArgumentsError | None = None
    key: str = ""

    @property
    def names_an_image(self) -> bool:
        """Whether the arguments say which image is meant; otherwise it is the current one."""
        return self.function is not None and bool(self.values.get(self.function.image or ""))


def prepare_call(call: ToolCall, functions: Mapping[str, PlannerFunction]) -> PreparedCall:
    """Find the function of a call and repair its arguments.

    Args:
        call: the planner's call.
        functions: the functions that may be called, by name.
    """
    function = functions.get(call.name)
    if function is None:
        return PreparedCall(call=call, function=None)
    try:
        values, notes = repair_arguments(call.arguments, function.parameters)
    except ArgumentsError as exc:
        return PreparedCall(call=call, function=function, error=exc)
    key = _KEYS.encode([call.name, values])
    return PreparedCall(call=call, function=function, values=values, notes=notes, key=key)
