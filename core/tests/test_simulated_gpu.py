"""The simulated GPU."""

from __future__ import annotations

import pytest

from promptvision.testing.simulated_gpu import SimulatedGpu, Speeds


def test_memory_is_free_again_with_the_last_reference() -> None:
    gpu = SimulatedGpu(100)
    block = gpu.allocate(60)
    with pytest.raises(MemoryError, match="50 bytes wanted, 40 free"):
        gpu.allocate(50)
    del block
    assert (gpu.free_bytes, gpu.highest_bytes) == (100, 60)


def test_copies_and_computation_advance_the_clock() -> None:
    gpu = SimulatedGpu(100, Speeds(pinned=10.0, pageable=5.0, back=2.0, disk=1.0))
    assert gpu.copy_to(20, is_pinned=True) == 2.0
    assert gpu.copy_to(20, is_pinned=False) == 4.0
    assert gpu.copy_back(4) == 2.0
    assert gpu.read(3) == 3.0
    assert gpu.compute(1.5) == 1.5
    assert gpu.seconds == 12.5
    assert (gpu.copied_to_bytes, gpu.copied_back_bytes, gpu.read_bytes) == (40, 4, 3)


def test_another_process_takes_memory_as_it_becomes_free() -> None:
    gpu = SimulatedGpu(100)
    block = gpu.allocate(80)
    gpu.start_other_process(50)
    assert (gpu.other_bytes, gpu.free_bytes) == (20, 0)
    del block
    assert (gpu.other_bytes, gpu.free_bytes) == (50, 50)
