"""The request to run one operation."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["OperationRequest"]


@dataclass(frozen=True, kw_only=True)
class OperationRequest:
    """An operation to run.

    Args:
        operation: its name.
        values: arguments; images as handles or references. Missing ones are filled in by type.
        call_id: the planner's call that the outcome answers; empty for a prerequisite.
        notes: notes for the planner in addition to the result.
        after: the call before this one, when both run in parallel: the images of this one are added after
            those of that one, so that handles do not depend on which call ends first.
        messages: reports of its prerequisites; part of the outcome.
    """

    operation: str
    values: dict[str, Any]
    call_id: str = ""
    notes: Sequence[str] = ()
    after: asyncio.Future[Any] | None = None
    messages: list[str] = field(default_factory=list)
