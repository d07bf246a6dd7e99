"""The thread executor: tools run in this process, off the event loop."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor

from promptvision.errors import ToolFailed
from promptvision.runtime.context import CallContext
from promptvision.tools.tool import Args, Result, Tool

__all__ = ["ThreadExecutor"]


class ThreadExecutor:
    """Runs each tool call in a thread of a small pool.

    Args:
        workers: threads at most; default: one per core, at least two so that one slow call does not stop all.
    """

    def __init__(self, workers: int | None = None) -> None:
        count = workers or max(2, os.cpu_count() or 2)
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="promptvision-tool")

    async def execute(self, tool: Tool, args: Args, context: CallContext) -> Result:
        """Run the tool; whatever it raises comes out unchanged."""
        return await asyncio.wrap_future(self._threads.submit(run_tool, tool, args, context))

    async def close(self) -> None:
        """Take no more calls; running ones end by themselves."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def run_tool(tool: Tool, args: Args, context: CallContext) -> Result:
    """Run a tool in this thread and check that it returns what it declares.

    ``StopIteration`` and ``SystemExit`` become ToolFailed: neither can pass an event loop.
    """
    try:
        with context:
            result = tool.load()(args, context)
    except (StopIteration, SystemExit) as exc:
        raise ToolFailed(f"{tool.plugin}: tool {tool.name!r}: {type(exc).__name__}: {exc}") from exc
    if not isinstance(result, tool.result):
        raise ToolFailed(
            f"{tool.plugin}: tool {tool.name!r} returned {type(result).__name__}, not "
            f"{tool.result.__name__}; report it to the plugin's author"
        )
    return result
