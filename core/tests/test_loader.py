"""Copies in main memory: disk, host, GPU and back, with modules whose tensors have a device."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from promptvision.models import devices
from promptvision.models.pool import ModelPool
from promptvision.models.spec import ModelSpec, WeightFile
from promptvision.settings import Settings

MODULE = "promptvision_test_loader"


@dataclass(eq=False)
class Tensor:
    """Bytes on one device."""

    size: int
    where: str
    requires_grad: bool = False

    def __init__(self, source: Tensor | int, where: str = "", requires_grad: bool = False) -> None:
        self.size = source if isinstance(source, int) else source.size
        self.where = where if isinstance(source, int) else source.where

    @property
    def data(self) -> Tensor:
        return self

    @data.setter
    def data(self, other: Tensor) -> None:
        self.where = other.where

    def numel(self) -> int:
        return self.size

    def element_size(self) -> int:
        return 1


class Module:
    """What a loader returns: recognised by its methods."""

    def __init__(self, path: Path, device: str) -> None:
        self.name = path.name
        self.tensor = Tensor(int((path / "w").read_text()), device)

    def parameters(self) -> list[Tensor]:
        return [self.tensor]

    def buffers(self) -> list[Tensor]:
        return []


@dataclass
class Gpu:
    """Counts copies to the GPU; copies from it are not possible."""

    copied: Counter[str] = field(default_factory=Counter)
    fails: int = 0

    def label(self) -> str:
        return ""

    def allocated_bytes(self) -> int | None:
        return None

    def peak_bytes(self) -> int | None:
        return None

    def reset_peak(self) -> None:
        pass

    def place(self, tensor: Tensor) -> Tensor:
        assert tensor.where == "pinned"
        if self.fails:
            self.fails -= 1
            raise MemoryError
        self.copied["to the GPU"] += tensor.size
        return Tensor(tensor.size, "cuda")

    def synchronize(self) -> None:
        pass

    def pin(self, tensor: Tensor) -> Tensor:
        assert tensor.where == "cpu"
        return Tensor(tensor.size, "pinned")


@dataclass
class Bench:
    """A machine with a GPU of 1000 bytes."""

    home: Path
    loads: list[tuple[str, str, str]] = field(default_factory=list)
    gpu: Gpu = field(default_factory=Gpu)
    room: dict[str, int] = field(default_factory=lambda: {"cpu": 10_000, "cuda": 1000})

    def load(self, path: Path, device: str, dtype: str) -> Module:
        self.loads.append((path.name, device, dtype))
        return Module(path, device)

    def pool(self, *, movable: bool = True, host: int | None = None, **sizes: int) -> ModelPool:
        specs = [self.spec(name, size, movable) for name, size in sizes.items()]
        return ModelPool(
            {spec.id: spec for spec in specs},
            Settings(home=self.home, model_host_memory=host),
            device="cuda",
            usable_bytes=lambda device, held: self.room[device],
            accelerator=self.gpu,
        )

    def spec(self, name: str, size: int, movable: bool) -> ModelSpec:
        (self.home / "weights" / name).mkdir(parents=True, exist_ok=True)
        (self.home / "weights" / name / "w").write_text(str(size))
        return ModelSpec(
            id=name,
            source="s/s",
            revision="0",
            files=(WeightFile("w"),),
            license="MIT",
            weight_bytes={"float16": size, "float32": size},
            dtypes={"cuda": ("float16",), "cpu": ("float32",)},
            load=f"{MODULE}:load",
            movable=movable,
        )


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    bench = Bench(tmp_path)
    monkeypatch.setitem(sys.modules, MODULE, bench)
    monkeypatch.setattr(devices, "release_cached", lambda: None)
    return bench


def use(pool: ModelPool, *names: str, **options: Any) -> list[str]:
    """Where the leased models have their weights."""
    with pool.lease(*names, **options) as models:
        return [model.tensor.where for model in models]


def places(pool: ModelPool) -> set[tuple[str, str]]:
    return {(model.id, model.device) for model in pool.loaded()}


def test_a_movable_model_is_read_once_and_copied_to_the_gpu(bench: Bench) -> None:
    pool = bench.pool(a=600, b=600)
    for name in "abab":
        assert use(pool, name) == ["cuda"]
    assert bench.loads == [("a", "cpu", "float16"), ("b", "cpu", "float16")]
    assert bench.gpu.copied == {"to the GPU": 2400}
    assert pool.speeds.copied_bytes == 2400
    assert places(pool) == {("b", "cuda"), ("a", "host"), ("b", "host")}


def test_eviction_leaves_the_copy_in_main_memory_as_it_was(bench: Bench) -> None:
    pool = bench.pool(a=600)
    with pool.lease("a") as (first,):
        pass
    pool.free_unused(device="cuda")
    assert places(pool) == {("a", "host")}
    with pool.lease("a") as (again,):
        assert again is not first
        assert again.tensor is not first.tensor
    with pool.lease("a", device="cpu", compute_device="cuda") as (master,):
        assert master.tensor.where == "pinned"
    assert len(bench.loads) == 1


def test_other_models_are_loaded_on_the_gpu_directly(bench: Bench) -> None:
    pool = bench.pool(movable=False, a=600)
    assert use(pool, "a") == ["cuda"]
    assert bench.loads == [("a", "cuda", "float16")]
    assert places(pool) == {("a", "cuda")}


@pytest.mark.parametrize("host", [0, 599])
def test_without_memory_for_a_copy_the_gpu_is_filled_from_the_disk(bench: Bench, host: int) -> None:
    pool = bench.pool(host=host, a=600)
    assert use(pool, "a") == ["cuda"]
    assert bench.loads == [("a", "cuda", "float16")]


def test_copies_replace_each_other_but_no_model_that_runs_on_the_cpu(bench: Bench) -> None:
    bench.room["cpu"] = 1300
    pool = bench.pool(a=600, b=600, c=600)
    use(pool, "c", device="cpu")
    for name in "ab":
        use(pool, name)
    assert places(pool) == {("c", "cpu"), ("b", "cuda"), ("b", "host")}


def test_a_copy_is_smaller_in_the_ledger_than_what_it_replaces(bench: Bench) -> None:
    pool = bench.pool(host=1000, a=600, b=600)
    for name in "ab":
        use(pool, name)
    assert places(pool) == {("b", "cuda"), ("b", "host")}


def test_layers_are_streamed_from_the_copy_or_without_memory_for_one_from_the_cpu(bench: Bench) -> None:
    streamed = {"device": "cpu", "compute_device": "cuda"}
    assert use(bench.pool(a=600), "a", **streamed) == ["pinned"]
    pool = bench.pool(host=100, a=600)
    assert use(pool, "a", **streamed) == ["cpu"]
    assert places(pool) == {("a", "cpu")}
    assert bench.loads == [("a", "cpu", "float16")] * 2


def test_running_out_of_memory_while_copying_frees_what_is_unused_and_tries_again(bench: Bench) -> None:
    pool = bench.pool(a=300, b=300)
    use(pool, "a")
    bench.gpu.fails = 1
    assert use(pool, "b") == ["cuda"]
    assert places(pool) == {("a", "host"), ("b", "cuda"), ("b", "host")}
    bench.gpu.fails = 2
    with pytest.raises(MemoryError):
        use(pool, "a")
    assert use(pool, "a") == ["cuda"]


def test_reloading_costs_what_the_copy_took_until_it_is_dropped(bench: Bench) -> None:
    pool = bench.pool(a=600)
    use(pool, "a")
    ledger = pool._grants.ledger
    on_gpu = next(slot for slot in ledger.slots() if slot.device == "cuda")
    assert 0 <= on_gpu.reload_s < on_gpu.load_s
    pool.free_unused(device="host")
    assert on_gpu.reload_s == on_gpu.load_s


def test_threads_that_want_the_same_model_read_it_once(bench: Bench) -> None:
    pool = bench.pool(a=300, b=300)
    start = threading.Barrier(4)

    def work(name: str) -> list[str]:
        start.wait(10)
        return use(pool, name)

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(work, "abab")) == [["cuda"]] * 4
    assert sorted(bench.loads) == [("a", "cpu", "float16"), ("b", "cpu", "float16")]
    assert bench.gpu.copied == {"to the GPU": 600}


def test_models_of_two_distributions_with_one_share_key_are_loaded_once(bench: Bench) -> None:
    one, two = bench.spec("a", 300, True), bench.spec("b", 300, True)
    specs = [replace(one, share_key="vae", plugin="first"), replace(two, share_key="vae", plugin="second")]
    pool = ModelPool(
        {spec.id: spec for spec in specs},
        Settings(home=bench.home),
        device="cuda",
        usable_bytes=lambda device, held: 400,
        accelerator=bench.gpu,
    )
    with pool.lease("a", "b") as (first, second):
        assert first is second
        assert sum(model.bytes for model in pool.loaded() if model.device == "cuda") == 300
        assert {model.leases for model in pool.loaded() if model.device == "cuda"} == {1}
    with pool.lease("b") as (third,):
        assert third is first
    assert len(bench.loads) == 1
    assert pool.free_unused(["b"], device="cuda") == 300
