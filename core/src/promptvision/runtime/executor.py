"""The executor protocol: where a tool runs."""

from __future__ import annotations

from typing import Protocol

from promptvision.runtime.call import Call, CallOutput
from promptvision.runtime.cancellation import CancelToken
from promptvision.runtime.context import Progress

__all__ = ["Executor"]


class Executor(Protocol):
    """Runs calls off the event loop."""

    async def execute(
        self, call: Call, *, cancel: CancelToken, on_progress: Progress | None = None
    ) -> CallOutput:
        """Run a call.

        Args:
            call: the call to run.
            cancel: the executor forwards a cancellation to the running tool.
            on_progress: called with the progress of the tool, from any thread.

        Raises:
            Exception: any exception of the tool.
        """

    async def close(self) -> None:
        """Accept no more calls, and release threads and processes."""
