"""The Ray executor: runs tools in the worker actors of a Ray cluster."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from promptvision.plugin import SetupError, ThreadExecutor
from promptvision_ray.scheduler import Scheduler

if TYPE_CHECKING:
    from promptvision.plugin import Call, CallOutput, CancelToken, Progress, Worker

__all__ = ["RayExecutor"]

T = TypeVar("T")

APPLICATION = "app"
"""Plugin name of tools that an application passes as objects; other processes cannot import them."""


class RayExecutor:
    """Runs each call in an actor; tools of the application itself run in threads.

    All communication with Ray runs on an event loop in a separate thread, which is started by the first call:
    Ray's functions may block, and a call continues until its actor has ended, even if its task was cancelled.

    Args:
        worker: the settings and the image store that actors share with this process.

    Raises:
        SetupError: other processes cannot read the image store.
    """

    def __init__(self, worker: Worker) -> None:
        if not worker.images.store.blocking:
            raise SetupError(
                "executor 'ray': actors cannot read an image store in memory",
                hint="set PROMPTVISION_IMAGES to a store that all nodes share, such as s3://bucket, or "
                "PROMPTVISION_EXECUTOR to threads",
            )
        self._local = ThreadExecutor(worker)
        self._scheduler = Scheduler(worker)
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._is_closed = False

    async def execute(
        self, call: Call, *, cancel: CancelToken, on_progress: Progress | None = None
    ) -> CallOutput:
        """Run a call in an actor.

        Raises:
            WorkerLost: the actor or its node ended during the call.
            SetupError: the cluster cannot be used.
            Exception: the tool's error, converted by :meth:`promptvision.runtime.failure.Failure.to_error`.
        """
        if call.tool.plugin == APPLICATION:
            return await self._local.execute(call, cancel=cancel, on_progress=on_progress)
        running = self._submit(self._scheduler.execute(call, cancel, on_progress))
        waiting = asyncio.wrap_future(running)
        waiting.add_done_callback(lambda ended: ended.cancelled() or ended.exception())  # it was read
        return await asyncio.shield(waiting)

    async def close(self) -> None:
        """End the actors, and the local cluster if there is one."""
        await self._local.close()
        with self._lock:
            self._is_closed = True
            loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            return
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._scheduler.close(), loop))
        loop.call_soon_threadsafe(loop.stop)
        await asyncio.to_thread(thread.join)

    def _submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        with self._lock:
            if self._is_closed:
                work.close()
                raise RuntimeError("the executor takes no calls after its shutdown")
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=_run_loop, args=(self._loop,), name="promptvision-ray", daemon=True
                )
                self._thread.start()
            return asyncio.run_coroutine_threadsafe(work, self._loop)


def _run_loop(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()
