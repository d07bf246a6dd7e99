"""The order in which placements are tried."""

from __future__ import annotations

import errno
import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptvision.errors import ToolFailed
from promptvision.models.placement import (
    DoesNotFit,
    Placement,
    Stage,
    choose,
    is_out_of_memory,
    needed_bytes,
)

GB = 10**9
SDXL = (
    Stage(weights={"text": 1_640_000_000}, peak_bytes=GB // 10, largest_layer_bytes=GB // 10),
    Stage(weights={"unet": 5_130_000_000}, peak_bytes=2 * GB, largest_layer_bytes=GB // 5),
    Stage(weights={"vae": 170_000_000}, peak_bytes=4_600_000_000, largest_layer_bytes=GB // 50),
)


def test_resident_holds_all_weights_once_and_the_highest_peak() -> None:
    twice = (*SDXL, Stage(weights={"text": 1_640_000_000}))
    assert needed_bytes(twice, Placement.RESIDENT) == 6_940_000_000 + 5_750_000_000


def test_component_by_component_holds_one_stage() -> None:
    assert needed_bytes(SDXL, Placement.COMPONENT) == 5_130_000_000 + 2_500_000_000


def test_sequential_holds_one_layer_and_group_three() -> None:
    assert needed_bytes(SDXL, Placement.SEQUENTIAL) == 20_000_000 + 5_750_000_000
    assert needed_bytes(SDXL, Placement.GROUP) == 60_000_000 + 5_750_000_000


def test_a_measured_peak_replaces_the_declared_one_and_a_failed_run_raises_it() -> None:
    stage = Stage(weights={}, peak_bytes=400)
    assert stage.peak == 500
    assert replace(stage, measured_peak=330).peak == 330
    assert replace(stage, at_least=700).peak == 700


@pytest.mark.parametrize(
    ("free", "placement"),
    [
        (24 * GB, Placement.RESIDENT),
        (12_690_000_000, Placement.RESIDENT),
        (12_689_999_999, Placement.COMPONENT),
        (7 * GB, Placement.GROUP),
        (5_800_000_000, Placement.SEQUENTIAL),
        (5 * GB, Placement.CPU),
        (0, Placement.CPU),
    ],
)
def test_the_highest_level_that_fits_is_chosen(free: int, placement: Placement) -> None:
    assert choose(SDXL, free) is placement


def test_after_running_out_of_memory_the_next_lower_level_is_the_best_allowed() -> None:
    assert Placement.RESIDENT.lower is Placement.COMPONENT
    assert choose(SDXL, 24 * GB, at_best=Placement.COMPONENT) is Placement.COMPONENT
    assert Placement.CPU.lower is None


STAGES = st.lists(
    st.builds(
        Stage,
        weights=st.dictionaries(st.sampled_from("abc"), st.integers(0, 100), max_size=3),
        peak_bytes=st.integers(0, 100),
    ),
    max_size=4,
)


@given(stages=STAGES, free=st.integers(0, 800), more=st.integers(0, 100))
def test_more_memory_never_means_a_lower_level(stages: list[Stage], free: int, more: int) -> None:
    chosen = choose(stages, free)
    assert needed_bytes(stages, chosen) <= free
    assert choose(stages, free + more) <= chosen


def raised(*errors: Exception) -> Exception:
    """The last of the errors, each caused by the one before."""
    for cause, error in itertools.pairwise(errors):
        error.__cause__ = cause
    return errors[-1]


OutOfMemoryError = type("OutOfMemoryError", (RuntimeError,), {})


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (DoesNotFit(["a"], "cuda", 2 * GB, GB, "close other programs"), True),
        (OutOfMemoryError("whatever"), True),
        (RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling"), True),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"), True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`"), True),
        (RuntimeError("CUDA driver error: out of memory"), True),
        (RuntimeError("HIP out of memory. Tried to allocate 2 GiB"), True),
        (RuntimeError("unable to mmap 5135178560 bytes from file: Cannot allocate memory (12)"), True),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), True),
        (OSError(errno.ENOENT, "No such file"), False),
        (raised(MemoryError(), ToolFailed("sam: it failed")), True),
        (RuntimeError("CUDA error: device-side assert triggered"), False),
        (ValueError("CUDA out of memory"), False),
        (ToolFailed("nothing found"), False),
    ],
)
def test_out_of_memory_is_recognised(error: Exception, expected: bool) -> None:
    assert is_out_of_memory(error) is expected


def test_errors_that_cause_each_other_end() -> None:
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert not is_out_of_memory(first)


def test_the_error_says_what_is_needed_and_what_is_free() -> None:
    error = DoesNotFit(["unet", "vae"], "cuda", 6_940_000_000, 4 * GB, "use a smaller model")
    assert str(error) == "'unet', 'vae': 6.94 GB needed on cuda, 4.00 GB available; use a smaller model"
