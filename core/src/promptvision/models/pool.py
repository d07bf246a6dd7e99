"""Loaded models, shared by all tools of a process and kept in memory while they fit.

A tool leases a set of models at once. That set is granted whole or not at all, so two tools that each need
what the other one holds cannot wait for each other. Order of locks: load lock, then pool lock. Neither a
load nor a call happens under the pool lock.
"""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from promptvision.errors import Busy, PromptvisionError, SetupError, ToolFailed
from promptvision.models import devices
from promptvision.models.footprint import measure_bytes
from promptvision.models.loading import import_loader, load_model
from promptvision.models.placement import DoesNotFit, peak_prior
from promptvision.models.spec import ModelSpec
from promptvision.models.weights import require
from promptvision.settings import Settings

__all__ = ["LoadedModel", "ModelPool"]

Check = Callable[[], None]
Key = tuple[str, str]
"""Model id and device."""

_POLL_S = 0.1
_LONG_S = 60.0
_WAIT_S = 120.0
_TRIES = 10
"""A lease starts over when a model outgrew its declared size, or when the load that it waited for failed."""


@dataclass(frozen=True, kw_only=True)
class LoadedModel:
    """A model in memory, for metrics and ``promptvision doctor``.

    Args:
        id: of its model spec.
        device: where it is.
        dtype: of its weights.
        bytes: measured, or declared when it cannot be measured.
        leases: how many calls use it now.
        load_s: how long it took to load, in seconds.
    """

    id: str
    device: str
    dtype: str
    bytes: int
    leases: int
    load_s: float


@dataclass(eq=False, kw_only=True)
class _Slot:
    """Memory that is set aside for one model on one device, and the model once it is loaded."""

    spec: ModelSpec
    device: str
    dtype: str
    bytes: int
    leases: int = 0
    used: int = 0
    is_ready: bool = False
    model: Any = None
    load_s: float = 0.0

    @property
    def key(self) -> Key:
        return self.spec.id, self.device


@dataclass(eq=False)
class _Lease:
    """Slots that one caller holds, and the activation memory that goes with them."""

    device: str
    peak_bytes: int
    slots: dict[str, _Slot] = field(default_factory=dict)
    to_load: list[_Slot] = field(default_factory=list)
    has_evicted: bool = False


class _TryAgain(Exception):
    """The lease cannot be filled as granted: a model is larger than declared, or another's load failed."""


class ModelPool:
    """Loads models once and keeps them while they fit; the least recently used leaves first.

    Args:
        specs: model id to spec.
        settings: says where weights lie and, in ``model_memory``, how much models may take together.
        device: where to put models that run there; default: a GPU when there is one.
        usable_bytes: tells how much memory models may take on a device, given what they hold.
        wait_s: how long a lease waits for memory that other leases hold, in seconds.
    """

    def __init__(
        self,
        specs: Mapping[str, ModelSpec],
        settings: Settings,
        *,
        device: str | None = None,
        usable_bytes: Callable[[str, int], int] = devices.usable_bytes,
        wait_s: float = _WAIT_S,
    ) -> None:
        self._specs = specs
        self._settings = settings
        self._device = device
        self._usable_bytes = usable_bytes
        self._wait_s = wait_s
        self._changed = threading.Condition()
        self._slots: dict[Key, _Slot] = {}
        self._leases: set[_Lease] = set()
        self._sizes: dict[tuple[str, str], int] = {}
        self._clock = itertools.count(1)
        self._is_closed = False

    @contextmanager
    def lease(
        self, *ids: str, device: str | None = None, check: Check | None = None
    ) -> Iterator[tuple[Any, ...]]:
        """Hold loaded models, in the order of ``ids``, all on one device.

        Args:
            ids: models that are used together.
            device: where they must be; default: the pool's device if all of them fit on it, else the CPU.
            check: called while waiting; whatever it raises ends the wait.

        Raises:
            SetupError: an id is unknown, or weights are not here; the hint is the command that pulls them.
            DoesNotFit: they do not fit even with everything else gone.
            Busy: other leases did not give memory back in time.
            PluginError: the loader cannot be imported.
            ToolFailed: the loader failed. It leaves nothing behind; models that left for it come back at
                their next lease.
        """
        lease = self._acquire(tuple(dict.fromkeys(ids)), device, check or _nothing)
        try:
            yield tuple(lease.slots[id_].model for id_ in ids)
        finally:
            self._give_back(lease)

    def loaded(self) -> list[LoadedModel]:
        """What is in memory now, least recently used first."""
        with self._changed:
            ready = sorted((s for s in self._slots.values() if s.is_ready), key=lambda slot: slot.used)
            return [
                LoadedModel(
                    id=slot.spec.id,
                    device=slot.device,
                    dtype=slot.dtype,
                    bytes=slot.bytes,
                    leases=slot.leases,
                    load_s=slot.load_s,
                )
                for slot in ready
            ]

    def free_unused(self) -> int:
        """Drop every model that nobody leases; returns how many bytes that was."""
        with self._changed:
            freed = self._evict(self._unused())
        devices.release_cached()
        return freed

    def close(self) -> None:
        """Drop all models; leased ones when they come back. New leases are refused."""
        with self._changed:
            self._is_closed = True
        self.free_unused()

    def _acquire(self, ids: tuple[str, ...], device: str | None, check: Check) -> _Lease:
        specs = [self._spec(id_) for id_ in ids]
        targets = self._targets(specs, device)
        self._refuse_unloadable(specs, targets)
        deadline = time.monotonic() + self._wait_s
        for _ in range(_TRIES):
            lease = self._wait_for_grant(specs, targets, deadline, check)
            try:
                self._fill(lease, check)
            except _TryAgain:
                pass  # given back below, once the traceback no longer holds what was loaded
            except BaseException:
                self._give_back(lease)
                raise
            else:
                return lease
            self._give_back(lease)
        raise Busy(f"{', '.join(ids)}: could not be loaded together in {_TRIES} tries", retry_after_s=10)

    def _spec(self, id_: str) -> ModelSpec:
        try:
            return self._specs[id_]
        except KeyError:
            known = ", ".join(sorted(self._specs)) or "none"
            raise SetupError(f"model {id_!r} is not known here; known: {known}") from None

    def _targets(self, specs: list[ModelSpec], device: str | None) -> list[str]:
        """Devices that all the models run on, best first."""
        common = [name for name in ("cuda", "cpu") if all(name in spec.dtypes for spec in specs)]
        best = device or self._device or devices.best_device(common)
        wanted = [best] if device else [best, "cpu"]
        targets = [name for name in dict.fromkeys(wanted) if name in common]
        if not targets:
            names = ", ".join(repr(spec.id) for spec in specs)
            raise ToolFailed(f"{names}: cannot run together on {device or 'any device of this machine'}")
        return targets

    def _refuse_unloadable(self, specs: list[ModelSpec], targets: list[str]) -> None:
        """Find what is missing before anything is evicted for it."""
        with self._changed:
            unloaded = [s for s in specs if not any((s.id, device) in self._slots for device in targets)]
        for spec in unloaded:
            require(spec, self._settings)
            import_loader(spec)

    def _wait_for_grant(
        self, specs: list[ModelSpec], targets: list[str], deadline: float, check: Check
    ) -> _Lease:
        with self._changed:
            while (lease := self._grant_on_first(specs, targets)) is None:
                if time.monotonic() >= deadline:
                    names = ", ".join(repr(spec.id) for spec in specs)
                    raise Busy(f"{names}: other calls did not give memory back in {self._wait_s:g} s")
                self._wait(deadline, check)
            return lease

    def _wait(self, deadline: float, check: Check) -> None:
        """Under the pool lock: sleep until something changes, or it is time to look whether to go on."""
        check()
        left = min(max(0.0, deadline - time.monotonic()), _LONG_S if check is _nothing else _POLL_S)
        self._changed.wait(left)
        check()

    def _grant_on_first(self, specs: list[ModelSpec], targets: list[str]) -> _Lease | None:
        """Under the pool lock: a lease on the first device that can hold the models; None means wait."""
        if self._is_closed:
            raise PromptvisionError("the model pool is closed")
        for device in targets[:-1]:
            try:
                return self._grant(specs, device)
            except DoesNotFit:
                continue
        return self._grant(specs, targets[-1])

    def _grant(self, specs: list[ModelSpec], device: str) -> _Lease | None:
        """Under the pool lock: set memory aside for all the models, evicting for it; None means wait."""
        dtypes = {spec.id: devices.choose_dtype(spec.dtypes, device) for spec in specs}
        peak = max((peak_prior(spec.peak_bytes.get(dtypes[spec.id], 0)) for spec in specs), default=0)
        lease = _Lease(device, peak)
        for spec in specs:
            slot = self._slots.get((spec.id, device))
            size = self._estimate(spec, dtypes[spec.id])
            lease.slots[spec.id] = slot or _Slot(spec=spec, device=device, dtype=dtypes[spec.id], bytes=size)
        usable = self._usable(device)
        if (victims := self._victims(lease, usable)) is None:
            self._refuse_impossible(lease, usable)
            return None
        lease.has_evicted = self._evict(victims) > 0
        lease.to_load = [slot for slot in lease.slots.values() if slot.key not in self._slots]
        for slot in lease.slots.values():
            self._slots[slot.key] = slot
            slot.leases += 1
            slot.used = next(self._clock)
        self._leases.add(lease)
        return lease

    def _estimate(self, spec: ModelSpec, dtype: str) -> int:
        """Bytes that a model will take: as measured at an earlier load, else as declared."""
        return self._sizes.get((spec.id, dtype), spec.weight_bytes.get(dtype, 0))

    def _usable(self, device: str) -> int:
        """Under the pool lock: how much models may take on a device, what they hold included."""
        held = sum(slot.bytes for slot in self._slots.values() if slot.device == device)
        return self._usable_bytes(device, held)

    def _victims(self, lease: _Lease, usable: int) -> list[_Slot] | None:
        """Under the pool lock: the unused models that must go, least recently used first; None: too few."""
        victims: list[_Slot] = []
        short = self._shortage(lease, usable, victims)
        for slot in self._unused():
            if short == 0:
                break
            if slot in lease.slots.values():
                continue
            left = self._shortage(lease, usable, [*victims, slot])
            if left < short:
                victims.append(slot)
                short = left
        return victims if short == 0 else None

    def _shortage(
        self, lease: _Lease, usable: int, gone: Collection[_Slot], others: Collection[_Lease] | None = None
    ) -> int:
        """Under the pool lock: by how many bytes a lease is too large, device and setting added up."""
        slots = {*self._slots.values(), *lease.slots.values()}.difference(gone)
        live = {lease, *(self._leases if others is None else others)}
        peaks = sum(each.peak_bytes for each in live if each.device == lease.device)
        here = sum(slot.bytes for slot in slots if slot.device == lease.device)
        short = max(0, here + peaks - usable)
        if (limit := self._settings.model_memory) is not None:
            short += max(0, sum(slot.bytes for slot in slots) - limit)
        return short

    def _refuse_impossible(self, lease: _Lease, usable: int) -> None:
        """Under the pool lock: raise DoesNotFit unless other leases that end can make room."""
        rest = set(self._slots.values()).difference(lease.slots.values())
        if self._shortage(lease, usable, rest, ()) == 0:
            return
        if lease.device == "cpu" and self._leases and not self._is_over_limit(lease):
            return  # what other calls compute with counts against the CPU's free memory until they end
        limit = self._settings.model_memory
        weights = sum(slot.bytes for slot in lease.slots.values())
        free = usable if limit is None else min(usable, limit)
        hint = "close other programs, or use a smaller model"
        if limit is not None and limit <= usable:
            hint = "raise PROMPTVISION_MODEL_MEMORY"
        raise DoesNotFit(list(lease.slots), lease.device, weights + lease.peak_bytes, free, hint)

    def _is_over_limit(self, lease: _Lease) -> bool:
        limit = self._settings.model_memory
        return limit is not None and sum(slot.bytes for slot in lease.slots.values()) > limit

    def _unused(self) -> list[_Slot]:
        """Under the pool lock: what nobody leases, least recently used first."""
        return sorted((s for s in self._slots.values() if s.leases == 0), key=lambda slot: slot.used)

    def _evict(self, slots: list[_Slot]) -> int:
        """Under the pool lock: forget models; returns their bytes."""
        for slot in slots:
            del self._slots[slot.key]
            slot.model = None
        if slots:
            self._changed.notify_all()
        return sum(slot.bytes for slot in slots)

    def _give_back(self, lease: _Lease) -> None:
        with self._changed:
            self._leases.discard(lease)
            for slot in lease.slots.values():
                slot.leases -= 1
                slot.used = next(self._clock)
            for slot in lease.to_load:
                if not slot.is_ready and self._slots.get(slot.key) is slot:
                    del self._slots[slot.key]
            if self._is_closed:
                self._evict(self._unused())
            self._changed.notify_all()

    def _fill(self, lease: _Lease, check: Check) -> None:
        """Load what this lease must load, then wait for what other leases are loading."""
        if lease.has_evicted:
            devices.release_cached()
        for slot in lease.to_load:
            self._load(slot, lease, check)
        with self._changed:
            while any(not slot.is_ready for slot in lease.slots.values()):
                if any(self._slots.get(slot.key) is not slot for slot in lease.slots.values()):
                    raise _TryAgain
                self._wait(math.inf, check)

    def _load(self, slot: _Slot, lease: _Lease, check: Check) -> None:
        path = require(slot.spec, self._settings)
        model, seconds = load_model(
            slot.spec, path, slot.device, slot.dtype, check=check, free=self.free_unused
        )
        size = measure_bytes(model)
        with self._changed:
            if size is not None:
                self._sizes[slot.spec.id, slot.dtype] = slot.bytes = size
            if (victims := self._victims(lease, self._usable(slot.device))) is None:
                raise _TryAgain
            self._evict(victims)
            slot.model, slot.load_s, slot.is_ready = model, seconds, True
            self._changed.notify_all()


def _nothing() -> None:
    """The check of a caller who never asks to stop."""
