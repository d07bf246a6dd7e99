"""An event loop in a separate thread, for callers that have no event loop or must not block theirs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

__all__ = ["LoopThread"]

T = TypeVar("T")


class LoopThread:
    """Runs coroutines from any thread on one event loop. The thread starts with the first coroutine."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def is_running(self) -> bool:
        """Whether the thread has been started and not closed."""
        return self._loop is not None

    def run(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run a coroutine on the loop and wait for its result.

        An exception in the waiting thread, such as KeyboardInterrupt, cancels the coroutine.

        Args:
            work: makes the coroutine.

        Raises:
            RuntimeError: called from the loop thread itself, which would deadlock.
        """
        if threading.current_thread() is self._thread:
            raise RuntimeError(
                "a blocking call on the agent's own event loop; await the async method instead"
            )
        future = self.submit(work)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def submit(self, work: Callable[[], Coroutine[Any, Any, T]]) -> Future[T]:
        """Start a coroutine on the loop.

        Args:
            work: makes the coroutine.
        """
        with self._lock:
            loop = self._loop or self._start()
            return asyncio.run_coroutine_threadsafe(work(), loop)

    def close(self) -> None:
        """Cancel the tasks of the loop and end the thread; a later call starts a new one."""
        with self._lock:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None:
            return
        loop.call_soon_threadsafe(loop.stop)
        if thread is not threading.current_thread():
            thread.join()

    def _start(self) -> asyncio.AbstractEventLoop:
        runner = asyncio.Runner()
        loop = runner.get_loop()
        self._thread = threading.Thread(target=_serve, args=(runner, loop), name=self._name, daemon=True)
        self._thread.start()
        self._loop = loop
        return loop


def _serve(runner: asyncio.Runner, loop: asyncio.AbstractEventLoop) -> None:
    with runner:  # cancels the tasks that are left and closes the loop
        loop.run_forever()
