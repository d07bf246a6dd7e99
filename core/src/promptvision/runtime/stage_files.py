"""Stage results on disk: one safetensors file each, and an index in SQLite that several processes share."""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import os
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

__all__ = ["Arrays", "Count", "StageFiles", "StageUse", "can_write", "contiguous"]

log = logging.getLogger(__name__)

T = TypeVar("T")

Arrays = Mapping[str, Any]
"""Name to numpy array."""

_SUFFIX = ".safetensors"
_ORPHAN_AGE_S = 3600.0
"""Files without an entry are deleted when they are older: a process was killed while it wrote them."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS entry (
    digest TEXT PRIMARY KEY, stage TEXT NOT NULL, bytes INTEGER NOT NULL, checksum TEXT NOT NULL,
    seconds REAL NOT NULL, priority REAL NOT NULL);
CREATE TABLE IF NOT EXISTS count (
    stage TEXT PRIMARY KEY, hits INTEGER NOT NULL, misses INTEGER NOT NULL, saved_s REAL NOT NULL);
CREATE TABLE IF NOT EXISTS clock (one INTEGER PRIMARY KEY CHECK (one = 1), value REAL NOT NULL);
INSERT OR IGNORE INTO clock VALUES (1, 0.0);
"""
_COUNT = """
INSERT INTO count VALUES (?, ?, ?, ?) ON CONFLICT (stage) DO UPDATE SET
    hits = hits + excluded.hits, misses = misses + excluded.misses, saved_s = saved_s + excluded.saved_s
"""
_USE = """
SELECT stage, COUNT(digest), COALESCE(SUM(bytes), 0), COALESCE(MAX(hits), 0), COALESCE(MAX(misses), 0),
    COALESCE(MAX(saved_s), 0.0)
FROM (SELECT stage FROM entry UNION SELECT stage FROM count)
    LEFT JOIN entry USING (stage) LEFT JOIN count USING (stage)
GROUP BY stage ORDER BY stage
"""


@dataclass
class Count:
    """How often a stage was found or computed, and the seconds of computation that were saved."""

    hits: int = 0
    misses: int = 0
    saved_s: float = 0.0


@dataclass(frozen=True, kw_only=True)
class StageUse:
    """What is cached of one stage, and how often it was used.

    Args:
        stage: plugin and stage, such as ``sam/embedding``.
        entries: results on disk.
        bytes: their size.
        hits: requests that were answered from the cache.
        misses: requests that were computed.
        saved_s: seconds of computation that the hits saved.
    """

    stage: str
    entries: int
    bytes: int
    hits: int
    misses: int
    saved_s: float


class StageFiles:
    """Results of stages in a folder. Safe across threads and processes.

    When the folder is over its limit, the entry whose computation took the fewest seconds per byte goes
    first; entries age as others are evicted (GreedyDual-Size: Cao and Irani, "Cost-aware WWW proxy caching
    algorithms", 1997). An unreadable or damaged entry is removed and counts as missing. No failure of the
    disk reaches the caller.

    Args:
        folder: created with access for this user only.
        limit_bytes: maximum size of all entries.
    """

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self.folder = folder
        self._limit = limit_bytes
        self._lock = threading.Lock()
        self._is_prepared = False

    def read(self, digest: str) -> tuple[Arrays, float] | None:
        """The arrays of a key and the seconds that their computation took; None if they are not there."""
        found = self._guarded(lambda index: _find(index, digest), None)
        if found is None:
            return None
        checksum, seconds = found
        try:
            data = self._file(digest).read_bytes()
            if _checksum(data) == checksum:
                from safetensors.numpy import load

                return load(data), seconds
            log.warning("cache: %s is damaged and removed", self._file(digest))
        except (OSError, ValueError) as exc:
            log.warning("cache: %s cannot be read and is removed: %s", self._file(digest), exc)
        self._guarded(lambda index: self._remove(index, [digest]), None)
        return None

    def write(self, digest: str, stage: str, arrays: Arrays, seconds: float) -> None:
        """Keep arrays.

        Args:
            digest: their key.
            stage: plugin and stage.
            arrays: numpy arrays.
            seconds: how long their computation took.
        """
        from safetensors.numpy import save

        data = save(contiguous(arrays))
        if len(data) > self._limit:
            return
        entry = (digest, stage, len(data), _checksum(data), seconds)
        part = self._file(digest).with_suffix(f"{_SUFFIX}.{uuid.uuid4().hex}")
        try:
            self._make_folder()
            _write_private(part, data)
            self._guarded(lambda index: self._insert(index, entry, part), None)
        except OSError as exc:  # such as a full disk
            log.warning("cache: %s cannot be written: %s", self.folder, exc)
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)

    def count(self, counts: Mapping[str, Count]) -> None:
        """Add to the counts of stages."""
        rows = [(stage, one.hits, one.misses, one.saved_s) for stage, one in counts.items()]
        self._guarded(lambda index: index.executemany(_COUNT, rows), None)

    def use(self) -> list[StageUse]:
        """What is cached of each stage, and how often it was used."""
        if not self.folder.exists():
            return []
        rows: list[tuple[Any, ...]] = self._guarded(lambda index: index.execute(_USE).fetchall(), [])
        names = ("stage", "entries", "bytes", "hits", "misses", "saved_s")
        return [StageUse(**dict(zip(names, row, strict=True))) for row in rows]

    def clear(self, stage: str | None = None) -> int:
        """Delete the entries and counts of one stage, or of all; return the number of deleted bytes."""
        if not self.folder.exists():
            return 0
        return self._guarded(lambda index: self._clear(index, stage), 0)

    # Inside a transaction

    def _insert(self, index: sqlite3.Connection, entry: tuple[Any, ...], part: Path) -> None:
        digest, _, size, _, seconds = entry
        (clock,) = index.execute("SELECT value FROM clock").fetchone()
        index.execute("DELETE FROM entry WHERE digest = ?", (digest,))
        self._make_room(index, size)
        row = (*entry, clock + seconds / max(1, size))
        index.execute("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?)", row)
        part.replace(self._file(digest))

    def _make_room(self, index: sqlite3.Connection, size: int) -> None:
        (total,) = index.execute("SELECT COALESCE(SUM(bytes), 0) FROM entry").fetchone()
        rows = index.execute("SELECT digest, bytes, priority FROM entry ORDER BY priority").fetchall()
        evicted = []
        for digest, freed, priority in rows:
            if total + size <= self._limit:
                break
            evicted.append(digest)
            total -= freed
            index.execute("UPDATE clock SET value = MAX(value, ?)", (priority,))
        self._remove(index, evicted)

    def _remove(self, index: sqlite3.Connection, digests: list[str]) -> None:
        index.executemany("DELETE FROM entry WHERE digest = ?", [(digest,) for digest in digests])
        for digest in digests:
            self._file(digest).unlink(missing_ok=True)

    def _clear(self, index: sqlite3.Connection, stage: str | None) -> int:
        chosen = "FROM entry WHERE stage = COALESCE(?, stage)"
        rows = index.execute(f"SELECT digest, bytes {chosen}", (stage,)).fetchall()
        self._remove(index, [digest for digest, _ in rows])
        index.execute("DELETE FROM count WHERE stage = COALESCE(?, stage)", (stage,))
        return sum(size for _, size in rows)

    # The index

    def _guarded(self, work: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        """Run one transaction; a failure of the disk is logged and gives ``otherwise``."""
        try:
            with self._lock, self._open() as index:
                return work(index)
        except sqlite3.DatabaseError as exc:
            if exc.sqlite_errorcode in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                self._discard()
            log.warning("cache: the index in %s failed: %s", self.folder, exc)
        except OSError as exc:
            log.warning("cache: %s cannot be used: %s", self.folder, exc)
        return otherwise

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A transaction. A connection lives as short, so that no thread or process holds one."""
        self._make_folder()
        index = sqlite3.connect(self.folder / "index.sqlite", timeout=5, isolation_level=None)
        try:
            if not self._is_prepared:
                self._prepare(index)
            index.execute("BEGIN IMMEDIATE")
            try:
                yield index
            except BaseException:
                index.rollback()
                raise
            index.execute("COMMIT")
        finally:
            index.close()

    def _make_folder(self) -> None:
        if not self._is_prepared:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder.chmod(0o700)

    def _prepare(self, index: sqlite3.Connection) -> None:
        index.executescript(f"PRAGMA journal_mode = WAL; {_SCHEMA}")
        known = {digest + _SUFFIX for (digest,) in index.execute("SELECT digest FROM entry")}
        for file in self.folder.glob(f"*{_SUFFIX}*"):
            with suppress(OSError):
                if file.name not in known and time.time() - file.stat().st_mtime > _ORPHAN_AGE_S:
                    file.unlink()
        self._is_prepared = True

    def _discard(self) -> None:
        """Delete a damaged index; its files are deleted as orphans later, or written again."""
        for name in ("index.sqlite", "index.sqlite-wal", "index.sqlite-shm"):
            with suppress(OSError):
                (self.folder / name).unlink()
        self._is_prepared = False

    def _file(self, digest: str) -> Path:
        return self.folder / (digest + _SUFFIX)


def contiguous(arrays: Arrays) -> dict[str, Any]:
    """The arrays in C order; safetensors writes the memory of other ones as it is."""
    return {
        name: array if array.flags.c_contiguous else array.copy(order="C") for name, array in arrays.items()
    }


def can_write() -> bool:
    """Whether the library that writes entries is installed."""
    return importlib.util.find_spec("safetensors") is not None


def _find(index: sqlite3.Connection, digest: str) -> tuple[str, float] | None:
    row = index.execute("SELECT checksum, seconds, bytes FROM entry WHERE digest = ?", (digest,)).fetchone()
    if row is None:
        return None
    checksum, seconds, size = row
    again = "UPDATE entry SET priority = (SELECT value FROM clock) + ? WHERE digest = ?"
    index.execute(again, (seconds / max(1, size), digest))
    return checksum, seconds


def _checksum(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=32).hexdigest()


def _write_private(path: Path, data: bytes) -> None:
    """Write a file that only this user can read."""
    with open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(data)
