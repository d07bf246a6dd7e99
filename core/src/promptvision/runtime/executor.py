"""The executor protocol: where a tool runs."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol

from promptvision.runtime.context import CallContext
from promptvision.tools.tool import Args, Result, Tool

__all__ = ["Executor"]


class Executor(Protocol):
    """Runs tools off the event loop. Cancellation goes through the context, not through the executor."""

    def execute(self, tool: Tool, args: Args, context: CallContext) -> Awaitable[Result]:
        """Run the tool inside ``with context``; whatever it raises comes out unchanged.

        May be a coroutine function, or return a future, done already if that could be had at once.
        """

    async def close(self) -> None:
        """Let running calls end and give back threads."""
