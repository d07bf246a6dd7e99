"""The output folder of a batch: the results, and the log that says which images are done.

The log is the source of truth. A result is written under a temporary name, then logged, then renamed. After
a process was killed, the next one renames the results that were logged and removes the others, so each
result is complete and is made only once. Waiting for the disk happens in a thread of its own, in parallel
with the next images.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path, PurePath
from typing import IO, Any, Self

from promptvision.batches.plan import Plan
from promptvision.errors import InputError

__all__ = ["LOG_NAME", "BatchFolder"]

LOG_NAME = "batch.jsonl"
MAX_UNSAVED = 8
"""Results that may be written and not yet be on the disk; a further one waits."""
_PART = ".part"


class BatchFolder:
    """The folder that a batch writes to, for one process at a time. Methods may block and are thread-safe.

    Args:
        path: the folder.
        log: the open log.
        records: the records in the log.
    """

    def __init__(self, path: Path, log: IO[bytes], records: list[dict[str, Any]]) -> None:
        self.path = path
        self._log = log
        self._lock = threading.Lock()
        self._saver = ThreadPoolExecutor(1, thread_name_prefix="save")
        self._unsaved: deque[Future[None]] = deque()
        self.done = {record["image"]: record for record in records if record["event"] == "done"}
        """The records of images that are done, by path."""
        self.failures: dict[str, str] = {}
        """Why images have failed in this run, by path."""
        plans = [record["calls"] for record in records if record["event"] == "plan"]
        self.plan = Plan.from_stored(plans[-1]) if plans and plans[-1] is not None else None
        """The plan that an earlier process made."""

    @classmethod
    def open(cls, path: Path, prompt: str, *, is_resumed: bool) -> Self:
        """Open a folder and recover results of a killed process; an existing log needs ``is_resumed``.

        Raises:
            InputError: another process uses the folder, it has a log and ``is_resumed`` is false, or the log
                belongs to another instruction.
        """
        path.mkdir(parents=True, exist_ok=True)
        log = (path / LOG_NAME).open("a+b")
        try:
            records = _take(path, log, prompt, is_resumed=is_resumed)
            folder = cls(path, log, records)
            folder._recover()
            if not records:
                folder.log("started", prompt=prompt)
        except BaseException:
            log.close()
            raise
        return folder

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._saver.shutdown()
        self._log.close()

    def log(self, event: str, **members: Any) -> None:
        """Append a record and flush it to the disk."""
        record = {"event": event, "time": round(time.time(), 3), **members}
        line = json.dumps(record, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        with self._lock:
            self._log.write(line)
            self._log.flush()
            os.fsync(self._log.fileno())

    def fail(self, image: str, message: str) -> None:
        """Log an image as failed."""
        self.failures[image] = message
        self.log("failed", image=image, message=message)

    def commit(self, image: str, result: PurePath | None, data: bytes, **members: Any) -> None:
        """Write the result of an image, if it has one; it is logged as done once it is on the disk.

        Args:
            image: path of the image.
            result: relative path of the result.
            data: bytes of the result.
            members: further members of the record.

        Raises:
            OSError: this result, or one before, cannot be written.
        """
        record = {"image": image, "result": None if result is None else result.as_posix(), **members}
        target = None
        if result is not None:
            target = self.path / result
            target.parent.mkdir(parents=True, exist_ok=True)
            _part(target).write_bytes(data)
        with self._lock:
            self._unsaved.append(self._saver.submit(self._save, record, target))
        self._wait_for_saver(MAX_UNSAVED)

    def flush(self) -> None:
        """Wait until all results are on the disk and logged.

        Raises:
            OSError: one of them cannot be written.
        """
        self._wait_for_saver(0)

    def _wait_for_saver(self, allowed: int) -> None:
        """Wait until at most the given number of results are not yet saved."""
        while True:
            with self._lock:
                if len(self._unsaved) <= allowed:
                    return
                oldest = self._unsaved.popleft()
            oldest.result()

    def _save(self, record: dict[str, Any], target: Path | None) -> None:
        """Flush a result to the disk, log it and rename it, in this order."""
        if target is not None:
            with _part(target).open("rb") as part:
                os.fsync(part.fileno())
        self.log("done", **record)
        self.done[record["image"]] = record
        if target is not None:
            _part(target).replace(target)

    def _recover(self) -> None:
        """Rename logged results, remove the others, and drop records whose result was deleted."""
        for image, record in list(self.done.items()):
            if record["result"] is None:
                continue
            target = self.path / record["result"]
            with suppress(FileNotFoundError):
                _part(target).replace(target)
            if not target.exists():
                del self.done[image]
        for part in self.path.rglob(f".*{_PART}"):
            part.unlink(missing_ok=True)


def _part(target: Path) -> Path:
    return target.with_name(f".{target.name}{_PART}")


def _take(path: Path, log: IO[bytes], prompt: str, *, is_resumed: bool) -> list[dict[str, Any]]:
    """Lock the log, read it, and remove an incomplete last line of a killed process."""
    try:
        fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        raise InputError(f"{path}: another batch is writing there", hint="choose another folder") from exc
    log.seek(0)
    data = log.read()
    whole = data[: data.rfind(b"\n") + 1]
    if len(whole) < len(data):
        log.truncate(len(whole))
    records = list(_records(path / LOG_NAME, whole))
    if not records:
        return []
    if not is_resumed:
        raise InputError(f"{path}: holds a batch already", hint="give --resume, or choose another folder")
    if records[0].get("prompt") != prompt:
        raise InputError(
            f"{path}: its batch has the instruction {records[0].get('prompt')!r}",
            hint="give the same instruction, or choose another folder",
        )
    return records


def _records(path: Path, data: bytes) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(data.splitlines(), start=1):
        try:
            record = json.loads(line)
            is_known = isinstance(record, dict) and isinstance(record.get("event"), str)
        except ValueError:
            is_known = False
        if not is_known:
            raise InputError(f"{path}: line {number} is not a record", hint="choose another folder")
        yield record
