"""The thread executor: runs tools in this process without blocking the event loop."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from promptvision.runtime.call import Call, CallOutput
from promptvision.runtime.cancellation import CancelToken
from promptvision.runtime.context import Progress
from promptvision.runtime.worker import CallItem, Worker, group_of

__all__ = ["ThreadExecutor"]


class ThreadExecutor:
    """Runs each tool call in a thread of a small pool, and coroutine functions on the event loop.

    Calls wait for a free thread in the queue of the worker. Those of a tool with a batch also wait while an
    equal one runs, and then run together.

    Args:
        worker: runs the calls.
        threads: maximum number of threads; default: one per core, at least two, so that one slow call does
            not block all others.
    """

    def __init__(self, worker: Worker, threads: int | None = None) -> None:
        count = threads or max(2, os.cpu_count() or 2)
        self._worker = worker
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="promptvision-tool")
        self._lane = worker.queue.lane(count)

    async def execute(
        self, call: Call, *, cancel: CancelToken, on_progress: Progress | None = None
    ) -> CallOutput:
        """Run a call; exceptions of the tool propagate unchanged."""
        if call.tool.is_async:
            return await self._worker.run_async(call, cancel=cancel, on_progress=on_progress)
        if (group := group_of(call, self._worker.run_together)) is not None:
            item = CallItem(call=call, cancel=cancel, on_progress=on_progress)
            return await self._lane.run_together(self._threads, group, item, call.user, cancel)
        run = partial(self._worker.run, call, cancel=cancel, on_progress=on_progress)
        return await self._lane.run(self._threads, run, call.user, cancel)

    async def close(self) -> None:
        """Accept no more calls; running calls end by themselves."""
        self._lane.close()
        self._threads.shutdown(wait=False, cancel_futures=True)
