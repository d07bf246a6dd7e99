"""The thread executor: runs tools in this process without blocking the event loop."""

from __future__ import annotations

import asyncio
import inspect
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from promptvision.errors import ToolFailed
from promptvision.runtime.context import CallContext
from promptvision.tools.tool import Args, Result, Tool

__all__ = ["ThreadExecutor"]

_NOT_PROPAGATED = (StopIteration, SystemExit)
"""Exceptions that must not propagate through an event loop; they become ToolFailed."""


class ThreadExecutor:
    """Runs each tool call in a thread of a small pool, and coroutine functions on the event loop.

    Args:
        workers: maximum number of threads; default: one per core, at least two, so that one slow call does
            not block all others.
    """

    def __init__(self, workers: int | None = None) -> None:
        count = workers or max(2, os.cpu_count() or 2)
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="promptvision-tool")

    async def execute(self, tool: Tool, args: Args, context: CallContext) -> Result:
        """Run the tool; its exceptions propagate unchanged."""
        if tool.is_async:
            return await run_async_tool(tool, args, context)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, run_tool, tool, args, context)

    async def close(self) -> None:
        """Accept no more calls; running calls end by themselves."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def run_tool(tool: Tool, args: Args, context: CallContext) -> Result:
    """Run a tool in this thread and check that it returns what it declares."""
    try:
        with context:
            result = tool.load()(args, context)
            if inspect.iscoroutine(result):  # the function is named by a string, so this is known only now
                result = asyncio.run(result)
    except _NOT_PROPAGATED as exc:
        raise _failure(tool, exc) from exc
    return _checked(tool, result)


async def run_async_tool(tool: Tool, args: Args, context: CallContext) -> Result:
    """Run a tool on this event loop and check that it returns what it declares."""
    try:
        with context:
            result = await tool.load()(args, context)
    except _NOT_PROPAGATED as exc:
        raise _failure(tool, exc) from exc
    return _checked(tool, result)


def _failure(tool: Tool, exc: BaseException) -> ToolFailed:
    return ToolFailed(f"{tool.plugin}: tool {tool.name!r}: {type(exc).__name__}: {exc}")


def _checked(tool: Tool, result: Any) -> Result:
    if not isinstance(result, tool.result):
        raise ToolFailed(
            f"{tool.plugin}: tool {tool.name!r} returned {type(result).__name__}, not "
            f"{tool.result.__name__}; report it to the plugin's author"
        )
    return result
