"""The process executor: runs tools in worker processes, so that a crash costs one call and not the server."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

from promptvision.builtin.threads import ThreadExecutor
from promptvision.builtin.worker_handle import CallNotBegun, WorkerHandle
from promptvision.errors import DeviceLost, PromptvisionError, SetupError, WorkerLost
from promptvision.plugins.factories import APPLICATION
from promptvision.runtime.call import Call, CallOutput
from promptvision.runtime.cancellation import CancelToken
from promptvision.runtime.context import Progress
from promptvision.runtime.worker import CallItem, Worker, group_of

__all__ = ["ProcessExecutor"]

log = logging.getLogger(__name__)

_UNUSABLE_AFTER = (DeviceLost, MemoryError)
"""Errors after which further calls in the same process may fail as well.

A heap that has grown to the limit of the process rarely shrinks, and then not even a thread can be started.
"""


class ProcessExecutor:
    """Runs each call in one of a few worker processes, which are started on demand and kept.

    Calls wait for a free process in the queue of the worker. Tools of the application itself run in threads.

    Args:
        worker: the settings and the image store that worker processes share with this process.
        count: maximum number of processes for each Python environment.

    Raises:
        SetupError: other processes cannot read the image store.
    """

    def __init__(self, worker: Worker, count: int) -> None:
        if not worker.images.store.blocking:
            raise SetupError(
                "executor 'processes': worker processes cannot read an image store in memory",
                hint="set PROMPTVISION_IMAGES to a store that they share, such as file:///path, or "
                "PROMPTVISION_EXECUTOR to threads",
            )
        self._worker = worker
        self._count = count
        self._local = ThreadExecutor(worker)
        self._pools: dict[str, _Pool] = {}

    async def execute(
        self, call: Call, *, cancel: CancelToken, on_progress: Progress | None = None
    ) -> CallOutput:
        """Run a call in a worker process.

        Raises:
            WorkerLost: the process ended during the call.
            DeviceLost: the process could no longer use its GPU, and is replaced.
            Exception: the tool's error, converted by :meth:`promptvision.runtime.failure.Failure.to_error`.
        """
        if call.tool.plugin == APPLICATION:
            return await self._local.execute(call, cancel=cancel, on_progress=on_progress)
        return await self._pool(call.tool.python).execute(call, cancel, on_progress)

    async def close(self) -> None:
        """End the worker processes."""
        await self._local.close()
        for pool in self._pools.values():
            await asyncio.to_thread(pool.close)

    def _pool(self, python: str) -> _Pool:
        if python not in self._pools:  # runs on the event loop; two loops create at most one extra pool
            self._pools.setdefault(python, _Pool(self._worker, self._count, python))
        return self._pools[python]


class _Pool:
    """The worker processes of one Python environment, each used by one thread at a time."""

    def __init__(self, worker: Worker, count: int, python: str) -> None:
        self._worker = worker
        self._python = python
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="promptvision-worker")
        self._lane = worker.queue.lane(count)
        self._lock = threading.Lock()
        self._idle: list[WorkerHandle] = []
        self._busy: set[WorkerHandle] = set()
        self._is_closed = False

    async def execute(self, call: Call, cancel: CancelToken, on_progress: Progress | None) -> CallOutput:
        item = CallItem(call=call, cancel=cancel, on_progress=on_progress)
        if (group := group_of(call, self._run_together)) is not None:
            return await self._lane.run_together(self._threads, group, item, call.user, cancel)
        return await self._lane.run(self._threads, partial(self._run, item), call.user, cancel)

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            handles = [*self._idle, *self._busy]
            self._idle = []
        for handle in handles:
            handle.close_input()
        for handle in handles:
            handle.wait()
        self._lane.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _run(self, item: CallItem) -> CallOutput:
        (outcome,) = self._run_together([item])
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def _run_together(self, items: Sequence[CallItem]) -> list[CallOutput | BaseException]:
        if len(items) == 1:
            items[0].cancel.check()
        try:
            return self._run_in(self._take(items[0].call.tool.name), items)
        except CallNotBegun:
            if self._is_closed:
                raise
            return self._run_in(self._start(), items)
        except WorkerLost:
            if len(items) == 1 or not items[0].call.tool.cacheable:
                raise
        return [self._outcome(item) for item in items]  # one of them broke the process

    def _outcome(self, item: CallItem) -> CallOutput | BaseException:
        try:
            return self._run(item)
        except Exception as exc:  # noqa: BLE001  # the error of one call
            return exc

    def _run_in(self, handle: WorkerHandle, items: Sequence[CallItem]) -> list[CallOutput | BaseException]:
        try:
            outcomes = _outcomes(handle, items)
            if any(isinstance(outcome, _UNUSABLE_AFTER) for outcome in outcomes):
                handle.kill()
            return [_replaced(one) if isinstance(one, DeviceLost) else one for one in outcomes]
        except WorkerLost as exc:
            log.warning("%s", exc)
            raise
        finally:
            self._put_back(handle)

    def _take(self, tool: str) -> WorkerHandle:
        """Return an idle process, preferably one that has run the tool before; else a new one."""
        with self._lock:
            for dead in [handle for handle in self._idle if not handle.is_alive]:
                self._idle.remove(dead)
                dead.kill()  # closes its pipes
            known = [handle for handle in self._idle if tool in handle.tools_run]
            handle = next(iter(known or self._idle), None)
            if handle is not None:
                self._idle.remove(handle)
                self._busy.add(handle)
        return handle or self._start()

    def _start(self) -> WorkerHandle:
        handle = WorkerHandle(self._worker, self._python)
        with self._lock:
            self._busy.add(handle)
        try:
            handle.wait_until_ready()
        except BaseException:
            with self._lock:
                self._busy.discard(handle)
            raise
        return handle

    def _put_back(self, handle: WorkerHandle) -> None:
        """Return the process to the pool; if it has ended, start another one in the background."""
        with self._lock:
            self._busy.discard(handle)
            if handle.is_alive and not self._is_closed:
                self._idle.append(handle)
                return
        handle.kill()
        if not self._is_closed:
            with suppress(RuntimeError):  # the pool is closed just now
                self._threads.submit(self._replace)

    def _replace(self) -> None:
        with self._lock:
            if self._idle or self._is_closed:
                return
        try:
            handle = self._start()
        except (PromptvisionError, OSError) as exc:
            log.warning("worker process: cannot be replaced now: %s", exc)
            return
        self._put_back(handle)


def _outcomes(handle: WorkerHandle, items: Sequence[CallItem]) -> list[CallOutput | BaseException]:
    if len(items) > 1:
        return handle.run_together(items)
    (item,) = items
    try:
        return [handle.run(item.call, cancel=item.cancel, on_progress=item.on_progress)]
    except _UNUSABLE_AFTER as exc:
        return [exc]


def _replaced(lost: DeviceLost) -> DeviceLost:
    replaced = lost.replaced("worker process")
    log.warning("%s", replaced)
    return replaced
