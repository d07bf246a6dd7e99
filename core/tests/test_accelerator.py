"""What is read from torch about a GPU, with an object that has the functions of ``torch.cuda``."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from promptvision.models import devices
from promptvision.models.accelerator import CudaAccelerator

GIB = 2**30


class Cuda:
    """The allocator's figures, nested as in torch."""

    def __init__(self) -> None:
        self.is_there = True
        self.free = 10 * GIB
        self.current, self.peak, self.reserved = 2 * GIB, 3 * GIB, 5 * GIB
        self.waited = 0

    def is_available(self) -> bool:
        return self.is_there

    def is_initialized(self) -> bool:
        return self.is_there

    def get_device_name(self) -> str:
        return "NVIDIA H100"

    def mem_get_info(self) -> tuple[int, int]:
        return self.free, 24 * GIB

    def memory_stats_as_nested_dict(self) -> dict[str, Any]:
        return {
            "allocated_bytes": {"all": {"current": self.current, "peak": self.peak}},
            "reserved_bytes": {"all": {"current": self.reserved, "peak": self.reserved}},
        }

    def reset_peak_memory_stats(self) -> None:
        self.peak = self.current

    def synchronize(self) -> None:
        self.waited += 1


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> Cuda:
    made = Cuda()
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=made, __version__="2.15.0"))
    return made


def test_figures_are_those_of_the_allocator(cuda: Cuda) -> None:
    gpu = CudaAccelerator()
    assert gpu.label() == "NVIDIA H100, torch 2.15.0"
    assert (gpu.allocated_bytes(), gpu.peak_bytes()) == (2 * GIB, 3 * GIB)
    gpu.reset_peak()
    assert gpu.peak_bytes() == 2 * GIB
    gpu.synchronize()
    assert cuda.waited == 1


def test_before_torch_uses_the_gpu_nothing_is_known(cuda: Cuda) -> None:
    cuda.is_there = False
    gpu = CudaAccelerator()
    assert (gpu.label(), gpu.allocated_bytes(), gpu.peak_bytes()) == ("", None, None)
    gpu.reset_peak()
    gpu.synchronize()
    assert (cuda.peak, cuda.waited) == (3 * GIB, 0)


def test_tensors_are_pinned_and_copied_without_blocking() -> None:
    calls: list[Any] = []
    tensor = SimpleNamespace(
        to=lambda *args, **options: calls.append((args, options)), pin_memory=lambda: calls.append("pin")
    )
    gpu = CudaAccelerator()
    gpu.pin(tensor)
    gpu.place(tensor)
    assert calls == ["pin", (("cuda",), {"non_blocking": True})]


def test_nine_tenths_of_cached_blocks_count_as_free_and_other_processes_do_not(cuda: Cuda) -> None:
    """Free 10, live tensors 2, and 3 of cached blocks; another process that takes 4 leaves 6 free."""
    expected = 12 * GIB + int(0.9 * 3 * GIB)
    assert devices.usable_bytes("cuda", headroom_bytes=0) == expected
    assert devices.usable_bytes("cuda") == expected - int(0.03 * 24 * GIB)
    cuda.free -= 4 * GIB
    assert devices.usable_bytes("cuda", headroom_bytes=GIB) == expected - 5 * GIB


@pytest.mark.parametrize(
    ("setting", "expected"), [(None, 8 * GIB), (3 * GIB, 3 * GIB), (20 * GIB, 8 * GIB), (0, 0)]
)
def test_copies_use_half_of_the_memory_at_most(
    setting: int | None, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "total_bytes", lambda device: 16 * GIB)
    assert devices.host_limit(setting) == expected
