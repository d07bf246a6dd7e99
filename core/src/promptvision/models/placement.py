"""Placement levels: how much of a pipeline is on the device at one time."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from promptvision.errors import ToolFailed

__all__ = ["PEAK_MARGIN", "DoesNotFit", "Placement", "Stage", "choose", "is_out_of_memory", "needed_bytes"]

PEAK_MARGIN = 1.25
"""Factor on a declared activation peak, which is an estimate until it has been measured."""


class Placement(IntEnum):
    """Levels, fastest first."""

    RESIDENT = 0
    """All components stay on the device."""
    COMPONENT = 1
    """Components are on the device for their stage at least; then they may be evicted for others."""
    GROUP = 2
    """Layers are moved to the device while the ones before them compute; the weights stay in main memory."""
    SEQUENTIAL = 3
    """Layers are moved to the device one at a time; more than three times slower."""
    CPU = 4
    """Nothing is on the device."""

    @property
    def words(self) -> str:
        """The level in a sentence, such as ``continued layer by layer``."""
        return _WORDS[self]

    @property
    def is_streamed(self) -> bool:
        """Whether the weights stay in main memory and layers are moved to the device."""
        return self in (Placement.GROUP, Placement.SEQUENTIAL)

    def operation(self, stage: str) -> str:
        """The name of a stage in the tables of measured memory and seconds."""
        return f"{stage}, {self.name.lower()}" if self.is_streamed else stage

    @property
    def lower(self) -> Placement | None:
        """The next level down; None on the last one."""
        return Placement(self + 1) if self < Placement.CPU else None


_WORDS = {
    Placement.RESIDENT: "with all models on the GPU",
    Placement.COMPONENT: "component by component",
    Placement.GROUP: "with weights streamed in groups of layers",
    Placement.SEQUENTIAL: "layer by layer",
    Placement.CPU: "on the CPU",
}

LARGEST_LAYER_SHARE = 0.03
"""Share of the largest layer in a model, such as a 1280 x 10240 projection of SDXL."""

GROUP_LAYERS = 3
"""Layers on the device with :attr:`Placement.GROUP`: one computes, one is copied, one is not yet released."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One part of a pipeline that runs on its own, such as encoding text or decoding latents.

    Args:
        weights: component id to bytes; a component may be in several stages.
        peak_bytes: activations of the stage in addition to its weights; an estimate.
        largest_layer_bytes: the largest part that sequential placement moves as a whole.
        measured_peak: activations that were measured, which are then used instead; None before that.
        at_least: activations with which the stage ran out of memory; 0 if it did not.
    """

    weights: dict[str, int]
    peak_bytes: int = 0
    largest_layer_bytes: int = 0
    measured_peak: int | None = None
    at_least: int = 0

    @property
    def peak(self) -> int:
        """Bytes to keep free for activations."""
        if self.measured_peak is not None:
            return self.measured_peak
        return max(peak_prior(self.peak_bytes), self.at_least)


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
        components of one stage that work together, with that stage's peak. Group: a few of the largest
        layers and the peak. Sequential: the largest layer and the peak.
    """
    if placement is Placement.CPU or not stages:
        return 0
    if placement is Placement.RESIDENT:
        everything = {name: size for stage in stages for name, size in stage.weights.items()}
        return sum(everything.values()) + max(stage.peak for stage in stages)
    if placement is Placement.COMPONENT:
        return max(sum(stage.weights.values()) + stage.peak for stage in stages)
    layers = GROUP_LAYERS if placement is Placement.GROUP else 1
    return max(layers * stage.largest_layer_bytes + stage.peak for stage in stages)


def choose(stages: Sequence[Stage], free_bytes: int, *, at_best: Placement = Placement.RESIDENT) -> Placement:
    """The highest level that fits.

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
    return any(_says_out_of_memory(link) for link in causes(error))


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error, and the errors that led to it."""
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
