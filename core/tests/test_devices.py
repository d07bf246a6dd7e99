"""Devices and their memory, read from files in the kernel's layout."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from promptvision.models import devices
from promptvision.models.footprint import measure_bytes

GIB = 2**30


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of 16 GiB, 12 of them available, this process using one."""
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "cgroup").mkdir()
    meminfo = f"MemTotal: {16 * 2**20} kB\nMemFree: 1 kB\nMemAvailable: {12 * 2**20} kB\nHugePages_Total: 0\n"
    (tmp_path / "proc/meminfo").write_text(meminfo)
    (tmp_path / "proc/self/status").write_text(f"Name:\tpython\nRssAnon:\t {2**20} kB\nThreads:\t3\n")
    monkeypatch.setattr(devices, "PROC", tmp_path / "proc")
    monkeypatch.setattr(devices, "CGROUP", tmp_path / "cgroup")
    return tmp_path


def test_available_memory_less_headroom(kernel: Path) -> None:
    assert devices.usable_bytes("cpu") == 12 * GIB - devices.HEADROOM_BYTES


def test_what_models_hold_counts_as_usable_as_far_as_the_process_has_it(kernel: Path) -> None:
    base = devices.usable_bytes("cpu")
    assert devices.usable_bytes("cpu", GIB // 2) == base + GIB // 2
    assert devices.usable_bytes("cpu", 5 * GIB) == base + GIB


@pytest.mark.parametrize(
    ("limit", "used", "stat"),
    [
        ("memory.max", "memory.current", "memory.stat"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat"),
    ],
)
def test_the_limit_of_a_container_counts(kernel: Path, limit: str, used: str, stat: str) -> None:
    group = kernel / "cgroup"
    (group / "memory").mkdir()
    (group / limit).write_text(f"{4 * GIB}\n")
    (group / used).write_text(f"{3 * GIB}\n")
    (group / stat).write_text(f"anon 5\ninactive_file {GIB}\n")
    assert devices.usable_bytes("cpu") == 2 * GIB - devices.HEADROOM_BYTES


def test_a_container_without_limit(kernel: Path) -> None:
    (kernel / "cgroup/memory.max").write_text("max\n")
    assert devices.usable_bytes("cpu") == 12 * GIB - devices.HEADROOM_BYTES


def test_a_large_machine_keeps_a_share_free(kernel: Path) -> None:
    (kernel / "proc/meminfo").write_text(f"MemTotal: {100 * 2**20} kB\nMemAvailable: {90 * 2**20} kB\n")
    assert devices.usable_bytes("cpu") == 90 * GIB - int(100 * GIB * devices.HEADROOM_SHARE)


def test_this_machine_has_memory() -> None:
    assert devices.usable_bytes("cpu") > 0


def test_without_a_driver_the_cpu_is_best(kernel: Path) -> None:
    assert devices.best_device(("cuda", "cpu")) == "cpu"


def test_the_first_dtype_is_taken_on_the_cpu() -> None:
    assert devices.choose_dtype({"cpu": ("float32",), "cuda": ("bfloat16", "float16")}, "cpu") == "float32"


@pytest.mark.parametrize(("has_bfloat16", "expected"), [(True, "bfloat16"), (False, "float16")])
def test_bfloat16_only_where_the_card_has_it(
    monkeypatch: pytest.MonkeyPatch, has_bfloat16: bool, expected: str
) -> None:
    monkeypatch.setattr(devices, "_has_bfloat16", lambda: has_bfloat16)
    assert devices.choose_dtype({"cuda": ("bfloat16", "float16", "float32")}, "cuda") == expected


def test_measuring_the_cpu_imports_no_framework() -> None:
    code = (
        "import sys; from promptvision.models import devices, placement, pool, pull;"
        "devices.usable_bytes('cpu'); devices.best_device(['cpu']); devices.release_cached();"
        "assert not {'torch', 'huggingface_hub', 'transformers', 'diffusers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


class Tensor:
    def __init__(self, count: int) -> None:
        self._count = count

    def numel(self) -> int:
        return self._count

    def element_size(self) -> int:
        return 2


class Module:
    def __init__(self, *tensors: Tensor) -> None:
        self._tensors = tensors

    def parameters(self) -> tuple[Tensor, ...]:
        return self._tensors

    def buffers(self) -> tuple[Tensor, ...]:
        return (Tensor(1),)


class Pipeline:
    def __init__(self, **parts: object) -> None:
        self.components = parts


class Detector:
    def __init__(self, model: object) -> None:
        self.model = model
        self.labels = ["a", "b"]


def test_footprint_of_what_loaders_return() -> None:
    shared = Tensor(100)
    assert measure_bytes(Module(shared)) == 202
    assert measure_bytes(Pipeline(unet=Module(shared), vae=Module(shared), tokenizer="x")) == 204
    assert measure_bytes((Detector(Module(shared)), None)) == 202
    assert measure_bytes({"weights": memoryview(b"12345")}) == 5
    assert measure_bytes(Detector(None)) is None
    assert measure_bytes(object()) is None


def test_memory_of_a_gpu_is_0_without_one_and_unknown_without_its_library(
    kernel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "has_gpu", lambda: False)
    assert devices.gpu_memory_bytes.__wrapped__() == 0
    monkeypatch.setattr(devices, "has_gpu", lambda: True)
    monkeypatch.setattr("ctypes.CDLL", _no_library)
    assert devices.gpu_memory_bytes.__wrapped__() is None


def test_memory_of_a_gpu_is_what_its_library_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "has_gpu", lambda: True)
    for library, found in ((_Nvml(), 85_899_345_920), (_Nvml(start=1), None), (_Nvml(memory=3), None)):
        monkeypatch.setattr("ctypes.CDLL", lambda name, library=library: library)
        assert devices.gpu_memory_bytes.__wrapped__() == found
        assert library.is_open is False


class _Nvml:
    """The functions of the library that are used; each returns 0, or an error."""

    def __init__(self, start: int = 0, memory: int = 0) -> None:
        self._start, self._memory = start, memory
        self.is_open = False

    def nvmlInit_v2(self) -> int:  # noqa: N802
        self.is_open = not self._start
        return self._start

    def nvmlShutdown(self) -> int:  # noqa: N802
        self.is_open = False
        return 0

    def nvmlDeviceGetHandleByIndex_v2(self, index: int, device: Any) -> int:  # noqa: N802
        device._obj.value = 4711 + index
        return 0

    def nvmlDeviceGetMemoryInfo(self, device: Any, memory: Any) -> int:  # noqa: N802
        assert device.value == 4711
        memory._obj[0] = 85_899_345_920
        return self._memory


def _no_library(name: str) -> None:
    raise OSError(f"{name}: cannot open shared object file")


def test_driver_of_the_kernel_is_a_gpu(kernel: Path) -> None:
    assert devices.has_gpu() == Path("/dev/dxg").exists()
    (kernel / "proc/driver/nvidia").mkdir(parents=True)
    (kernel / "proc/driver/nvidia/version").write_text("NVRM")
    assert devices.has_gpu()
