"""The messages between an executor and its worker processes, and what both sides do with them."""

from __future__ import annotations

import base64
import logging
import sys
from collections.abc import Callable, Sequence
from typing import Any, Self

from pydantic import BaseModel, ConfigDict

from promptvision.errors import Cancelled, NotFound, SetupError, StoreError, ToolFailed
from promptvision.images.store import image_id_of
from promptvision.instruments import instrument_store
from promptvision.models.pool import ModelPool
from promptvision.plugins.registry import Registry
from promptvision.runtime.call import PROTOCOL, Call, CallData, CallOutput, OutputData
from promptvision.runtime.cancellation import CancelToken
from promptvision.runtime.failure import Failure
from promptvision.runtime.worker import Worker
from promptvision.settings import Settings

__all__ = ["LogSender", "Message", "WorkerStart", "answer_call", "failure_message", "pass_on", "read_answer"]

log = logging.getLogger(__name__)

Message = dict[str, Any]
"""A JSON object with the key ``type``."""

PROBE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNgAAAAAgAB5Sfe/AAAAABJRU5ErkJggg=="
)
"""A PNG of one pixel. A worker process that finds it in its image store shares the store with the server."""

_MAX_LOG_TEXT = 20_000


class WorkerStart(BaseModel):
    """What another process needs to build its worker.

    Args:
        protocol: :data:`PROTOCOL` of the sender.
        settings: variable names and values.
        path: ``sys.path`` of the process; empty: unchanged.
        log_level: level below which log lines are not sent.
        probe: id of an image that the sender has stored.
    """

    model_config = ConfigDict(frozen=True)

    protocol: int = PROTOCOL
    settings: dict[str, Any]
    path: tuple[str, ...] = ()
    log_level: int
    probe: str

    @classmethod
    def of(cls, worker: Worker, path: Sequence[str] = ()) -> Self:
        """The start message for processes with the settings of a worker. May wait for the image store.

        Raises:
            StoreError: the image store failed.
        """
        worker.images.store.put(PROBE, "image/png")
        return cls(
            settings=worker.settings.variables(),
            path=tuple(path),
            log_level=logging.getLogger().getEffectiveLevel(),
            probe=image_id_of(PROBE),
        )

    def make_worker(self) -> Worker:
        """Build the worker of this process.

        Raises:
            SetupError: this process has another version, or cannot read the images of the sender.
        """
        if self.protocol != PROTOCOL:
            raise SetupError(
                f"worker process: it speaks version {PROTOCOL} of the call protocol, not {self.protocol}",
                hint="install the same version of promptvision in its environment",
            )
        sys.path[:] = self.path or sys.path
        settings = Settings.from_mapping(self.settings)
        registry = Registry.load(settings)
        instruments = registry.make_instruments()
        store = instrument_store(registry.make_image_store(), "images", instruments)
        try:
            store.stat(self.probe)
        except (NotFound, StoreError) as exc:
            raise SetupError(
                f"worker process: it cannot read the images of the server: {exc}",
                hint="set PROMPTVISION_IMAGES to a store that both can read",
            ) from exc
        pool = ModelPool(registry.models, settings, instruments=instruments)
        return Worker(settings, store, pool, registry.tools_by_name(), instruments)


class LogSender(logging.Handler):
    """Sends the log lines of a worker process as messages.

    Args:
        send: called with each message.
    """

    def __init__(self, send: Callable[[Message], None]) -> None:
        super().__init__()
        self._send = send

    def emit(self, record: logging.LogRecord) -> None:
        """Send one log line."""
        try:
            text = self.format(record)[:_MAX_LOG_TEXT]
            self._send({"type": "log", "name": record.name, "level": record.levelno, "text": text})
        except Exception:  # noqa: BLE001  # as in the logging module: a log line breaks nothing
            self.handleError(record)


def failure_message(error: BaseException) -> Message:
    """The message of an error."""
    return {"type": "failed", "failure": Failure.of(error).model_dump(mode="json")}


def answer_call(
    worker: Worker, call: dict[str, Any], cancel: CancelToken, send: Callable[[Message], None]
) -> Message:
    """Run a call in this thread and return the message of its output or of its error.

    Args:
        worker: runs the call.
        call: a :class:`CallData` as JSON.
        cancel: polled by the tool.
        send: called with the messages of the tool's progress.
    """

    def report(done: float, total: float, message: str) -> None:
        send({"type": "progress", "done": done, "total": total, "message": message})

    try:
        data = Call.from_data(CallData.model_validate(call), worker.tools, worker.settings_digest)
        output = worker.run(data, cancel=cancel, on_progress=report)
        return {"type": "done", "output": output.to_data().model_dump(mode="json")}
    except BaseException as exc:  # noqa: BLE001  # whatever a tool raises is data for the other side
        return failure_message(exc)


def pass_on(message: Message, on_progress: Callable[[float, float, str], None] | None) -> bool:
    """Pass on a progress or log message; return whether it was one.

    Args:
        message: what a worker process sent.
        on_progress: called with progress.
    """
    if message["type"] == "progress":
        if on_progress is not None:
            on_progress(message["done"], message["total"], message["message"])
        return True
    if message["type"] == "log":
        logging.getLogger(message["name"]).log(message["level"], "%s", message["text"])
        return True
    return False


def read_answer(message: Message, call: Call) -> CallOutput:
    """The output in the last message of a call.

    Raises:
        Exception: the error of the tool, converted by :meth:`Failure.to_error`.
    """
    if message["type"] == "done":
        return CallOutput.from_data(OutputData.model_validate(message["output"]), call.tool)
    failure = Failure.model_validate(message["failure"])
    error = failure.to_error(call.label)
    if not isinstance(error, (ToolFailed, Cancelled)):
        log.debug("%s: %s", call.label, failure.traceback)
    raise error
