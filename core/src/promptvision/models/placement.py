"""Placement levels: how much of a pipeline is on the device at one time."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from promptvision.errors import ToolFailed

__all__ = ["PEAK_MARGIN", "DoesNotFit", "Placement", "Stage", "choose", "is_out_of_memory", "needed_bytes"]

PEAK_MARGIN = 1.25
"""Factor on a declared activation peak, which is a guess until it has been measured."""


class Placement(IntEnum):
    """Levels, fastest first."""

    RESIDENT = 0
    """All components stay on the device."""
    COMPONENT = 1
    """Components are moved to the device one at a time, each for its stage."""
    SEQUENTIAL = 2
    """Layers are moved to the device one at a time; more than three times slower."""
    CPU = 3
    """Nothing is on the device."""

    @property
    def lower(self) -> Placement | None:
        """The next level down; None on the last one."""
        return Placement(self + 1) if self < Placement.CPU else None


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One part of a pipeline that runs on its own, such as encoding text or decoding latents.

    Args:
        weights: component id to bytes; a component may be in several stages.
        peak_bytes: activations of the stage in addition to its weights; an estimate.
        largest_layer_bytes: the largest part that sequential placement moves as a whole.
    """

    weights: dict[str, int]
    peak_bytes: int = 0
    largest_layer_bytes: int = 0


class DoesNotFit(ToolFailed):
    """Models do not fit on a device even after evicting everything else."""

    def __init__(self, models: Sequence[str], device: str, needed: int, free: int, hint: str) -> None:
        names = ", ".join(repr(model) for model in models)
        super().__init__(f"{names}: {gigabytes(needed)} needed on {device}, {gigabytes(free)} available")
        self.needed_bytes = needed
        self.free_bytes = free
        self.hint = hint


def gigabytes(count: int) -> str:
    """Bytes as text, in decimal gigabytes: ``6.94 GB``."""
    return f"{count / 1e9:.2f} GB"


def peak_prior(peak_bytes: int) -> int:
    """A declared peak with its margin."""
    return int(peak_bytes * PEAK_MARGIN)


def needed_bytes(stages: Sequence[Stage], placement: Placement) -> int:
    """The peak memory on the device under a placement.

    Resident: all weights once, and the highest peak. Component by component: the largest component, or all
        components of one stage that work together, with that stage's peak. Sequential: the largest layer and
        its peak.
    """
    if placement is Placement.CPU or not stages:
        return 0
    if placement is Placement.RESIDENT:
        everything = {name: size for stage in stages for name, size in stage.weights.items()}
        return sum(everything.values()) + max(peak_prior(stage.peak_bytes) for stage in stages)
    if placement is Placement.COMPONENT:
        return max(sum(stage.weights.values()) + peak_prior(stage.peak_bytes) for stage in stages)
    return max(stage.largest_layer_bytes + peak_prior(stage.peak_bytes) for stage in stages)


def choose(stages: Sequence[Stage], free_bytes: int, *, at_best: Placement = Placement.RESIDENT) -> Placement:
    """The fastest level that fits.

    Args:
        stages: the pipeline.
        free_bytes: free memory of the device, counting models that can be evicted
            (:func:`~promptvision.models.devices.usable_bytes`); 0 without a device.
        at_best: the fastest level allowed; after running out of memory, the level below the failed one.
    """
    for placement in Placement:
        if placement >= at_best and needed_bytes(stages, placement) <= free_bytes:
            return placement
    return Placement.CPU


_TEXTS = (
    "out of memory",
    "STATUS_ALLOC_FAILED",
    "CUBLAS_STATUS_NOT_INITIALIZED",
    "not enough memory",
    "cannot allocate memory",
    "can't allocate memory",
    "memory allocation failed",
)
"""Parts of messages, compared without case. CUDA, HIP and the CUDA driver say "out of memory"; cuBLAS and
cuDNN "..._STATUS_ALLOC_FAILED"; cuBLAS "NOT_INITIALIZED" if its workspace does not fit; torch's CPU allocator
"can't allocate memory" or "not enough memory"; mmap "Cannot allocate memory"."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error or one of its causes means that memory ran out.

    Knows :class:`DoesNotFit`, ``MemoryError``, ``torch.OutOfMemoryError``, ``OSError`` with ``ENOMEM``, and
    the messages of CUDA, HIP, cuBLAS, cuDNN, mmap, safetensors and torch's CPU allocator. Handle it outside
    the ``except`` block: the traceback keeps the tensors of the failed call alive.
    """
    return any(_says_out_of_memory(link) for link in _chain(error))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _says_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError | DoesNotFit):
        return True
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    kind = type(error).__name__
    if kind == "OutOfMemoryError":
        return True
    text = str(error).lower()
    is_native = isinstance(error, RuntimeError | OSError) or kind == "SafetensorError"
    return is_native and any(part.lower() in text for part in _TEXTS)
