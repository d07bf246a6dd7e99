"""Tool results as the planner sees them: short JSON with handles, lists cut, text from images labelled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from promptvision.conversations.store import encode_json
from promptvision.images.handles import ImageTable
from promptvision.tools.tool import Result

__all__ = ["FailureKind", "observe", "observe_failure"]

FailureKind = Literal["arguments", "failed", "stopped"]
"""Wrong arguments, which the planner can correct; a failed tool; a call that did not run or did not end."""

LIST_LIMIT = 20
TEXT_LIMIT = 4000


def observe(result: Result, table: ImageTable, notes: Sequence[str]) -> str:
    """A result as the planner sees it.

    Args:
        result: the tool's result.
        table: names its images.
        notes: what was changed in the arguments, and messages of prerequisites.
    """
    seen = result.model_dump(mode="json", exclude_none=True, context={"show": table.show, "label": True})
    short = {name: _shorten(value) for name, value in seen.items()}
    if notes:
        short["notes"] = list(notes)
    return encode_json(short).decode()


def observe_failure(kind: FailureKind, message: str) -> str:
    """A failed call as the planner sees it: the kind of failure and a message."""
    observed = {"success": False, "kind": kind, "error": message[:TEXT_LIMIT]}
    return encode_json(observed).decode()


def _shorten(value: Any) -> Any:
    if isinstance(value, str):
        over = len(value) - TEXT_LIMIT
        return value if over <= 0 else f"{value[:TEXT_LIMIT]} ... ({over} more characters)"
    if isinstance(value, dict):
        return {name: _shorten(item) for name, item in value.items()}
    if isinstance(value, list):
        kept = [_shorten(item) for item in value[:LIST_LIMIT]]
        return [*kept, f"({len(value) - LIST_LIMIT} more)"] if len(value) > LIST_LIMIT else kept
    return value
