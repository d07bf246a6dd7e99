"""Peaks of leases, measured by an accelerator whose memory use the test sets."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from promptvision.models import devices
from promptvision.models.placement import DoesNotFit
from promptvision.models.pool import ModelPool
from promptvision.models.spec import ModelSpec, WeightFile
from promptvision.settings import Settings

MODULE = "promptvision_test_peaks"


@dataclass
class Memory:
    """The figures of an allocator, with a high-water mark like that of torch."""

    name: str = "card, torch 2"
    allocated: int = 1000
    peak: int = 1000

    def label(self) -> str:
        return self.name

    def allocated_bytes(self) -> int:
        return self.allocated

    def peak_bytes(self) -> int:
        return self.peak

    def reset_peak(self) -> None:
        self.peak = self.allocated

    def use(self, size: int) -> None:
        self.peak = max(self.peak, self.allocated + size)

    def place(self, tensor: Any) -> Any:
        return tensor

    def synchronize(self) -> None:
        pass

    def pin(self, tensor: Any) -> Any:
        return tensor


class Loaded:
    def __init__(self, path: Path, device: str, dtype: str) -> None:
        self.nbytes = 100


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    module = type(sys)(MODULE)
    module.load = Loaded  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, MODULE, module)
    monkeypatch.setattr(devices, "release_cached", lambda: None)
    for name in "ab":
        (tmp_path / "weights" / name).mkdir(parents=True)
        (tmp_path / "weights" / name / "w").write_text("")
    return tmp_path


def make_pool(home: Path, memory: Memory, room: int = 10_000) -> ModelPool:
    specs = [
        ModelSpec(
            id=name,
            source="s/s",
            revision="0",
            files=(WeightFile("w"),),
            license="MIT",
            weight_bytes={"float16": 100},
            peak_bytes={"float16": 400},
            dtypes={"cuda": ("float16",)},
            load=f"{MODULE}:load",
        )
        for name in "ab"
    ]
    return ModelPool(
        {spec.id: spec for spec in specs},
        Settings(home=home),
        device="cuda",
        usable_bytes=lambda device, held: room,
        accelerator=memory,
    )


def run(pool: ModelPool, memory: Memory, size: int, **options: Any) -> None:
    with pool.lease("a", **options):
        memory.use(size)


def estimates(pool: ModelPool) -> list[tuple[int | None, int, int]]:
    return list(pool.peaks.table.rows().values())


def test_peaks_of_exclusive_runs_replace_the_declared_one_after_three(home: Path) -> None:
    memory = Memory()
    pool = make_pool(home, memory, room=550)
    with pytest.raises(DoesNotFit), pool.lease("a"):  # 100 of weights and 1.25 x 400
        pass
    roomy = make_pool(home, memory)
    for size in (200, 300, 250):
        run(roomy, memory, size)
    assert estimates(roomy) == [(330, 3, 0)]
    run(make_pool(home, memory, room=430), memory, 300)  # a later process: 100 and 330 fit
    with pytest.raises(DoesNotFit), make_pool(home, memory, room=429).lease("a"):
        pass


def test_runs_at_the_same_time_are_not_measured(home: Path) -> None:
    memory = Memory()
    pool = make_pool(home, memory)
    run(pool, memory, 200)
    with pool.lease("a"), pool.lease("b"):
        memory.use(900)
    assert [samples for _, samples, _ in estimates(pool)] == [1]


def test_run_with_a_load_is_not_measured(home: Path) -> None:
    memory = Memory()
    pool = make_pool(home, memory)
    with pool.lease("a"):
        with pool.lease("b"):
            pass
        memory.use(200)
    assert estimates(pool) == []


def test_operation_shape_and_card_have_rows_of_their_own(home: Path) -> None:
    memory = Memory()
    pool = make_pool(home, memory)
    for options in (
        {},
        {"operation": "decode"},
        {"operation": "decode", "shape": (64, 64)},
        {"operation": "decode", "shape": (60, 64)},
    ):
        run(pool, memory, 50, **options)
    memory.name = "another card, torch 3"
    run(pool, memory, 50)
    assert [samples for _, samples, _ in estimates(pool)] == [1, 1, 2, 1]


def test_running_out_of_memory_raises_what_is_reserved(home: Path) -> None:
    memory = Memory()
    pool = make_pool(home, memory)
    held = pool.acquire("a")
    memory.use(700)
    held.close(ran_out_of_memory=True)
    held.close()  # a second end changes nothing
    assert estimates(pool) == [(None, 0, 700)]
    with pytest.raises(DoesNotFit), make_pool(home, memory, room=860).lease("a"):
        pass
    run(make_pool(home, memory, room=870), memory, 760)  # 100 of weights and 1.1 x 700


def test_other_errors_and_the_cpu_do_not_change_the_estimate(home: Path) -> None:
    memory = Memory()
    pool = make_pool(home, memory)
    with pytest.raises(ValueError, match="black"), pool.lease("a"):
        raise ValueError("black")
    assert estimates(pool) == []
    with pytest.raises(MemoryError), pool.lease("a"):
        raise MemoryError
    assert estimates(pool) == [(None, 0, 500)]  # what was reserved was not enough
