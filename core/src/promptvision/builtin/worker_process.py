"""The program of a worker process: reads calls from stdin, runs them, and writes results to stdout.

The first message has the settings; everything else is built here: plugins, image store, models. The process
ends when stdin is closed, so it never outlives its parent. Started by
:mod:`promptvision.builtin.worker_handle`.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import queue
import resource
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from promptvision.builtin.worker_messages import (
    LogSender,
    Message,
    WorkerStart,
    answer_calls,
    failure_message,
)
from promptvision.images.memory import trim_heap
from promptvision.runtime.call import PROTOCOL
from promptvision.runtime.cancellation import CancelToken
from promptvision.runtime.wire import read_message, write_message
from promptvision.runtime.worker import Worker

__all__ = ["main"]

_IDLE_S = 1.0
"""A worker that waits longer for its next call returns its free memory to the system."""


def main() -> None:
    """Serve until stdin is closed."""
    calls, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # printed text must not be mistaken for a message
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    faulthandler.enable()
    try:
        start = read_message(calls)
    except EOFError:
        return
    channel = _Channel(answers)
    try:
        worker = _make_worker(WorkerStart.model_validate(start), channel)
    except BaseException as exc:  # noqa: BLE001  # whatever a plugin raises is data for the other side
        channel.send(failure_message(exc))
        return
    tools = {name: [tool.plugin, tool.version] for name, tool in worker.tools.items()}
    channel.send({"type": "ready", "protocol": PROTOCOL, "tools": tools})
    _Service(worker, calls, channel).serve()


class _Channel:
    """Writes messages; safe across threads."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._lock = threading.Lock()

    def send(self, message: Message) -> None:
        with self._lock:
            write_message(self._file, message)


_Calls = tuple[list[dict[str, Any]], list[CancelToken]]


class _Service:
    """Runs calls in this thread while another one reads, so that a cancellation arrives during a call."""

    def __init__(self, worker: Worker, calls: IO[bytes], channel: _Channel) -> None:
        self._worker = worker
        self._file = calls
        self._channel = channel
        self._calls: queue.SimpleQueue[_Calls] = queue.SimpleQueue()

    def serve(self) -> None:
        threading.Thread(target=self._read, name="promptvision-calls", daemon=True).start()
        while True:
            calls, cancels = self._next_calls()
            self._channel.send({"type": "begun"})  # from here on no other process may run the calls
            answers = answer_calls(self._worker, calls, cancels, self._channel.send)
            self._channel.send(answers[0] if len(answers) == 1 else {"type": "all", "answers": answers})

    def _next_calls(self) -> _Calls:
        try:
            return self._calls.get(timeout=_IDLE_S)
        except queue.Empty:
            trim_heap()
            self._worker.stages.flush()
            return self._calls.get()

    def _read(self) -> None:
        """Read until stdin is closed, then end the process whatever it does."""
        tokens = [CancelToken()]
        try:
            while True:
                message = read_message(self._file)
                if message["type"] == "cancel":
                    tokens[message.get("index", 0)].cancel(message["reason"])
                else:
                    calls = message["calls"] if message["type"] == "calls" else [message["call"]]
                    tokens = [CancelToken() for _ in calls]
                    self._calls.put((calls, tokens))
        except (EOFError, OSError, ValueError, LookupError):
            self._worker.stages.close()
            self._worker.instruments.close()
            os._exit(0)


def _make_worker(start: WorkerStart, channel: _Channel) -> Worker:
    logging.basicConfig(level=start.log_level, handlers=[LogSender(channel.send)])
    limit = start.settings.get("PROMPTVISION_WORKER_MEMORY")
    _limit_memory(None if limit is None else int(limit))
    return start.make_worker()


def _limit_memory(limit: int | None) -> None:
    """Limit the memory of this process; when memory runs out, the kernel kills it before the server."""
    with suppress(OSError):  # not Linux, or not allowed
        Path("/proc/self/oom_score_adj").write_text("500")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if limit is not None:
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


if __name__ == "__main__":
    main()
