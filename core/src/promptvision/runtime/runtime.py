"""Run one tool call: result cache, context, executor, time limit."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass

from promptvision.errors import Cancelled, NotFound, StoreError, ToolFailed
from promptvision.images.store import ImageStore
from promptvision.models.pool import ModelPool
from promptvision.runtime.cache import CachedResult, ResultCache, call_digest
from promptvision.runtime.cancellation import CancelToken
from promptvision.runtime.context import CallContext, Progress, SavedImage
from promptvision.runtime.executor import Executor
from promptvision.runtime.image_cache import ImageCache
from promptvision.settings import Settings
from promptvision.tools.artifacts import image_fields
from promptvision.tools.tool import Args, Result, Tool

__all__ = ["CallResult", "Runtime"]

GRACE_S = 0.3
"""How long a call that is out of time may take to reach its next check point before it is abandoned."""


@dataclass(frozen=True)
class CallResult:
    """What a call returned.

    Args:
        result: the tool's result model.
        saved: images it made, in order.
        seconds: wall-clock time.
        cached: whether it is the result of an earlier equal call.
    """

    result: Result
    saved: tuple[SavedImage, ...]
    seconds: float
    cached: bool


class Runtime:
    """Runs tool calls with the shared parts of a process.

    Args:
        settings: the settings in force.
        store: where images are.
        pool: where models are.
        executor: where tools run.
    """

    def __init__(self, settings: Settings, store: ImageStore, pool: ModelPool, executor: Executor) -> None:
        self.settings = settings
        self.images = ImageCache(store)
        self.pool = pool
        self.executor = executor
        self._cache = ResultCache()

    async def execute(
        self,
        tool: Tool,
        args: Args,
        *,
        cancel: CancelToken,
        timeout_s: float,
        on_progress: Progress | None = None,
    ) -> CallResult:
        """Run a tool, or return the result of an equal call.

        Raises:
            CallError: the tool could not do it, or took longer than ``timeout_s``.
            Cancelled: cancellation was requested.
        """
        started = time.monotonic()
        digest = call_digest(tool, args)
        known = self._cache.get(digest) if tool.cacheable else None
        if known is not None and await asyncio.to_thread(self._is_stored, known):
            return CallResult(known.result, known.saved, time.monotonic() - started, cached=True)
        context = self._context(tool, args, digest, cancel, started + timeout_s, on_progress)
        result = await self._run(tool, args, context, cancel, timeout_s)
        saved = tuple(context.saved)
        if tool.cacheable:
            self._cache.put(digest, CachedResult(result, saved))
        return CallResult(result, saved, time.monotonic() - started, cached=False)

    def _context(
        self,
        tool: Tool,
        args: Args,
        digest: str,
        cancel: CancelToken,
        deadline: float,
        on_progress: Progress | None,
    ) -> CallContext:
        parents = [getattr(args, name) for name in image_fields(tool.args)]
        seed = getattr(args, "seed", None)
        return CallContext(
            images=self.images,
            pool=self.pool,
            settings=self.settings,
            seed=int(digest[:8], 16) if seed is None else seed,
            parent=next((ref.id for ref in parents if ref is not None), None),
            cancel=cancel,
            deadline=deadline,
            on_progress=on_progress,
        )

    async def _run(
        self, tool: Tool, args: Args, context: CallContext, cancel: CancelToken, timeout_s: float
    ) -> Result:
        """The tool's result. A tool that is out of time is cancelled, and soon after that abandoned."""
        loop = asyncio.get_running_loop()
        limit = asyncio.timeout(None)

        def time_is_up() -> None:
            cancel.cancel("the time limit of the turn is reached")
            _end(limit, loop.time() + GRACE_S)

        asking = loop.call_later(timeout_s, time_is_up)
        try:
            async with limit:
                if not tool.is_async:
                    return await self.executor.execute(tool, args, context)
                # Cancellation is delivered at the next await, whatever the tool waits for.
                with cancel.waking(lambda: loop.call_soon_threadsafe(_end, limit, loop.time())):
                    return await self.executor.execute(tool, args, context)
        except asyncio.CancelledError:
            cancel.cancel()
            raise
        except (TimeoutError, Cancelled) as exc:
            if loop.time() < asking.when():
                cancel.check()
                raise
            message = f"{tool.plugin}: tool {tool.name!r} took longer than {timeout_s:.0f} s"
            raise ToolFailed(message) from exc
        finally:
            asking.cancel()

    def _is_stored(self, known: CachedResult) -> bool:
        try:
            for image in known.saved:
                self.images.store.stat(image.id)
        except (NotFound, StoreError):
            return False
        return True


def _end(limit: asyncio.Timeout, when: float) -> None:
    with suppress(RuntimeError):  # what it limits has ended meanwhile
        limit.reschedule(when)
