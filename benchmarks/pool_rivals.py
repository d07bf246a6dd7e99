"""Policies of other projects, written from their published description.

Each may be run as described, with copies in pageable memory and weights copied back when a model leaves, or
with the transfers of the product, so that only the choice of what leaves differs.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from pool_replay import STREAMED_SHARE, TILING_SLOWDOWN, Policy
from pool_traces import GB, Step, Turn

from promptvision.testing.simulated_gpu import Block, SimulatedGpu


class Rival(Policy):
    """Keeps models on the device until :meth:`make_room` removes some.

    Args:
        gpu: the simulated device.
        sizes: bytes by model id.
        has_our_transfers: copy from pinned memory, and drop weights instead of copying them back.
    """

    def __init__(self, gpu: SimulatedGpu, sizes: dict[str, int], *, has_our_transfers: bool = False) -> None:
        super().__init__(gpu, sizes)
        self.has_our_transfers = has_our_transfers
        self.resident: dict[str, Block] = {}
        """By model id, the least recently used first."""

    def make_room(self, step: Step, missing: Sequence[str]) -> None:
        """Remove models before those that are missing are copied to the device."""

    def run(self, turn: Turn) -> None:
        """Make room, copy what is missing, and compute."""
        step = turn.step
        self.read(step.models)
        missing = [id_ for id_ in step.models if id_ not in self.resident]
        self.make_room(step, missing)
        for id_ in step.models:
            self.resident[id_] = self.resident.pop(id_) if id_ in self.resident else self.copy(id_)
        if step.grab:
            self.gpu.start_other_process(step.grab)
        self.activate(step.peak, step.seconds)

    def copy(self, id_: str) -> Block:
        """Copy a model to the device."""
        block = self.gpu.allocate(self.sizes[id_])
        self.gpu.copy_to(block.nbytes, is_pinned=self.has_our_transfers)
        return block

    def activate(self, peak: int, seconds: float) -> None:
        """Compute with activations of a size."""
        activations = self.gpu.allocate(peak)
        self.gpu.compute(seconds)
        del activations

    def remove(self, id_: str) -> None:
        """Move a model back to main memory."""
        if not self.has_our_transfers:
            self.gpu.copy_back(self.resident[id_].nbytes)
        del self.resident[id_]


class AllResident(Rival):
    """Nothing is ever removed: the ceiling where everything fits."""


class AlwaysOffload(Rival):
    """The models of a stage go to the device for it and back to main memory after it, on any card.

    Source: the usual recipe for diffusers, ``enable_model_cpu_offload``.
    """

    def run(self, turn: Turn) -> None:
        """Run the stage and remove its models, also if it fails."""
        try:
            super().run(turn)
        finally:
            for id_ in [id_ for id_ in turn.step.models if id_ in self.resident]:
                self.remove(id_)


class PartialLoads(Rival):
    """What does not fit even with an empty device is loaded in part; the rest is streamed in each pass.

    The declared peak of a step is the estimate of its activations, which some of the originals do not have.
    """

    extra: float
    margin: int

    def order(self) -> list[str]:
        """Resident models, the first to leave first."""
        raise NotImplementedError

    def room(self, step: Step, missing: Sequence[str]) -> int:
        """Bytes that must be free before a load."""
        weights = sum(self.sizes[id_] for id_ in missing)
        return int(weights * self.extra) + max(self.margin, step.declared_peak)

    def make_room(self, step: Step, missing: Sequence[str]) -> None:
        """Remove models in order until enough is free."""
        if not missing and self.gpu.free_bytes >= step.declared_peak:
            return
        for id_ in self.order():
            if self.gpu.free_bytes >= self.room(step, missing):
                return
            if id_ not in step.models:
                self.remove(id_)

    def run(self, turn: Turn) -> None:
        """Run resident, else with a part of the weights streamed."""
        step = turn.step
        missing = [id_ for id_ in step.models if id_ not in self.resident]
        self.make_room(step, missing)
        weights = sum(self.sizes[id_] for id_ in missing)
        spare = self.gpu.free_bytes - max(self.margin, step.declared_peak)
        if weights <= spare or not missing:
            self.run_resident(turn)
            return
        self.read(step.models)
        part = max(int(weights * STREAMED_SHARE), min(weights, spare))
        buffer = self.gpu.allocate(part)
        rest = (weights - part) * step.passes
        copying = self.gpu.copy_to(part + rest, is_pinned=self.has_our_transfers)
        if step.grab:
            self.gpu.start_other_process(step.grab)
        self.activate(step.peak, max(0.0, step.seconds - copying))
        del buffer
        self.note("streamed in part")

    def run_resident(self, turn: Turn) -> None:
        """Run with all weights on the device."""
        super().run(turn)


class SmallestFirst(PartialLoads):
    """Removes the smallest model first until 1.1 times the weights and an estimate of activations are free.

    Out of memory in the VAE is tried again with tiles; elsewhere everything is removed and the request fails.
    Results of steps with the same inputs are kept.

    Source: ComfyUI, ``comfy/model_management.py``, October 2025.
    """

    extra, margin = 1.1, 800_000_000
    keeps_results = True

    def order(self) -> list[str]:
        """The smallest first."""
        return sorted(self.resident, key=lambda id_: self.sizes[id_])

    def run_resident(self, turn: Turn) -> None:
        """Run; in the VAE, with tiles after running out of memory."""
        try:
            super().run_resident(turn)
        except MemoryError:
            tiled = turn.step.tiled_peak
            if tiled is None or not all(id_ in self.resident for id_ in turn.step.models):
                for id_ in list(self.resident):
                    self.remove(id_)
                raise
            self.activate(tiled, turn.step.seconds * TILING_SLOWDOWN)
            self.note("tiled")


class LeastRecentlyUsed(PartialLoads):
    """Removes the least recently used model until 1.3 times the weights and 1 GB are free.

    Source: Stable Diffusion WebUI Forge, ``backend/memory_management.py``.
    """

    extra, margin = 1.3, GB

    def order(self) -> list[str]:
        """The least recently used first."""
        return list(self.resident)


class SubsetSearch(Rival):
    """Tries every subset of the resident models for the smallest that frees the weights and a 3 GB margin.

    Source: diffusers 0.42, ``ComponentsManager.enable_auto_cpu_offload``.
    """

    margin = 3 * GB

    def make_room(self, step: Step, missing: Sequence[str]) -> None:
        """Remove the subset with the fewest bytes that is enough; everything if none is."""
        for id_ in missing:
            short = self.sizes[id_] + self.margin - self.gpu.free_bytes
            if short <= 0:
                continue
            others = [other for other in self.resident if other not in step.models]
            for victim in self._smallest(others, short) or others:
                self.remove(victim)
            self.resident[id_] = self.copy(id_)

    def _smallest(self, ids: Sequence[str], short: int) -> Sequence[str] | None:
        subsets = itertools.chain.from_iterable(
            itertools.combinations(ids, size) for size in range(1, len(ids) + 1)
        )
        enough = (
            (total, subset)
            for subset in subsets
            if (total := sum(self.sizes[id_] for id_ in subset)) >= short
        )
        return min(enough, default=(0, None))[1]
