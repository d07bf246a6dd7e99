"""Replay a trace on a simulated GPU, with the ledger and the eviction order of the product."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from pool_traces import Step, Trace, Turn

from promptvision.models.devices import HEADROOM_BYTES, HEADROOM_SHARE
from promptvision.models.eviction import EvictionPolicy
from promptvision.models.ledger import Lease, Ledger
from promptvision.models.peak_table import PeakTable
from promptvision.models.placement import (
    LARGEST_LAYER_SHARE,
    DoesNotFit,
    Placement,
    Stage,
    needed_bytes,
    peak_prior,
)
from promptvision.models.prediction import StageCost, predict_seconds
from promptvision.models.slot import Slot
from promptvision.models.spec import ModelSpec
from promptvision.testing.simulated_gpu import SimulatedGpu

CPU_SLOWDOWN = 40
TILING_SLOWDOWN = 1.3
PLACEMENTS = (Placement.RESIDENT, Placement.COMPONENT, Placement.GROUP, Placement.CPU)
"""Without ``SEQUENTIAL``, which is slower than ``GROUP`` and needs hardly less memory."""
STREAMED_SHARE = 0.05
"""Part of the weights that is on the device while layers are streamed."""


def headroom(total: int) -> int:
    """What the product leaves free on a device."""
    return max(HEADROOM_BYTES, int(total * HEADROOM_SHARE))


@dataclass
class Outcome:
    """What a replay cost."""

    seconds: float
    to_device: int
    to_host: int
    failures: int
    events: dict[str, int] = field(default_factory=dict)


class Policy(ABC):
    """Decides what is on the device.

    Args:
        gpu: the simulated device.
        sizes: bytes by model id.
    """

    def __init__(self, gpu: SimulatedGpu, sizes: dict[str, int]) -> None:
        self.gpu = gpu
        self.sizes = sizes
        self._read: set[str] = set()
        self._results: set[str] = set()
        self.events: dict[str, int] = {}

    keeps_results = False

    @abstractmethod
    def run(self, turn: Turn) -> None:
        """Run a step.

        Raises:
            MemoryError: the device has not enough memory for it.
        """

    def read(self, ids: Iterable[str]) -> None:
        """Read models from the disk that are not in main memory yet."""
        for id_ in ids:
            if id_ not in self._read:
                self._read.add(id_)
                self.gpu.read(self.sizes[id_])

    def note(self, event: str) -> None:
        """Count an event."""
        self.events[event] = self.events.get(event, 0) + 1

    def known(self, step: Step) -> bool:
        """Whether the step's result is kept from an earlier request."""
        return self.keeps_results and step.result in self._results

    def keep(self, step: Step) -> None:
        """Keep the result of a step."""
        if step.result:
            self._results.add(step.result)


def replay(policy: Policy, trace: Trace) -> Outcome:
    """Run every step; a request ends at its first failure."""
    failed: set[int] = set()
    for turn in trace.turns:
        if turn.request in failed or policy.known(turn.step):
            continue
        try:
            policy.run(turn)
            policy.keep(turn.step)
        except MemoryError:
            failed.add(turn.request)
    gpu = policy.gpu
    return Outcome(gpu.seconds, gpu.copied_to_bytes, gpu.copied_back_bytes, len(failed), policy.events)


class OurPool(Policy):
    """The product's ledger, eviction order, learned peaks and recovery.

    Args:
        gpu: the simulated device.
        sizes: bytes by model id.
        policy: of evictions; default: the product's.
        announces: whether plans announce what they need next.
        learns: whether measured peaks replace declared ones.
        prefetches: whether models that plans need next are loaded during computation while memory is free.
    """

    keeps_results = True

    def __init__(
        self,
        gpu: SimulatedGpu,
        sizes: dict[str, int],
        *,
        policy: EvictionPolicy | None = None,
        announces: bool = True,
        learns: bool = True,
        prefetches: bool = False,
    ) -> None:
        super().__init__(gpu, sizes)
        self._announces = announces
        self._learns = learns
        self._next_models: tuple[str, ...] = ()
        self._prefetches = prefetches
        self._peaks = PeakTable(None)
        self._placements: dict[int, Placement] = {}
        self._specs = {id_: _spec(id_, size) for id_, size in sizes.items()}
        self._ledger = Ledger(self._usable, None, policy=policy)

    def _usable(self, device: str, held: int) -> int:
        total = self.gpu.total_bytes
        return max(0, total - self.gpu.other_bytes - headroom(total))

    def run(self, turn: Turn) -> None:
        """Run a step on the fastest level that fits, and on the next one if memory runs out."""
        self.read(turn.step.models)
        self._next_models = turn.next_models
        if self._announces:
            self._ledger.announce(turn.next_models)
        for level in self._levels(turn):
            if self._tried(level, turn.step):
                return
        self.gpu.compute(turn.step.seconds * CPU_SLOWDOWN)
        self.note("on the CPU")

    def _levels(self, turn: Turn) -> Sequence[Callable[[Step], None]]:
        """What is tried, in order; a pipeline begins with the placement that the product chooses for it."""
        resident, streamed = [self._resident, self._tiled], [self._streamed, self._streamed_tiled]
        if not turn.step.is_staged:
            return [self._resident]
        if turn.request not in self._placements:
            self._placements[turn.request] = self._choose([step for step in turn.plan if step.is_staged])
        placement = self._placements[turn.request]
        if placement is Placement.CPU:
            return []
        return streamed if placement.is_streamed else resident + streamed

    def _choose(self, plan: Sequence[Step]) -> Placement:
        """The placement with the fewest predicted seconds of those that fit."""
        stages, costs = [self._stage(step) for step in plan], [self._cost(step) for step in plan]
        free, speed = self._usable("cuda", 0), self.gpu.speeds.pinned
        fitting = [placement for placement in PLACEMENTS if needed_bytes(stages, placement) <= free]
        return min(fitting, key=lambda placement: predict_seconds(costs, placement, speed))

    def _stage(self, step: Step) -> Stage:
        weights = {id_: self.sizes[id_] for id_ in step.models}
        return Stage(
            weights=weights,
            peak_bytes=step.declared_peak if step.tiled_peak is None else step.tiled_peak,
            largest_layer_bytes=int(LARGEST_LAYER_SHARE * max(weights.values())),
            measured_peak=self._measured(step) if step.tiled_peak is None else None,
        )

    def _cost(self, step: Step) -> StageCost:
        return StageCost(
            weights={id_: self.sizes[id_] for id_ in step.models},
            passes=step.passes,
            gpu_pass_s=step.seconds / step.passes,
            cpu_pass_s=step.seconds / step.passes * CPU_SLOWDOWN,
        )

    def _measured(self, step: Step) -> int | None:
        return self._peaks.estimate(step.name) if self._learns else None

    def _tried(self, level: Callable[[Step], None], step: Step) -> bool:
        """Whether a level ran; if memory ran out although it should have fit, once more alone."""
        for _ in range(2):
            try:
                level(step)
            except DoesNotFit:
                return False
            except MemoryError:
                self.note("out of memory")
            else:
                return True
            self._ledger.evict(self._ledger.unused())
        return False

    def _resident(self, step: Step) -> None:
        self._compute(step, self._peak(step), step.peak, step.seconds)

    def _tiled(self, step: Step) -> None:
        if step.tiled_peak is None:
            raise DoesNotFit(step.models, "cuda", step.peak, 0, "")
        self._compute(step, step.tiled_peak, step.tiled_peak, step.seconds * TILING_SLOWDOWN)
        self.note("tiled")

    def _streamed(self, step: Step) -> None:
        self._stream(step, self._peak(step), step.peak, step.seconds)
        self.note("streamed")

    def _streamed_tiled(self, step: Step) -> None:
        if step.tiled_peak is None:
            raise DoesNotFit(step.models, "cuda", step.peak, 0, "")
        self._stream(step, step.tiled_peak, step.tiled_peak, step.seconds * TILING_SLOWDOWN)
        self.note("streamed and tiled")

    def _peak(self, step: Step) -> int:
        prior = peak_prior(step.declared_peak)
        at_least = self._peaks.more_than(step.name) if self._learns else 0
        return self._measured(step) or max(prior, at_least)

    def _compute(self, step: Step, reserved: int, peak: int, seconds: float) -> None:
        slots = {id_: self._ledger.slot_for(self._specs[id_], "cuda", "float16") for id_ in step.models}
        lease = Lease("cuda", {"cuda": reserved}, slots)
        if not self._ledger.grant(lease):
            raise MemoryError
        try:
            for slot in lease.to_load:
                self._load(slot)
            if step.grab:
                self.gpu.start_other_process(step.grab)
            self._activate(step, peak, seconds)
        finally:
            self._ledger.release(lease)

    def _load(self, slot: Slot) -> None:
        slot.model = self.gpu.allocate(slot.bytes)
        slot.reload_s = slot.load_s = self.gpu.copy_to(slot.bytes, is_pinned=True)
        slot.is_ready = True

    def _stream(self, step: Step, reserved: int, peak: int, seconds: float) -> None:
        weights = sum(self.sizes[id_] for id_ in step.models)
        part = int(weights * STREAMED_SHARE)
        lease = Lease("cuda", {"cuda": reserved + part}, {})
        if not self._ledger.grant(lease):
            raise MemoryError
        try:
            buffer = self.gpu.allocate(part)
            copying = self.gpu.copy_to(weights * step.passes, is_pinned=True)
            self._activate(step, peak, max(0.0, seconds - copying))
            del buffer
        finally:
            self._ledger.release(lease)

    def _activate(self, step: Step, peak: int, seconds: float) -> None:
        activations = self.gpu.allocate(peak)
        copying = self._prefetch() if self._prefetches else 0.0
        self.gpu.compute(max(0.0, seconds - copying))
        del activations
        if peak == step.peak:
            self._peaks.add(step.name, peak)

    def _prefetch(self) -> float:
        """Load what plans need next into free memory; return the seconds, during which the GPU computes."""
        before = self.gpu.seconds
        for id_ in self._next_models:
            slot = self._ledger.slot_for(self._specs[id_], "cuda", "float16")
            lease = Lease("cuda", {}, {id_: slot})
            if slot.is_ready:
                continue
            try:
                if not self._ledger.grant(lease, lambda slot: False):
                    break
            except DoesNotFit:
                break
            self.read([id_])
            self._load(slot)
            self._ledger.release(lease)
        return self.gpu.seconds - before


def _spec(id_: str, size: int) -> ModelSpec:
    return ModelSpec(
        id=id_,
        source="someone/something",
        revision="0" * 40,
        files=(),
        license="MIT",
        weight_bytes={"float16": size},
    )
