"""Fill leases: load models from the disk, keep copies in main memory, and copy from there to the GPU."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from promptvision.instruments import Instruments
from promptvision.models import devices
from promptvision.models.accelerator import Accelerator
from promptvision.models.copies import copy_model, replace_tensors
from promptvision.models.footprint import measure_bytes
from promptvision.models.grants import Check, Grants
from promptvision.models.ledger import Lease
from promptvision.models.loading import ModelLoadActivity, load_model
from promptvision.models.peaks import Peaks
from promptvision.models.placement import is_out_of_memory
from promptvision.models.slot import HOST, Slot
from promptvision.models.speeds import Speeds
from promptvision.models.weights import require
from promptvision.settings import Settings

__all__ = ["ModelLoader", "RetryLease"]


Free = Callable[[str | None], object]
"""Drops unused models on a device, or on all."""


class RetryLease(Exception):
    """The lease cannot be filled as granted: a model is larger than declared, or another's load failed."""


class ModelLoader:
    """Loads what leases need. A movable model goes disk -> main memory -> GPU; the copy in main memory stays.

    Args:
        grants: the ledger behind its lock.
        settings: location of the weights.
        accelerator: the GPU.
        peaks: notified when something is put on the GPU.
        speeds: measures copies.
        instruments: entered around each load.
        free: drops unused models on a device, or on all.
    """

    def __init__(
        self,
        grants: Grants,
        settings: Settings,
        accelerator: Accelerator,
        peaks: Peaks,
        speeds: Speeds,
        instruments: Instruments,
        free: Free,
    ) -> None:
        self._grants = grants
        self._settings = settings
        self._accelerator = accelerator
        self._peaks = peaks
        self._speeds = speeds
        self._instruments = instruments
        self._free = free

    def fill(self, lease: Lease, check: Check | None, *, may_free: bool = True) -> None:
        """Load what a lease must load, then wait for what other leases are loading.

        Args:
            lease: the lease.
            check: called while waiting; an exception ends the wait.
            may_free: whether unused models are dropped, for a second try, if memory runs out.

        Raises:
            RetryLease: see there.
            Exception: whatever the loader or ``check`` raises.
        """
        if lease.has_evicted:
            devices.release_cached()
        for slot in lease.to_load:
            self._load(slot, lease, check or _nothing, self._free if may_free else _keep)
        if all(slot.is_ready for slot in lease.slots.values()):
            return
        grants = self._grants
        with grants.changed:
            while any(not slot.is_ready for slot in lease.slots.values()):
                if not all(grants.ledger.holds(slot) for slot in lease.slots.values()):
                    raise RetryLease
                grants.sleep(math.inf, check)

    def _load(self, slot: Slot, lease: Lease, check: Check, free: Free) -> None:
        if slot.device == "cuda":
            self._peaks.invalidate()
        with self._instruments.around(ModelLoadActivity, slot.spec.id, slot.device):
            if slot.device == HOST:
                model, seconds = self._read_to_host(slot, check, free)
                copy_s = None
            else:
                model, seconds, copy_s = self._make(slot, check, free)
        self._publish(slot, lease, model, seconds, copy_s)

    def _publish(self, slot: Slot, lease: Lease, model: Any, load_s: float, copy_s: float | None) -> None:
        size = measure_bytes(model)
        grants = self._grants
        with grants.changed:
            if not grants.ledger.resize(slot, slot.bytes if size is None else size, lease):
                raise RetryLease
            has_copy = copy_s is not None and grants.ledger.find(slot.component, HOST, slot.dtype) is not None
            slot.load_s = load_s
            slot.reload_s = copy_s if has_copy and copy_s is not None else load_s
            slot.model, slot.is_ready = model, True
            grants.changed.notify_all()

    def _make(self, slot: Slot, check: Check, free: Free) -> tuple[Any, float, float | None]:
        """The model, the seconds from the disk, and those from main memory if it was copied from there."""
        if slot.device == "cuda" and slot.spec.movable:
            with self._master(slot, check, free) as master:
                if master is not None:
                    model, copy_s = self._copy(master.model, slot.bytes, free)
                    return model, master.load_s + copy_s, copy_s
        path = require(slot.spec, self._settings)
        return *self._read(slot, path, slot.device, check, free), None

    @contextmanager
    def _master(self, slot: Slot, check: Check, free: Free) -> Iterator[Slot | None]:
        """The copy in main memory, loaded and kept if there is memory for it; None without memory."""
        held = self._grants.try_hold(slot.spec, HOST, slot.dtype, evicts=(HOST,))
        if held is None:
            yield None
            return
        try:
            yield self._fill_master(held, check, free)
        finally:
            self._grants.release(held)

    def _fill_master(self, held: Lease, check: Check, free: Free) -> Slot | None:
        (slot,) = held.slots.values()
        try:
            self.fill(held, check, may_free=free is not _keep)
        except RetryLease:
            return None
        except Exception as exc:
            if not is_out_of_memory(exc):
                raise
            return None
        return slot

    def _read_to_host(self, slot: Slot, check: Check, free: Free) -> tuple[Any, float]:
        path = require(slot.spec, self._settings)
        model, seconds = self._read(slot, path, "cpu", check, free)
        started = time.monotonic()
        replace_tensors(model, self._accelerator.pin)
        return model, seconds + time.monotonic() - started

    def _read(self, slot: Slot, path: Path, device: str, check: Check, free: Free) -> tuple[Any, float]:
        return load_model(slot.spec, path, device, slot.dtype, check=check, free=partial(free, None))

    def _copy(self, master: Any, size: int, free: Free) -> tuple[Any, float]:
        """A copy of a model on the GPU; a second try after freeing unused models if memory runs out."""
        try:
            return self._copy_once(master, size)
        except Exception as exc:
            if not is_out_of_memory(exc):
                raise
        free("cuda")  # outside the except block: the traceback keeps the partly made copy alive
        gc.collect()
        return self._copy_once(master, size)

    def _copy_once(self, master: Any, size: int) -> tuple[Any, float]:
        started = time.monotonic()
        model = copy_model(master, self._accelerator.place)
        self._accelerator.synchronize()
        seconds = time.monotonic() - started
        self._speeds.add_copy(measure_bytes(model) or size, seconds)
        return model, seconds


def _keep(device: str | None) -> None:
    """Drops nothing."""


def _nothing() -> None:
    """The default check, which never raises."""
