"""The cache of stages: memory and disk, equal requests at the same time, bounds and damage."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptvision.errors import Cancelled
from promptvision.runtime.cancellation import CancelToken
from promptvision.runtime.stage_cache import StageCache
from promptvision.runtime.stage_files import Arrays, Count, StageFiles

MEGABYTE = 2**20


def nothing() -> None:
    """A check that lets every call continue."""


def array(value: int = 1, size: int = 1000) -> dict[str, np.ndarray]:
    return {"a": np.full(size, value, np.uint8), "b": np.arange(6, dtype=np.float32).reshape(2, 3).T}


class Counted:
    """Computes arrays and counts how often."""

    def __init__(self, value: int = 1, size: int = 1000) -> None:
        self.calls = 0
        self._value, self._size = value, size

    def __call__(self) -> Arrays:
        self.calls += 1
        return array(self._value, self._size)


@pytest.fixture
def files(tmp_path: Path) -> StageFiles:
    """An empty cache on disk of one megabyte."""
    return StageFiles(tmp_path / "cache", MEGABYTE)


@pytest.fixture
def cache(files: StageFiles) -> Iterator[StageCache]:
    """A cache in memory and on disk."""
    cache = StageCache(MEGABYTE, files)
    yield cache
    cache.close()


def get(cache: StageCache, key: str, compute: Callable[[], Arrays], stage: str = "test/stage") -> Arrays:
    return cache.get(stage, lambda: key, compute, nothing)


def same(left: Arrays, right: Arrays) -> bool:
    return left.keys() == right.keys() and all(
        left[name].dtype == right[name].dtype and np.array_equal(left[name], right[name]) for name in left
    )


def test_equal_request_is_answered_from_memory_without_the_disk(cache: StageCache, files: StageFiles) -> None:
    compute = Counted()
    first = get(cache, "k", compute)
    cache.close()
    for file in files.folder.iterdir():
        file.unlink()
    assert get(cache, "k", compute) is first
    assert compute.calls == 1
    assert not first["a"].flags.writeable


def test_result_outlasts_a_restart_bit_for_bit(cache: StageCache, files: StageFiles) -> None:
    compute = Counted()
    first = get(cache, "k", compute)
    cache.close()
    again = StageCache(MEGABYTE, StageFiles(files.folder, MEGABYTE))
    assert same(get(again, "k", compute), first)
    assert compute.calls == 1
    assert same(get(StageCache(0, files), "k", compute), first)
    assert compute.calls == 1


def test_folder_and_files_are_private(cache: StageCache, files: StageFiles) -> None:
    get(cache, "k", Counted())
    cache.close()
    assert stat.S_IMODE(files.folder.stat().st_mode) == 0o700
    (entry,) = files.folder.glob("*.safetensors")
    assert stat.S_IMODE(entry.stat().st_mode) == 0o600


@pytest.mark.parametrize("damage", [b"", b"x", None])
def test_damaged_entry_is_a_miss_and_is_removed(files: StageFiles, damage: bytes | None) -> None:
    files.write("k", "test/stage", array(), 1.0)
    (entry,) = files.folder.glob("*.safetensors")
    data = bytearray(entry.read_bytes())
    data[-1] ^= 1
    entry.write_bytes(bytes(data) if damage is None else damage)
    compute = Counted()
    cache = StageCache(0, files)
    get(cache, "k", compute)
    cache.close()
    assert compute.calls == 1
    get(cache, "k", compute)
    assert compute.calls == 1


def test_missing_file_is_a_miss_and_its_entry_is_removed(files: StageFiles) -> None:
    files.write("k", "test/stage", array(), 1.0)
    next(files.folder.glob("*.safetensors")).unlink()
    assert files.read("k") is None
    assert files.use() == []


@pytest.mark.parametrize("damage", [b"not a database at all" * 50, b""])
def test_damaged_index_is_replaced(files: StageFiles, damage: bytes) -> None:
    files.write("k", "test/stage", array(), 1.0)
    (files.folder / "index.sqlite").write_bytes(damage)
    for part in ("index.sqlite-wal", "index.sqlite-shm"):
        (files.folder / part).unlink(missing_ok=True)
    again = StageFiles(files.folder, MEGABYTE)
    assert again.read("k") is None
    again.write("k", "test/stage", array(2), 1.0)
    found = again.read("k")
    assert found is not None
    assert same(found[0], array(2))


def test_folder_that_cannot_be_used_fails_no_call(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = StageCache(0, StageFiles(tmp_path / "file" / "cache", MEGABYTE))
    assert same(get(cache, "k", Counted()), array())
    cache.close()


def test_entry_with_the_fewest_seconds_per_byte_goes_first(tmp_path: Path) -> None:
    files = StageFiles(tmp_path, 3_500)
    for key, seconds in (("cheap", 0.1), ("dear", 10.0), ("fair", 1.0)):
        files.write(key, "test/stage", array(size=900), seconds)
    assert [key for key in ("cheap", "dear", "fair") if files.read(key)] == ["cheap", "dear", "fair"]
    files.write("new", "test/stage", array(size=900), 0.5)
    assert [key for key in ("cheap", "dear", "fair", "new") if files.read(key)] == ["dear", "fair", "new"]
    assert sum(file.stat().st_size for file in tmp_path.glob("*.safetensors")) <= 3_500


def test_entries_age_so_that_an_unused_one_is_evicted(tmp_path: Path) -> None:
    files = StageFiles(tmp_path, 2_500)
    files.write("old", "test/stage", array(size=900), 3.0)
    for turn in range(8):
        files.write(f"new{turn}", "test/stage", array(size=900), 1.0)
    assert files.read("old") is None


def test_result_over_the_limit_is_not_kept(tmp_path: Path) -> None:
    files = StageFiles(tmp_path, 500)
    cache = StageCache(500, files)
    compute = Counted()
    get(cache, "k", compute)
    cache.close()
    get(cache, "k", compute)
    assert compute.calls == 2
    assert cache.memory_bytes == 0
    assert list(tmp_path.glob("*.safetensors")) == []


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(1, 900)), max_size=40))
def test_memory_never_exceeds_its_limit_and_returns_the_right_arrays(
    requests: list[tuple[int, int]],
) -> None:
    cache = StageCache(2_000)
    sizes: dict[int, int] = {}
    for key, size in requests:
        size = sizes.setdefault(key, size)
        found = get(cache, str(key), lambda key=key, size=size: {"a": np.full(size, key, np.uint8)})  # type: ignore[misc]
        assert np.array_equal(found["a"], np.full(size, key, np.uint8))
        assert cache.memory_bytes <= 2_000


def test_equal_requests_at_the_same_time_compute_once(cache: StageCache) -> None:
    has_begun, may_end = threading.Event(), threading.Event()
    compute = Counted()

    def slow() -> Arrays:
        has_begun.set()
        assert may_end.wait(20)
        return compute()

    with ThreadPoolExecutor(4) as threads:
        lead = threads.submit(get, cache, "k", slow)
        assert has_begun.wait(20)
        joined = [threads.submit(get, cache, "k", slow) for _ in range(3)]
        may_end.set()
        assert all(one.result() is lead.result() for one in joined)
    assert compute.calls == 1


def test_cancelled_request_leaves_the_others_their_result(cache: StageCache) -> None:
    has_begun, may_end, token = threading.Event(), threading.Event(), CancelToken()

    def slow() -> Arrays:
        has_begun.set()
        assert may_end.wait(20)
        return array()

    with ThreadPoolExecutor(3) as threads:
        lead = threads.submit(get, cache, "k", slow)
        assert has_begun.wait(20)
        cancelled = threads.submit(cache.get, "test/stage", lambda: "k", slow, token.check)
        token.cancel("not needed")
        with pytest.raises(Cancelled, match="not needed"):
            cancelled.result(20)
        may_end.set()
        assert same(lead.result(20), array())


def test_request_that_waits_computes_when_the_first_one_fails(cache: StageCache) -> None:
    has_begun, may_end = threading.Event(), threading.Event()

    def cancelled() -> Arrays:
        has_begun.set()
        assert may_end.wait(20)
        raise Cancelled("the user left")

    with ThreadPoolExecutor(2) as threads:
        lead = threads.submit(get, cache, "k", cancelled)
        assert has_begun.wait(20)
        second = threads.submit(get, cache, "k", Counted())
        may_end.set()
        with pytest.raises(Cancelled):
            lead.result(20)
        assert same(second.result(20), array())


def test_result_of_a_computation_that_moved_is_kept_under_its_new_key(cache: StageCache) -> None:
    place = ["cuda"]

    def out_of_memory() -> Arrays:
        place[0] = "cpu"
        return array(7)

    cache.get("test/stage", lambda: place[0], out_of_memory, nothing)
    on_gpu = Counted()
    get(cache, "cuda", on_gpu)
    assert on_gpu.calls == 1
    on_cpu = Counted()
    assert same(get(cache, "cpu", on_cpu), array(7))
    assert on_cpu.calls == 0


def test_use_counts_hits_misses_and_saved_seconds_of_all_processes(
    cache: StageCache, files: StageFiles
) -> None:
    get(cache, "k", Counted())
    get(cache, "k", Counted())
    get(cache, "other", Counted(), stage="test/other")
    cache.close()
    elsewhere = StageCache(MEGABYTE, StageFiles(files.folder, MEGABYTE))
    get(elsewhere, "k", Counted())
    elsewhere.flush()
    other, stage = cache.use()
    assert (stage.stage, stage.entries, stage.hits, stage.misses) == ("test/stage", 1, 2, 1)
    assert (other.stage, other.entries, other.hits, other.misses) == ("test/other", 1, 0, 1)
    assert stage.bytes > 1000
    assert stage.saved_s > 0


def test_use_without_a_disk_counts_this_process() -> None:
    cache = StageCache(MEGABYTE)
    get(cache, "k", Counted())
    get(cache, "k", Counted())
    (use,) = cache.use()
    assert (use.hits, use.misses, use.entries) == (1, 1, 0)


def test_clear_deletes_one_stage_or_all(files: StageFiles) -> None:
    for stage in ("one", "two"):
        files.write(stage, stage, array(), 1.0)
        files.count({stage: Count(misses=1)})
    assert files.clear("one") > 1000
    assert [use.stage for use in files.use()] == ["two"]
    assert files.clear() > 1000
    assert files.use() == []
    assert list(files.folder.glob("*.safetensors")) == []
    assert StageFiles(files.folder / "none", 1).clear() == 0


def test_left_over_files_of_a_killed_process_are_deleted(files: StageFiles) -> None:
    files.write("k", "test/stage", array(), 1.0)
    orphan, part, young = (
        files.folder / name for name in ("x.safetensors", "y.safetensors.ab", "z.safetensors")
    )
    for file in (orphan, part, young):
        file.write_bytes(b"data")
    for file in (orphan, part):
        os.utime(file, (1, 1))
    assert StageFiles(files.folder, MEGABYTE).read("k") is not None
    assert [file.exists() for file in (orphan, part, young)] == [False, False, True]


_WRITER = """
import sys
from pathlib import Path
import numpy as np
from promptvision.runtime.stage_files import StageFiles
files = StageFiles(Path(sys.argv[1]), 2_000_000)
print("ready", flush=True)
for turn in range(10**6):
    key = turn % 40
    files.write(str(key), "test/stage", {"a": np.full(100_000, key, np.uint8)}, 1.0)
"""


def test_killed_writers_leave_a_usable_cache(tmp_path: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", _WRITER, str(tmp_path)], stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    for writer in writers:
        assert writer.stdout is not None
        writer.stdout.readline()
    files = StageFiles(tmp_path, 2_000_000)
    while not files.read("5"):
        assert all(writer.poll() is None for writer in writers)
    for writer in writers:
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
    for key in range(40):
        found = files.read(str(key))
        assert found is None or np.array_equal(found[0]["a"], np.full(100_000, key, np.uint8))
    files.write("new", "test/stage", array(), 1.0)
    assert files.read("new") is not None
    index = sqlite3.connect(tmp_path / "index.sqlite")
    assert index.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    (total,) = index.execute("SELECT SUM(bytes) FROM entry").fetchone()
    index.close()
    assert total <= 2_000_000
