"""Activation memory of calls: measured where a call had the GPU to itself, declared until then."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from promptvision.models.accelerator import Accelerator
from promptvision.models.ledger import Lease
from promptvision.models.options import LeaseOption
from promptvision.models.peak_table import MARGIN, PeakTable, shape_class
from promptvision.models.placement import GROUP_LAYERS, LARGEST_LAYER_SHARE, peak_prior
from promptvision.models.slot import Slot

__all__ = ["Peaks"]

_GPU = "cuda"


@dataclass
class _Run:
    """A lease whose peak is being measured."""

    key: str
    baseline: int
    reserved: int
    is_exclusive: bool = True


class Peaks:
    """Reserves and measures the activation memory of leases. Safe across threads.

    A peak is measured only if no other lease used the GPU and nothing was loaded there meanwhile.

    Args:
        table: what was measured.
        accelerator: measures.
    """

    def __init__(self, table: PeakTable, accelerator: Accelerator) -> None:
        self.table = table
        self._accelerator = accelerator
        self._lock = threading.Lock()
        self._running: dict[int, _Run] = {}

    def reserve(self, option: LeaseOption, slots: Mapping[str, Slot], device: str) -> int:
        """Bytes to keep free for a call: measured plus 10 %, else declared plus 25 %.

        Args:
            option: the models, and the peak that the caller declares.
            slots: of the models.
            device: the device of computation.
        """
        declared = option.peak_bytes
        if callable(declared):
            declared = declared(slots[option.specs[0].id].dtype)
        if declared is None:
            declared = max((spec.peak_bytes.get(slots[spec.id].dtype, 0) for spec in option.specs), default=0)
        prior = peak_prior(declared)
        if device != _GPU:
            return prior
        if option.compute_device is not None:
            prior += _streamed_bytes(option, slots)
        measured, too_small = self.measured(self.key(option, slots))
        return max(prior, too_small) if measured is None else measured

    def key(self, option: LeaseOption, slots: Mapping[str, Slot]) -> str:
        """The row of a lease, see :meth:`row`."""
        mode = "streamed" if option.compute_device else next(iter(slots.values())).device if slots else ""
        return self.row(
            option.operation,
            {slot.component for slot in slots.values()},
            mode,
            option.shape,
            {slot.dtype for slot in slots.values()},
        )

    def row(
        self,
        operation: str,
        components: Collection[str],
        mode: str,
        shape: Sequence[int],
        dtypes: Collection[str],
    ) -> str:
        """Names a kind of call on this card with this version of torch.

        Args:
            operation: name of the call; empty for one that is known by its components.
            components: of the lease.
            mode: ``cuda``, ``cpu`` or ``streamed``.
            shape: of the input.
            dtypes: of the weights.
        """
        names = operation or "+".join(sorted(components))
        kind = "+".join(sorted(dtypes))
        return "|".join((names, mode, shape_class(shape), kind, self._accelerator.label()))

    def measured(self, row: str) -> tuple[int | None, int]:
        """The measured peak of a kind of call with its margin, and the peak that was too small."""
        with self._lock:
            return self.table.estimate(row), int(MARGIN * self.table.more_than(row))

    def begin(self, lease: Lease, option: LeaseOption) -> None:
        """A lease has its models and begins to compute."""
        if _GPU not in lease.peaks:
            return
        with self._lock:
            for run in self._running.values():
                run.is_exclusive = False
            baseline = self._accelerator.allocated_bytes()
            run = _Run(self.key(option, lease.slots), baseline or 0, lease.peaks[_GPU])
            run.is_exclusive = not self._running and baseline is not None
            self._running[id(lease)] = run
            if run.is_exclusive:
                self._accelerator.reset_peak()

    def end(self, lease: Lease, *, ran_out_of_memory: bool = False) -> None:
        """A lease has ended; its peak is recorded, or what was not enough for it."""
        with self._lock:
            run = self._running.pop(id(lease), None)
            if run is None:
                return
            if not run.is_exclusive or (peak := self._accelerator.peak_bytes()) is None:
                return
            if ran_out_of_memory:
                self.table.exceeded(run.key, max(peak - run.baseline, run.reserved))
            elif peak > run.baseline:
                self.table.add(run.key, peak - run.baseline)

    def invalidate(self) -> None:
        """A model is being put on the GPU: peaks of running calls are not theirs alone."""
        with self._lock:
            for run in self._running.values():
                run.is_exclusive = False

    def close(self) -> None:
        """Write what was measured."""
        with self._lock:
            self.table.close()


def _streamed_bytes(option: LeaseOption, slots: Mapping[str, Slot]) -> int:
    """Bytes of the layers that are on the device at one time."""
    largest = max((slots[spec.id].bytes for spec in option.specs), default=0)
    return int(GROUP_LAYERS * LARGEST_LAYER_SHARE * largest)
