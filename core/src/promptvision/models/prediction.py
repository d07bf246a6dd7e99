"""Predict how long the stages of a pipeline take with each placement of their weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from promptvision.models.placement import Placement
from promptvision.models.speeds import PAGEABLE_SHARE

__all__ = ["StageCost", "predict_seconds"]


@dataclass(frozen=True, kw_only=True)
class StageCost:
    """What a stage costs.

    Args:
        weights: component to bytes.
        passes: how often its networks run.
        gpu_pass_s: seconds of one pass with all weights on the GPU.
        cpu_pass_s: seconds of one pass on the CPU.
        measured: seconds of one pass with streamed weights, where they were measured.
    """

    weights: Mapping[str, int]
    passes: int = 1
    gpu_pass_s: float = 0.0
    cpu_pass_s: float = 0.0
    measured: Mapping[Placement, float] = field(default_factory=dict)


def predict_seconds(stages: Sequence[StageCost], placement: Placement, copy_bytes_per_s: float) -> float:
    """Seconds of all stages of one of many calls, copies of weights included.

    Resident: nothing is copied after the first call. Component: at most, what the stage before did not use is
    copied for each stage. Group: each pass takes as long as its copies or its computation, whichever is
    longer. Sequential: each pass takes as long as both, and copies are slower, because each waits for the one
    before.

    Args:
        stages: in their order.
        placement: of all stages.
        copy_bytes_per_s: from page-locked memory to the GPU.
    """
    if placement is Placement.RESIDENT:
        return _computation(stages)
    if placement is Placement.COMPONENT:
        return _swapped_bytes(stages) / copy_bytes_per_s + _computation(stages)
    return sum(stage.passes * _pass_s(stage, placement, copy_bytes_per_s) for stage in stages)


def _computation(stages: Sequence[StageCost]) -> float:
    return sum(stage.passes * stage.gpu_pass_s for stage in stages)


def _swapped_bytes(stages: Sequence[StageCost]) -> int:
    total = 0
    kept: set[str] = set()
    for stage in stages:
        total += sum(size for name, size in stage.weights.items() if name not in kept)
        kept = set(stage.weights)
    return total


def _pass_s(stage: StageCost, placement: Placement, copy_bytes_per_s: float) -> float:
    if placement is Placement.CPU:
        return stage.cpu_pass_s
    if (measured := stage.measured.get(placement)) is not None:
        return measured
    copies = sum(stage.weights.values()) / copy_bytes_per_s
    if placement is Placement.GROUP:
        return max(stage.gpu_pass_s, copies)
    return stage.gpu_pass_s + copies / PAGEABLE_SHARE
