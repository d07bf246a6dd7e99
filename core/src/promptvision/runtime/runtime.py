"""Run one tool call: result cache, executor, time limit."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import NamedTuple

from promptvision.errors import Cancelled, NotFound, StoreError, ToolFailed
from promptvision.runtime.activity import StepActivity
from promptvision.runtime.cache import ResultCache, call_digest
from promptvision.runtime.call import Call, CallOutput
from promptvision.runtime.cancellation import CancelToken
from promptvision.runtime.context import Progress, SavedImage
from promptvision.runtime.executor import Executor
from promptvision.runtime.worker import Worker
from promptvision.tools.artifacts import image_fields
from promptvision.tools.tool import Args, Result, Tool

__all__ = ["CallResult", "Runtime"]

GRACE_S = 0.3
"""How long a timed-out call may take to reach its next check point before it is abandoned."""


class CallResult(NamedTuple):
    """The result of a call.

    Args:
        result: the tool's result model.
        saved: images it made, in order.
        seconds: wall-clock time.
        cached: whether it comes from an earlier equal call.
        models: ids of the models that it used.
        notes: how it ran, such as on which device and why.
    """

    result: Result
    saved: tuple[SavedImage, ...]
    seconds: float
    cached: bool
    models: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Runtime:
    """Runs tool calls with the shared parts of a process.

    Args:
        worker: the settings, images and models of this process.
        executor: runs the tools.
    """

    def __init__(self, worker: Worker, executor: Executor) -> None:
        self.settings = worker.settings
        self.images = worker.images
        self.pool = worker.pool
        self.stages = worker.stages
        self.queue = worker.queue
        self.executor = executor
        self._instruments = worker.instruments
        self._cache = ResultCache(limit_bytes=worker.settings.cache_memory // 8)

    async def execute(
        self,
        tool: Tool,
        args: Args,
        *,
        cancel: CancelToken,
        timeout_s: float,
        on_progress: Progress | None = None,
        user: str = "",
    ) -> CallResult:
        """Run a tool, or return the result of an equal call.

        Args:
            tool: the tool to run.
            args: its arguments.
            cancel: passed on to the tool.
            timeout_s: how long the call may take, waiting included.
            on_progress: called with the progress of the tool.
            user: whose step it is; steps of different users take turns.

        Raises:
            CallError: the tool failed, or took longer than ``timeout_s`` or the setting ``call_timeout_s``.
            Cancelled: cancellation was requested.
        """
        with self._instruments.around(StepActivity, tool, args) as activity:
            started = time.monotonic()
            digest = call_digest(tool, args)
            output = self._cache.get(digest) if tool.cacheable else None
            is_cached = output is not None and await asyncio.to_thread(self._is_stored, output)
            if output is None or not is_cached:
                call = self._call(tool, args, digest, started + timeout_s, user)
                output = await self._run(call, cancel, timeout_s, on_progress)
                if tool.cacheable and not output.is_degraded:
                    self._cache.put(digest, output)
            if activity is not None:
                activity.result, activity.is_cached = output.result, is_cached
        seconds = time.monotonic() - started
        return CallResult(output.result, output.saved, seconds, is_cached, output.models, output.notes)

    def _call(self, tool: Tool, args: Args, digest: str, deadline: float, user: str) -> Call:
        values = vars(args)
        seed = values.get("seed")
        images = [values[name].id for name in image_fields(tool.args) if values[name] is not None]
        return Call(
            tool=tool,
            args=args,
            seed=int(digest[:8], 16) if seed is None else seed,
            parent=images[0] if images else None,
            deadline=deadline,
            limit_s=self.settings.call_timeout_s,
            headers=self._instruments.headers(),
            user=user,
        )

    async def _run(
        self, call: Call, cancel: CancelToken, timeout_s: float, on_progress: Progress | None
    ) -> CallOutput:
        """The tool's output. A timed-out tool is cancelled, and abandoned shortly after."""
        loop = asyncio.get_running_loop()
        limit = asyncio.Timeout(None)

        def time_is_up() -> None:
            cancel.cancel("the time limit of the turn is reached")
            _end(limit, loop.time() + GRACE_S)

        asking = loop.call_later(timeout_s, time_is_up)
        try:
            async with limit:
                if not call.tool.is_async:
                    return await self.executor.execute(call, cancel=cancel, on_progress=on_progress)
                # Cancellation is delivered at the next await, whatever the tool waits for.
                with cancel.waking(lambda: loop.call_soon_threadsafe(_end, limit, loop.time())):
                    return await self.executor.execute(call, cancel=cancel, on_progress=on_progress)
        except asyncio.CancelledError:
            cancel.cancel()
            raise
        except (TimeoutError, Cancelled) as exc:
            if loop.time() < asking.when():
                cancel.check()
                raise
            raise ToolFailed(f"{call.label} took longer than {timeout_s:.0f} s") from exc
        finally:
            asking.cancel()

    def _is_stored(self, known: CallOutput) -> bool:
        try:
            for image in known.saved:
                self.images.store.stat(image.id)
        except (NotFound, StoreError):
            return False
        return True


def _end(limit: asyncio.Timeout, when: float) -> None:
    with suppress(RuntimeError):  # the limited task has already ended
        limit.reschedule(when)
