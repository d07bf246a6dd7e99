"""The worker actor: the program of a worker on a node of the cluster. Arguments and results are JSON."""

from __future__ import annotations

import json
import logging
import os
import queue
import socket
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from promptvision.plugin import CancelToken, LogSender, WorkerStart, answer_call, failure_message
from promptvision_ray.weights import prepare_tool

if TYPE_CHECKING:
    from promptvision.plugin import Worker

__all__ = ["CONTROL", "WorkerActor", "actor_class"]

CONTROL = "control"
"""The concurrency group of methods that answer while a tool runs."""

_PENDING_MESSAGES = 1_000


class WorkerActor:
    """Runs one call at a time with the worker of its process."""

    def __init__(self, group: str) -> None:
        self._group = group
        self._worker: Worker | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="promptvision-tool")
        self._messages: queue.Queue[dict[str, Any]] = queue.Queue(_PENDING_MESSAGES)
        self._cancel = CancelToken()
        self._call_id = ""
        self._tool = ""
        self._calls = 0
        self._forever = threading.Event()

    def start(self, text: str) -> str:
        """Build the worker.

        Args:
            text: a :class:`WorkerStart` as JSON.

        Returns:
            A message ``ready`` or ``failed``.
        """
        try:
            start = WorkerStart.model_validate_json(text)
            sys.path.extend(
                folder for folder in start.path if folder not in sys.path and Path(folder).is_dir()
            )
            logging.getLogger().addHandler(LogSender(self._send))
            logging.getLogger().setLevel(start.log_level)
            self._worker = start.model_copy(update={"path": ()}).make_worker()
        except BaseException as exc:  # noqa: BLE001  # whatever a plugin raises is data for the other side
            return json.dumps(failure_message(exc))
        return json.dumps({"type": "ready", "node": socket.gethostname(), "pid": os.getpid()})

    def run(self, call_id: str, text: str) -> Iterator[str]:
        """Run a call.

        Args:
            call_id: names it for :meth:`cancel`.
            text: the call as JSON.

        Yields:
            Messages: progress, log lines, and at the end ``done`` or ``failed``.
        """
        self._cancel, self._call_id = CancelToken(), call_id
        self._messages = queue.Queue(_PENDING_MESSAGES)
        self._thread.submit(self._answer, json.loads(text), self._cancel)
        while True:
            message = self._messages.get()
            yield json.dumps(message)
            if message["type"] in ("done", "failed"):
                return

    def cancel(self, call_id: str, reason: str) -> None:
        """Cancel the call that runs, if it is this one."""
        if call_id == self._call_id:
            self._cancel.cancel(reason)

    def describe(self) -> str:
        """The state of the actor."""
        loaded = [model.id for model in self._worker.pool.loaded()] if self._worker is not None else []
        about = {
            "group": self._group,
            "node": socket.gethostname(),
            "pid": os.getpid(),
            "calls": self._calls,
            "tool": self._tool,
            "models": loaded,
        }
        return json.dumps(about)

    def watch(self) -> None:
        """Never return: the caller gets an error when this process ends."""
        self._forever.wait()

    def _answer(self, call: dict[str, Any], cancel: CancelToken) -> None:
        worker = self._worker
        assert worker is not None  # calls are sent to actors that are ready
        self._tool = str(call["tool"])
        try:
            prepare_tool(worker, call, cancel, self._send)
            message = answer_call(worker, call, cancel, self._send)
        except BaseException as exc:  # noqa: BLE001  # as above
            message = failure_message(exc)
        message["models"] = [model.id for model in worker.pool.loaded()]
        self._calls += 1
        self._tool = ""
        self._send(message)

    def _send(self, message: dict[str, Any]) -> None:
        if message["type"] != "log":
            self._messages.put(message)  # waits while the caller reads too slowly
            return
        with suppress(queue.Full):  # no call is running, or there are too many lines
            self._messages.put_nowait(message)


def actor_class() -> Any:
    """The class as Ray's actor class. Imports Ray."""
    import ray

    make: Any = ray.remote  # its stubs do not know concurrency groups
    return make(concurrency_groups={CONTROL: 4}, max_restarts=0)(WorkerActor)
