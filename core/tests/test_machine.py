"""What fits in the memory of a machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from promptvision.models import devices
from promptvision.models.machine import Machine, look, needed_bytes
from promptvision.models.spec import ModelSpec

BOTH = {"cuda": ("float16",), "cpu": ("float32",)}


def spec(**changes: object) -> ModelSpec:
    values: dict[str, object] = {
        "id": "m",
        "source": "a/b",
        "revision": "0",
        "files": (),
        "license": "MIT",
        "weight_bytes": {"float16": 100, "float32": 200},
        "peak_bytes": {"float16": 40, "float32": 80},
        "dtypes": BOTH,
        **changes,
    }
    return ModelSpec(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("memory", "gpu", "device"),
    [(1000, 150, "cuda"), (1000, 149, "cpu"), (300, 0, "cpu"), (299, 0, None), (299, 149, None)],
)
def test_a_model_goes_where_its_weights_and_one_call_fit(memory: int, gpu: int, device: str | None) -> None:
    machine = Machine(memory_bytes=memory, gpu_bytes=gpu, disk_bytes=0)
    assert machine.device_for(spec()) == device


def test_a_model_for_the_cpu_alone_does_not_go_on_the_gpu() -> None:
    machine = Machine(memory_bytes=1000, gpu_bytes=1000, disk_bytes=0)
    assert machine.device_for(spec(dtypes={"cpu": ("float32",)})) == "cpu"
    assert needed_bytes(spec(), "cpu") == 300


def test_look_reads_memory_and_the_disk_of_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    machine = look(tmp_path / "home" / "weights")
    assert machine.memory_bytes > 2**28
    assert machine.disk_bytes > 0
    assert (machine.gpu_bytes > 0) == devices.has_cuda()
