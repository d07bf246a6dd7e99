"""The cache of stages: results of the expensive parts of tools, in memory and on disk."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Self

from promptvision.runtime.stage_files import Arrays, Count, StageFiles, StageUse, can_write, contiguous
from promptvision.settings import Settings

__all__ = ["StageCache"]

_POLL_S = 0.1
_PENDING = 8
"""Results that wait to be written; further ones are kept in memory only."""


@dataclass
class _Entry:
    arrays: Arrays
    seconds: float
    bytes: int
    priority: float


@dataclass
class _Flight:
    """One computation, and those that wait for it."""

    done: threading.Event = field(default_factory=threading.Event)
    arrays: Arrays | None = None


class StageCache:
    """Results of stages by key. Safe across threads.

    A stage is looked up in memory, then on disk, and else computed. Equal requests join one computation; if
    it fails, one of those that wait computes. Both places are bounded in bytes and evict the result with the
    fewest seconds of computation per byte first.

    Args:
        memory_bytes: maximum size of the results in memory.
        files: results on disk; None for none.
    """

    def __init__(self, memory_bytes: int, files: StageFiles | None = None) -> None:
        self._limit = memory_bytes
        self._files = files
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] = {}
        self._held = 0
        self._clock = 0.0
        self._flights: dict[str, _Flight] = {}
        self._counts: dict[str, Count] = {}
        self._writer: ThreadPoolExecutor | None = None
        self._pending = 0

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The cache that the settings describe."""
        has_files = settings.cache_disk > 0 and can_write()
        files = StageFiles(settings.cache_home, settings.cache_disk) if has_files else None
        return cls(settings.cache_memory * 7 // 8, files)

    @property
    def memory_bytes(self) -> int:
        """Size of the results in memory."""
        return self._held

    def get(
        self, stage: str, key: Callable[[], str], compute: Callable[[], Arrays], check: Callable[[], None]
    ) -> Arrays:
        """The arrays of a stage; read-only, as others may use them.

        Args:
            stage: plugin and stage, such as ``sam/embedding``.
            key: everything that determines the arrays, as a digest. Called again after a computation: if
                the key has changed, such as that of a computation that had to move to another device, the
                arrays are kept under the new key.
            compute: computes the arrays.
            check: called while waiting for an equal request; an exception ends the wait.

        Raises:
            Exception: any exception of ``compute`` or ``check``.
        """
        digest = key()
        while True:
            with self._lock:
                if (entry := self._entries.get(digest)) is not None:
                    self._touch(entry)
                    self._count(stage, hits=1, saved_s=entry.seconds)
                    return entry.arrays
                flight = self._flights.get(digest)
                if flight is None:
                    own = self._flights[digest] = _Flight()
                    break
            while not flight.done.wait(_POLL_S):
                check()
            check()
            if flight.arrays is not None:
                with self._lock:
                    self._count(stage, hits=1)
                return flight.arrays
        try:
            own.arrays = self._find_or_compute(stage, digest, key, compute)
            return own.arrays
        finally:
            with self._lock:
                del self._flights[digest]
            own.done.set()

    def use(self) -> list[StageUse]:
        """What is cached of each stage, and how often it was used. May wait for the disk."""
        if self._files is not None:
            self.flush()
            return self._files.use()
        with self._lock:
            return [
                StageUse(stage=stage, entries=0, bytes=0, hits=n.hits, misses=n.misses, saved_s=n.saved_s)
                for stage, n in sorted(self._counts.items())
            ]

    def flush(self) -> None:
        """Write counts, so that other processes see them."""
        if self._files is None or not self._counts:
            return
        with self._lock:
            counts, self._counts = self._counts, {}
        self._files.count(counts)

    def close(self) -> None:
        """Write what is pending."""
        with self._lock:
            writer, self._writer = self._writer, None
        if writer is not None:
            writer.shutdown()
        self.flush()

    def _find_or_compute(
        self, stage: str, digest: str, key: Callable[[], str], compute: Callable[[], Arrays]
    ) -> Arrays:
        if self._files is not None and (found := self._files.read(digest)) is not None:
            arrays, seconds = found
            with self._lock:
                self._count(stage, hits=1, saved_s=seconds)
            return self._keep(digest, arrays, seconds)
        started = time.perf_counter()
        arrays = compute()
        seconds = time.perf_counter() - started
        with self._lock:
            self._count(stage, misses=1)
        digest = key()
        arrays = self._keep(digest, arrays, seconds)
        self._write_later(digest, stage, arrays, seconds)
        return arrays

    def _keep(self, digest: str, arrays: Arrays, seconds: float) -> Arrays:
        """Keep arrays in memory; return them read-only."""
        arrays = contiguous(arrays)
        for array in arrays.values():
            array.setflags(write=False)
        size = sum(array.nbytes for array in arrays.values())
        if size > self._limit:
            return arrays
        entry = _Entry(arrays, seconds, size, 0.0)
        with self._lock:
            if (old := self._entries.pop(digest, None)) is not None:
                self._held -= old.bytes
            while self._held + size > self._limit:
                worst = min(self._entries, key=lambda one: self._entries[one].priority)
                gone = self._entries.pop(worst)
                self._held -= gone.bytes
                self._clock = max(self._clock, gone.priority)
            self._touch(entry)
            self._entries[digest] = entry
            self._held += size
        return arrays

    def _touch(self, entry: _Entry) -> None:
        entry.priority = self._clock + entry.seconds / max(1, entry.bytes)

    def _count(self, stage: str, *, hits: int = 0, misses: int = 0, saved_s: float = 0.0) -> None:
        count = self._counts.setdefault(stage, Count())
        count.hits += hits
        count.misses += misses
        count.saved_s += saved_s

    def _write_later(self, digest: str, stage: str, arrays: Arrays, seconds: float) -> None:
        """Write in another thread: a tool need not wait for the disk."""
        files = self._files
        if files is None:
            return
        with self._lock:
            if self._pending >= _PENDING:
                return
            self._pending += 1
            if self._writer is None:
                self._writer = ThreadPoolExecutor(1, thread_name_prefix="promptvision-cache")
            writer = self._writer

            def write() -> None:
                try:
                    files.write(digest, stage, arrays, seconds)
                finally:
                    with self._lock:
                        self._pending -= 1

            writer.submit(write)
