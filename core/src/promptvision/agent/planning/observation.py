"""What the planner is told of a finished call: short JSON with handles, lists cut, image text labelled."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal

from promptvision.images.handles import ImageTable
from promptvision.tools.tool import Result

__all__ = ["FailureKind", "observe", "observe_failure"]

FailureKind = Literal["arguments", "failed", "stopped"]
"""The planner may correct its arguments; it can do nothing about it; it was not tried or not finished."""

_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))

LIST_LIMIT = 20
TEXT_LIMIT = 4000


def observe(result: Result, table: ImageTable, notes: Sequence[str]) -> str:
    """A result as the planner sees it.

    Args:
        result: the tool's result.
        table: names its images.
        notes: what the planner should know about its arguments.
    """
    seen = result.model_dump(mode="json", exclude_none=True, context={"show": table.show, "label": True})
    short = {name: _shorten(value) for name, value in seen.items()}
    if notes:
        short["notes"] = list(notes)
    return _COMPACT.encode(short)


def observe_failure(kind: FailureKind, message: str) -> str:
    """A failed call as the planner sees it: what to do about it, and one line."""
    told = {"success": False, "kind": kind, "error": message[:TEXT_LIMIT]}
    return _COMPACT.encode(told)


def _shorten(value: Any) -> Any:
    if isinstance(value, str) and len(value) > TEXT_LIMIT:
        return value[:TEXT_LIMIT] + f" ... ({len(value) - TEXT_LIMIT} more characters)"
    if isinstance(value, dict):
        return {name: _shorten(item) for name, item in value.items()}
    if isinstance(value, list):
        kept = [_shorten(item) for item in value[:LIST_LIMIT]]
        return [*kept, f"({len(value) - LIST_LIMIT} more)"] if len(value) > LIST_LIMIT else kept
    return value
