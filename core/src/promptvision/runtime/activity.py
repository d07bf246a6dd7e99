"""The activities of the runtime that instruments see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from promptvision.instruments import Activity
from promptvision.tools.tool import Args, Result, Tool

__all__ = ["StepActivity", "ToolRunActivity"]


@dataclass(eq=False)
class StepActivity(Activity):
    """One step: a tool is called and its result, or that of an earlier equal call, comes back.

    Args:
        tool: what is called.
        args: its arguments; images by id.
        result: set at the end, unless the step failed with an error.
        is_cached: whether it is the result of an earlier call.
    """

    tool: Tool
    args: Args
    result: Result | None = None
    is_cached: bool = False


@dataclass(eq=False)
class ToolRunActivity(Activity):
    """A tool runs: in a thread of this process, or in a worker process; inside of its step.

    Args:
        tool: what runs.
        headers: what :meth:`Instrument.headers` gave in the process that made the call.
    """

    tool: Tool
    headers: Mapping[str, str]
