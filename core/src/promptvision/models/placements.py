"""Choose where the weights of a pipeline are, by memory that is free and by measured speeds."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from promptvision.models import devices
from promptvision.models.grants import Grants
from promptvision.models.json_file import read_json, write_json
from promptvision.models.options import LeaseOptions
from promptvision.models.peaks import Peaks
from promptvision.models.placement import (
    LARGEST_LAYER_SHARE,
    Placement,
    Stage,
    gigabytes,
    needed_bytes,
)
from promptvision.models.prediction import StageCost, predict_seconds
from promptvision.models.spec import ModelSpec
from promptvision.models.speeds import GPU_SPEEDUP, Speeds

__all__ = ["PlacementChoice", "Placements", "StagePlan", "read_choices"]

logger = logging.getLogger(__name__)

_GAIN = 0.2
"""A pipeline keeps its placement unless another one is predicted to save more than this share of the time."""

_MAX_CHOICES = 100


@dataclass(frozen=True, kw_only=True)
class StagePlan:
    """One stage of a pipeline, for the choice of a placement.

    Args:
        name: of the stage; with its models the name in the tables of measured memory and seconds.
        models: ids of the models.
        passes: how often the networks run, such as the number of denoising steps.
        shape: sizes of the input, such as height and width.
        can_tile: whether the stage can do with the memory that the specs declare, whatever the input.
    """

    name: str
    models: tuple[str, ...]
    passes: int = 1
    shape: tuple[int, ...] = ()
    can_tile: bool = False


@dataclass(frozen=True, kw_only=True)
class PlacementChoice:
    """A chosen placement.

    Args:
        placement: of all stages.
        reason: why, in one sentence.
        seconds: predicted, by name of each placement that fits.
        needed_bytes: on the GPU, by name of each placement.
        free_bytes: on the GPU, counting models that can be evicted.
        at: time of the choice, in seconds since 1970.
    """

    placement: Placement
    reason: str
    seconds: dict[str, float]
    needed_bytes: dict[str, int]
    free_bytes: int
    at: float


_CHOICES = TypeAdapter(dict[str, PlacementChoice])


def read_choices(path: Path) -> dict[str, PlacementChoice]:
    """The choices in a file, by the models of the pipeline."""
    return read_json(path, _CHOICES, {}, "placements")


class Placements:
    """Chooses placements, and stores the last choice for each pipeline. Safe across threads.

    Args:
        grants: lists the models on the GPU.
        options: the specs and the preferred device.
        peaks: measured memory.
        speeds: measured seconds.
        limit: maximum bytes of weights; None for no limit.
        host_limit: maximum bytes of copies in main memory.
        path: where choices are stored.
    """

    def __init__(
        self,
        grants: Grants,
        options: LeaseOptions,
        peaks: Peaks,
        speeds: Speeds,
        *,
        limit: int | None,
        host_limit: int,
        path: Path,
    ) -> None:
        self._grants = grants
        self._options = options
        self._peaks = peaks
        self._speeds = speeds
        self._limit = limit
        self._host_limit = host_limit
        self._path = path
        self._lock = threading.Lock()
        self._last: dict[str, PlacementChoice] = {}

    def choices(self) -> dict[str, PlacementChoice]:
        """The last choices of this process, by the models of the pipeline."""
        with self._lock:
            return dict(self._last)

    def choose(self, plans: Sequence[StagePlan]) -> PlacementChoice:
        """The placement with the fewest predicted seconds of those that fit.

        Args:
            plans: the stages, in their order.

        Raises:
            SetupError: a model is not known.
        """
        specs = {id_: self._options.spec(id_) for plan in plans for id_ in plan.models}
        if self._options.best_device() != "cuda" or any("cuda" not in spec.dtypes for spec in specs.values()):
            return self._record(specs, _on_cpu("there is no GPU for all the models"))
        dtypes = {id_: devices.choose_dtype(spec.dtypes, "cuda") for id_, spec in specs.items()}
        free = self._grants.room("cuda", list(specs.values()))
        stages = [self._stage(plan, specs, dtypes) for plan in plans]
        costs = [self._cost(plan, specs, dtypes) for plan in plans]
        needed = {placement: needed_bytes(stages, placement) for placement in Placement}
        fitting = [
            placement for placement in Placement if self._fits(placement, needed[placement], free, stages)
        ]
        seconds = {
            placement: predict_seconds(costs, placement, self._speeds.copy_bytes_per_s)
            for placement in fitting
        }
        best = min(fitting, key=lambda placement: (seconds[placement], placement))
        chosen, kept = self._keep(specs, best, seconds)
        choice = PlacementChoice(
            placement=chosen,
            reason=_reason(chosen, kept, seconds, needed, free),
            seconds={each.name.lower(): round(found, 3) for each, found in seconds.items()},
            needed_bytes={each.name.lower(): size for each, size in needed.items()},
            free_bytes=free,
            at=time.time(),
        )
        return self._record(specs, choice)

    def _stage(self, plan: StagePlan, specs: dict[str, ModelSpec], dtypes: dict[str, str]) -> Stage:
        weights = self._weights(plan, specs, dtypes, "cuda")
        measured, at_least = self._peaks.measured(self._row(plan, specs, dtypes, Placement.RESIDENT))
        return Stage(
            weights=weights,
            peak_bytes=max((specs[id_].peak_bytes.get(dtypes[id_], 0) for id_ in plan.models), default=0),
            largest_layer_bytes=int(LARGEST_LAYER_SHARE * max(weights.values(), default=0)),
            measured_peak=None if plan.can_tile else measured,
            at_least=0 if plan.can_tile else at_least,
        )

    def _cost(self, plan: StagePlan, specs: dict[str, ModelSpec], dtypes: dict[str, str]) -> StageCost:
        weights = self._weights(plan, specs, dtypes, "cuda")
        on_cpu = {
            id_: devices.choose_dtype(specs[id_].dtypes, "cpu")
            for id_ in plan.models
            if "cpu" in specs[id_].dtypes
        }
        size = sum(weights.values())
        cpu_row = self._row(plan, specs, {**dtypes, **on_cpu}, Placement.CPU)
        streamed = {
            placement: found
            for placement in (Placement.GROUP, Placement.SEQUENTIAL)
            if (found := self._speeds.measured_pass_s(self._row(plan, specs, dtypes, placement))) is not None
        }
        gpu_row = self._row(plan, specs, dtypes, Placement.RESIDENT)
        gpu_pass_s = self._speeds.pass_s("cuda", gpu_row, size)
        return StageCost(
            weights=weights,
            passes=plan.passes,
            gpu_pass_s=gpu_pass_s,
            cpu_pass_s=self._speeds.pass_s("cpu", cpu_row, 2 * size, at_least=gpu_pass_s * GPU_SPEEDUP),
            measured=streamed,
        )

    def _row(
        self, plan: StagePlan, specs: dict[str, ModelSpec], dtypes: dict[str, str], placement: Placement
    ) -> str:
        mode = "streamed" if placement.is_streamed else "cpu" if placement is Placement.CPU else "cuda"
        return self._peaks.row(
            placement.operation(plan.name),
            {self._grants.component(specs[id_]) for id_ in plan.models},
            mode,
            plan.shape,
            {dtypes[id_] for id_ in plan.models},
        )

    def _weights(
        self, plan: StagePlan, specs: dict[str, ModelSpec], dtypes: dict[str, str], device: str
    ) -> dict[str, int]:
        return {
            self._grants.component(specs[id_]): self._grants.size(specs[id_], device, dtypes[id_])
            for id_ in plan.models
        }

    def _fits(self, placement: Placement, needed: int, free: int, stages: Sequence[Stage]) -> bool:
        weights = {name: size for stage in stages for name, size in stage.weights.items()}
        if (
            placement is Placement.RESIDENT
            and self._limit is not None
            and sum(weights.values()) > self._limit
        ):
            return False
        largest = max((sum(stage.weights.values()) for stage in stages), default=0)
        if placement is Placement.GROUP and largest > self._host_limit:
            return False  # without page-locked copies the groups would be pinned in each call
        return needed <= free

    def _keep(
        self, specs: dict[str, ModelSpec], best: Placement, seconds: dict[Placement, float]
    ) -> tuple[Placement, bool]:
        """The last placement of the same pipeline if it fits and is almost as fast as the best one."""
        with self._lock:
            last = self._last.get(_name(specs))
        if last is None or last.placement is best or last.placement not in seconds:
            return best, False
        is_worth_it = seconds[best] < (1 - _GAIN) * seconds[last.placement]
        return (best, False) if is_worth_it else (last.placement, True)

    def _record(self, specs: dict[str, ModelSpec], choice: PlacementChoice) -> PlacementChoice:
        name = _name(specs)
        with self._lock:
            before = self._last.pop(name, None)
            self._last[name] = choice
            while len(self._last) > _MAX_CHOICES:
                del self._last[next(iter(self._last))]
            is_new = before is None or before.placement is not choice.placement
            stored = _CHOICES.dump_python(self._last, mode="json")
        if is_new:
            logger.info("%s: %s: %s", name, choice.placement.words, choice.reason)
        if is_new and choice.seconds:  # without a GPU there is nothing to choose
            write_json(self._path, stored, "placements")
        return choice


def _name(specs: dict[str, ModelSpec]) -> str:
    return "+".join(sorted(specs))


def _on_cpu(reason: str) -> PlacementChoice:
    return PlacementChoice(
        placement=Placement.CPU, reason=reason, seconds={}, needed_bytes={}, free_bytes=0, at=time.time()
    )


def _reason(
    chosen: Placement,
    is_kept: bool,
    seconds: dict[Placement, float],
    needed: dict[Placement, int],
    free: int,
) -> str:
    parts = [f"needs {gigabytes(needed[chosen])} of {gigabytes(free)}, predicted {seconds[chosen]:.3g} s"]
    if is_kept:
        parts.append(f"kept, as no other saves more than {_GAIN:.0%}")
    for placement in Placement:
        if placement < chosen and placement not in seconds:
            parts.append(f"{placement.name.lower()} needs {gigabytes(needed[placement])}")
        elif placement < chosen:
            parts.append(f"{placement.name.lower()} would take {seconds[placement]:.3g} s")
    return "; ".join(parts)
