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
from promptvision.runtime.context import Progress
from promptvision.runtime.failure import Failure
from promptvision.runtime.worker import CallItem, Worker
from promptvision.settings import Settings

__all__ = [
    "LogSender",
    "Message",
    "WorkerStart",
    "answer_call",
    "answer_calls",
    "failure_message",
    "pass_on",
    "read_answer",
]

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
    (answer,) = answer_calls(worker, [call], [cancel], send)
    return answer


def answer_calls(
    worker: Worker,
    calls: Sequence[dict[str, Any]],
    cancels: Sequence[CancelToken],
    send: Callable[[Message], None],
) -> list[Message]:
    """Run calls of one tool together in this thread; otherwise as :func:`answer_call`.

    Args:
        worker: runs the calls.
        calls: as JSON.
        cancels: of each call.
        send: called with the messages of the tool's progress; ``index`` is that of the call.
    """
    answers: list[Message] = [{} for _ in calls]
    items: dict[int, CallItem] = {}
    for index, (data, cancel) in enumerate(zip(calls, cancels, strict=True)):
        try:
            call = Call.from_data(CallData.model_validate(data), worker.tools, worker.settings_digest)
        except Exception as exc:  # noqa: BLE001  # whatever is wrong with a call is data for the other side
            answers[index] = failure_message(exc)
        else:
            items[index] = CallItem(call=call, cancel=cancel, on_progress=_reporter(index, send))
    for index, outcome in zip(items, worker.run_together(list(items.values())), strict=True):
        answers[index] = _answer(outcome)
    return answers


def _reporter(index: int, send: Callable[[Message], None]) -> Progress:
    def report(done: float, total: float, message: str) -> None:
        send({"type": "progress", "index": index, "done": done, "total": total, "message": message})

    return report


def _answer(outcome: CallOutput | BaseException) -> Message:
    if isinstance(outcome, BaseException):
        return failure_message(outcome)
    try:
        return {"type": "done", "output": outcome.to_data().model_dump(mode="json")}
    except Exception as exc:  # noqa: BLE001  # a result that is not JSON is the tool's mistake
        return failure_message(exc)


def pass_on(message: Message, *on_progress: Callable[[float, float, str], None] | None) -> bool:
    """Pass on a progress or log message; return whether it was one.

    Args:
        message: what a worker process sent.
        on_progress: called with the progress of each call that runs there.
    """
    if message["type"] == "progress":
        report = on_progress[message.get("index", 0)]
        if report is not None:
            report(message["done"], message["total"], message["message"])
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
