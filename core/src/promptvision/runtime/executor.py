"""The executor protocol: where a tool runs."""

from __future__ import annotations

from typing import Protocol

from promptvision.runtime.context import CallContext
from promptvision.tools.tool import Args, Result, Tool

__all__ = ["Executor"]


class Executor(Protocol):
    """Runs tools off the event loop. Cancellation goes through the context, not through the executor."""

    async def execute(self, tool: Tool, args: Args, context: CallContext) -> Result:
        """Run the tool inside ``with context``; its exceptions are raised unchanged."""

    async def close(self) -> None:
        """Wait for running calls and release threads."""
