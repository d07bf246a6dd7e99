"""Combine several executors: the settings choose one for each tool or plugin."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from promptvision.runtime.call import Call, CallOutput
from promptvision.runtime.cancellation import CancelToken
from promptvision.runtime.context import Progress
from promptvision.runtime.executor import Executor

__all__ = ["MixedExecutor"]


class MixedExecutor:
    """Passes each call to the executor of its tool, else of its plugin, else the default.

    Args:
        default: runs all other calls.
        routes: tool or plugin name to its executor.
    """

    def __init__(self, default: Executor, routes: Mapping[str, Executor]) -> None:
        self._default = default
        self._routes = routes

    def executor_of(self, call: Call) -> Executor:
        """The executor of a call."""
        routes, tool = self._routes, call.tool
        return routes.get(tool.name) or routes.get(tool.plugin) or self._default

    async def execute(
        self, call: Call, *, cancel: CancelToken, on_progress: Progress | None = None
    ) -> CallOutput:
        """Run a call on its executor."""
        return await self.executor_of(call).execute(call, cancel=cancel, on_progress=on_progress)

    async def close(self) -> None:
        """Close every executor."""
        every = {id(executor): executor for executor in (self._default, *self._routes.values())}
        await asyncio.gather(*(executor.close() for executor in every.values()))
