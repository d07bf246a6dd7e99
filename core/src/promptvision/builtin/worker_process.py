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
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from promptvision.errors import NotFound, SetupError, StoreError
from promptvision.images.memory import trim_heap
from promptvision.instruments import instrument_store
from promptvision.models.pool import ModelPool
from promptvision.plugins.registry import Registry
from promptvision.runtime.call import PROTOCOL, Call, CallData
from promptvision.runtime.cancellation import CancelToken
from promptvision.runtime.failure import Failure
from promptvision.runtime.wire import read_message, write_message
from promptvision.runtime.worker import Worker
from promptvision.settings import Settings

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
        worker = _make_worker(start, channel)
    except BaseException as exc:  # noqa: BLE001  # whatever a plugin raises is data for the other side
        channel.send({"type": "failed", "failure": Failure.of(exc).model_dump(mode="json")})
        return
    tools = {name: [tool.plugin, tool.version] for name, tool in worker.tools.items()}
    channel.send({"type": "ready", "protocol": PROTOCOL, "tools": tools})
    _Service(worker, calls, channel).serve()


class _Channel:
    """Writes messages; safe across threads."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._lock = threading.Lock()

    def send(self, message: dict[str, Any]) -> None:
        with self._lock:
            write_message(self._file, message)


class _LogHandler(logging.Handler):
    """Sends log lines to the parent process."""

    def __init__(self, channel: _Channel) -> None:
        super().__init__()
        self._channel = channel

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = self.format(record)[:20_000]
            self._channel.send({"type": "log", "name": record.name, "level": record.levelno, "text": text})
        except Exception:  # noqa: BLE001  # as the logging module has it: a log line breaks nothing
            self.handleError(record)


class _Service:
    """Runs calls in this thread while another one reads, so that a cancellation arrives during a call."""

    def __init__(self, worker: Worker, calls: IO[bytes], channel: _Channel) -> None:
        self._worker = worker
        self._file = calls
        self._channel = channel
        self._calls: queue.SimpleQueue[tuple[dict[str, Any], CancelToken]] = queue.SimpleQueue()

    def serve(self) -> None:
        threading.Thread(target=self._read, name="promptvision-calls", daemon=True).start()
        while True:
            self._channel.send(self._answer(*self._next_call()))

    def _next_call(self) -> tuple[dict[str, Any], CancelToken]:
        try:
            return self._calls.get(timeout=_IDLE_S)
        except queue.Empty:
            trim_heap()
            return self._calls.get()

    def _read(self) -> None:
        """Read until stdin is closed, then end the process whatever it does."""
        token = CancelToken()
        try:
            while True:
                message = read_message(self._file)
                if message["type"] == "cancel":
                    token.cancel(message["reason"])
                else:
                    token = CancelToken()
                    self._calls.put((message["call"], token))
        except (EOFError, OSError, ValueError, KeyError):
            self._worker.instruments.close()
            os._exit(0)

    def _answer(self, call: dict[str, Any], cancel: CancelToken) -> dict[str, Any]:
        worker = self._worker
        try:
            data = Call.from_data(CallData.model_validate(call), worker.tools, worker.settings_digest)
            output = worker.run(data, cancel=cancel, on_progress=self._report)
            return {"type": "done", "output": output.to_data().model_dump(mode="json")}
        except BaseException as exc:  # noqa: BLE001  # whatever a tool raises is data for the other side
            return {"type": "failed", "failure": Failure.of(exc).model_dump(mode="json")}

    def _report(self, done: float, total: float, message: str) -> None:
        self._channel.send({"type": "progress", "done": done, "total": total, "message": message})


def _make_worker(start: dict[str, Any], channel: _Channel) -> Worker:
    if start["protocol"] != PROTOCOL:
        raise SetupError(
            f"worker process: it speaks version {PROTOCOL} of the call protocol, not {start['protocol']}",
            hint="install the same version of promptvision in its environment",
        )
    sys.path[:] = start["path"] or sys.path
    logging.basicConfig(level=start["log_level"], handlers=[_LogHandler(channel)])
    settings = Settings.from_mapping(start["settings"])
    _limit_memory(settings.worker_memory)
    registry = Registry.load(settings)
    instruments = registry.make_instruments()
    store = instrument_store(registry.make_image_store(), "images", instruments)
    try:
        store.stat(start["probe"])
    except (NotFound, StoreError) as exc:
        raise SetupError(
            f"worker process: it cannot read the images of the server: {exc}",
            hint="set PROMPTVISION_IMAGES to a store that both can read",
        ) from exc
    pool = ModelPool(registry.models, settings, instruments=instruments)
    return Worker(settings, store, pool, registry.tools_by_name(), instruments)


def _limit_memory(limit: int | None) -> None:
    """Limit the memory of this process; when memory runs out, the kernel kills it before the server."""
    with suppress(OSError):  # not Linux, or not allowed
        Path("/proc/self/oom_score_adj").write_text("500")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if limit is not None:
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


if __name__ == "__main__":
    main()
