"""Announcements of plans: order, protection, and preloading that evicts nothing."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from promptvision.models import devices
from promptvision.models.pool import ModelPool
from promptvision.models.spec import ModelSpec, WeightFile
from promptvision.settings import Settings

MODULE = "promptvision_test_upcoming"


class Loaded:
    """Takes 100 bytes."""

    nbytes = 100


@dataclass
class Bench:
    """A GPU of 300 bytes, and models of 100, of which one is declared with 250."""

    home: Path
    loads: list[str] = field(default_factory=list)
    room: int = 300
    gate: threading.Event = field(default_factory=threading.Event)

    def load(self, path: Path, device: str, dtype: str) -> Loaded:
        assert self.gate.wait(10)
        self.loads.append(f"{path.name} on {device}")
        return Loaded()

    def pool(self, device: str = "cuda", *, missing: str = "") -> ModelPool:
        self.gate.set()
        for name in "abcdef".replace(missing or "-", ""):
            (self.home / "weights" / name).mkdir(parents=True, exist_ok=True)
            (self.home / "weights" / name / "w").write_text("")
        specs = {
            name: ModelSpec(
                id=name,
                source="s/s",
                revision="0",
                files=(WeightFile("w"),),
                license="MIT",
                weight_bytes={"float16": 250 if name == "f" else 100, "float32": 100},
                peak_bytes={"float16": 80},
                dtypes={"cuda": ("float16",), "cpu": ("float32",)},
                load=f"{MODULE}:load",
            )
            for name in "abcdef"
        }
        return ModelPool(
            specs,
            Settings(home=self.home),
            device=device,
            usable_bytes=lambda device, held: self.room,
        )


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    bench = Bench(tmp_path)
    monkeypatch.setitem(sys.modules, MODULE, bench)
    monkeypatch.setattr(devices, "release_cached", lambda: None)
    return bench


def loaded(pool: ModelPool) -> list[str]:
    return sorted(model.id for model in pool.loaded())


def test_what_is_announced_is_loaded_while_memory_is_free(bench: Bench) -> None:
    pool = bench.pool()
    with pool.lease("a"):  # 100 and 1.25 x 80
        pool.announce("plan", ["b", "c", "d"])
        pool._upcoming.join(10)
        assert bench.loads == ["a on cuda", "b on cuda"]
    with pool.lease("b"):
        pass
    assert bench.loads == ["a on cuda", "b on cuda"]


def test_nothing_is_evicted_for_a_load_ahead(bench: Bench) -> None:
    pool = bench.pool()
    bench.room = 200
    for name in "ab":
        with pool.lease(name, peak_bytes=0):
            pass
    pool.announce("plan", ["c"])
    pool._upcoming.join(10)
    assert loaded(pool) == ["a", "b"]


def test_a_model_that_is_needed_later_does_not_take_the_memory_of_one_that_does_not_fit_yet(
    bench: Bench,
) -> None:
    pool = bench.pool()
    with pool.lease("a", peak_bytes=0):
        pool.announce("plan", ["f", "b"])  # f is declared with 250 bytes of the 200 that are left
        pool._upcoming.join(10)
        assert loaded(pool) == ["a"]
        pool.announce("plan", ["b"])
        pool._upcoming.join(10)
        assert loaded(pool) == ["a", "b"]


def test_announced_models_are_evicted_last(bench: Bench) -> None:
    pool = bench.pool()
    for name in "ab":
        with pool.lease(name, peak_bytes=0):
            pass
    pool.announce("plan", ["a"])
    bench.room = 200
    with pool.lease("c", peak_bytes=0):
        assert loaded(pool) == ["a", "c"]
    pool.announce("plan", ())
    with pool.lease("c", "d", peak_bytes=0):
        assert loaded(pool) == ["c", "d"]


def test_plans_are_served_in_turn_and_alternatives_are_all_protected(bench: Bench) -> None:
    pool = bench.pool("cpu")
    pool.announce("one", ["a", "b | c"])
    pool.announce("two", ["d", "a"])
    assert pool._upcoming._soonest_first() == ["a", "d", "b | c"]
    assert pool._grants.ledger._policy._needed == {"a": 0, "d": 1, "b": 2, "c": 3}
    pool.announce("one", ())
    assert pool._upcoming._soonest_first() == ["d", "a"]


def test_on_the_cpu_nothing_is_loaded_ahead(bench: Bench) -> None:
    pool = bench.pool("cpu")
    pool.announce("plan", ["a"])
    pool._upcoming.join(10)
    assert bench.loads == []


def test_of_alternatives_the_best_on_disk_is_loaded_ahead(bench: Bench) -> None:
    pool = bench.pool(missing="b")
    pool.announce("plan", ["b | c | d"])
    pool._upcoming.join(10)
    assert bench.loads == ["c on cuda"]


def test_running_out_of_memory_ahead_drops_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = bench.pool()
    with pool.lease("a"):
        pass
    original = bench.load

    def full(path: Path, device: str, dtype: str) -> Loaded:
        original(path, device, dtype)
        raise MemoryError

    monkeypatch.setattr(bench, "load", full)
    pool.announce("plan", ["b"])
    pool._upcoming.join(10)
    assert bench.loads[1:] == ["b on cuda"] * 2
    assert loaded(pool) == ["a"]


def test_missing_weights_and_unknown_models_are_skipped(bench: Bench) -> None:
    pool = bench.pool(missing="b")
    pool.announce("plan", ["nothing", "b", "c"])
    pool._upcoming.join(10)
    assert bench.loads == ["c on cuda"]
    assert [model.leases for model in pool.loaded()] == [0]


def test_closing_ends_loads_ahead(bench: Bench) -> None:
    pool = bench.pool()
    bench.gate.clear()
    pool.announce("plan", ["a", "b"])
    pool.close()
    bench.gate.set()
    pool._upcoming.join(10)
    assert pool.loaded() == []
    assert len(bench.loads) <= 1
