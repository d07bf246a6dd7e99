"""Loaded models, shared by all tools of a process and kept in memory while they fit.

A tool leases a set of models at once. The set is granted as a whole or not at all, so two tools that wait for
each other's models cannot deadlock. Lock order: load lock, then pool lock. No model is loaded or called under
the pool lock.
"""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from promptvision.errors import Busy, PromptvisionError, SetupError, ToolFailed
from promptvision.instruments import Instruments
from promptvision.models import devices
from promptvision.models.footprint import measure_bytes
from promptvision.models.ledger import Lease, Ledger
from promptvision.models.loading import ModelLoadActivity, import_loader, load_model
from promptvision.models.placement import DoesNotFit, peak_prior
from promptvision.models.profiles import machine_profile, preferred
from promptvision.models.slot import Slot
from promptvision.models.spec import ModelSpec, alternatives
from promptvision.models.weights import locate, require
from promptvision.settings import Settings

__all__ = ["LeasedModels", "LoadedModel", "ModelPool"]

Check = Callable[[], None]

_POLL_S = 0.1
_LONG_S = 60.0
_WAIT_S = 120.0
_TRIES = 10
"""A lease is retried when a model is larger than declared, or when the load that it waited for failed."""


@dataclass(frozen=True, kw_only=True)
class LoadedModel:
    """A model in memory, for metrics and ``promptvision doctor``.

    Args:
        id: of its model spec.
        device: its device.
        dtype: of its weights.
        bytes: measured, or declared when it cannot be measured.
        leases: number of calls that use it now.
        load_s: load time in seconds.
    """

    id: str
    device: str
    dtype: str
    bytes: int
    leases: int
    load_s: float


class LeasedModels(tuple[Any, ...]):
    """The models of a lease in the order in which they were named; ``ids`` are those of their specs."""

    ids: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class _Wanted:
    """What a caller of :meth:`ModelPool.lease` may get; ``targets`` are devices, best first."""

    specs: tuple[ModelSpec, ...]
    targets: list[str]
    compute_device: str | None
    peak_bytes: int | None

    @property
    def names(self) -> str:
        return ", ".join(repr(spec.id) for spec in self.specs)


class _Retry(Exception):
    """The lease cannot be filled as granted: a model is larger than declared, or another's load failed."""


class ModelPool:
    """Loads models once and keeps them while they fit; the least recently used is evicted first.

    Args:
        specs: model id to spec.
        settings: location of the weights and, in ``model_memory``, the memory limit of all models.
        device: preferred device; default: a GPU if there is one.
        usable_bytes: returns the memory that models may use on a device, given their current use.
        wait_s: how long a lease without a ``check`` waits for memory of other leases, in seconds.
        instruments: entered around each load.
    """

    def __init__(
        self,
        specs: Mapping[str, ModelSpec],
        settings: Settings,
        *,
        device: str | None = None,
        usable_bytes: Callable[[str, int], int] = devices.usable_bytes,
        wait_s: float = _WAIT_S,
        instruments: Instruments | None = None,
    ) -> None:
        self._specs = specs
        self._settings = settings
        self._device = device
        self._wait_s = wait_s
        self._instruments = instruments or Instruments()
        self._changed = threading.Condition()
        self._ledger = Ledger(usable_bytes, settings.model_memory)
        self._is_closed = False

    @contextmanager
    def lease(
        self,
        *ids: str,
        device: str | None = None,
        compute_device: str | None = None,
        peak_bytes: int | None = None,
        check: Check | None = None,
    ) -> Iterator[LeasedModels]:
        """Hold loaded models, in the order of ``ids``, all on one device.

        Args:
            ids: models that are used together. One may name alternatives, best first, such as
                ``"sam2.1-l | sam2.1-t"``: the best that is on disk and fits in memory is used, and a smaller
                one on the GPU goes before a larger one on the CPU.
            device: required device; default: the pool's device if all of them fit on it, else the CPU.
            compute_device: the device of computation, if layers are streamed there from ``device``; it
                determines the dtype, and activations are counted there.
            peak_bytes: activation memory of this call; default: the largest peak that the specs declare.
            check: called while waiting; an exception ends the wait. The wait for memory of other leases is
                then bounded by ``check`` alone, so that a call waits until its own time limit.

        Raises:
            SetupError: an id is unknown, or weights are not downloaded; the hint is the command that pulls
                them.
            DoesNotFit: they do not fit even with every other model evicted.
            Busy: there is no ``check``, and other leases did not release memory in time.
            PluginError: the loader cannot be imported.
            ToolFailed: the loader failed. It leaves nothing behind; models evicted for it are reloaded at
                their next lease.
        """
        choices = self._choices(ids)
        several = len(choices) > 1
        wanted = [
            _Wanted(specs=specs, targets=targets, compute_device=compute_device, peak_bytes=peak_bytes)
            for specs in choices
            for targets in _split(self._targets(specs, device), several)
        ]
        if several:
            wanted.sort(key=lambda one: one.targets == ["cpu"])
        chosen, lease = self._acquire_first(wanted, check)
        leased = LeasedModels(lease.slots[spec.id].model for spec in chosen.specs)
        leased.ids = tuple(spec.id for spec in chosen.specs)
        try:
            yield leased
        finally:
            del leased
            self._release(lease)

    @property
    def specs(self) -> Mapping[str, ModelSpec]:
        """The models that may be leased, by id."""
        return self._specs

    def loaded(self) -> list[LoadedModel]:
        """The models in memory, least recently used first."""
        with self._changed:
            return [
                LoadedModel(
                    id=slot.spec.id,
                    device=slot.device,
                    dtype=slot.dtype,
                    bytes=slot.bytes,
                    leases=slot.leases,
                    load_s=slot.load_s,
                )
                for slot in self._ledger.slots()
                if slot.is_ready
            ]

    def free_unused(self, ids: Collection[str] = (), *, device: str | None = None) -> int:
        """Drop models without a lease.

        Args:
            ids: only these; default: all. One may name alternatives.
            device: only on this device; default: on all.

        Returns:
            The number of freed bytes.
        """
        ids = {id_ for entry in ids for id_ in alternatives(entry)}
        with self._changed:
            freed = self._ledger.evict(
                slot
                for slot in self._ledger.unused()
                if (not ids or slot.spec.id in ids) and device in (None, slot.device)
            )
            self._changed.notify_all()
        devices.release_cached()
        return freed

    def close(self) -> None:
        """Drop all models; leased ones when they are released. New leases are refused."""
        with self._changed:
            self._is_closed = True
            has_models = bool(self._ledger.slots())
            self._changed.notify_all()
        if has_models:  # else there is nothing to collect, which takes long in a large process
            self.free_unused()

    def _choices(self, ids: Sequence[str]) -> list[tuple[ModelSpec, ...]]:
        """Every set of models that fulfils a lease and is on disk, best first; one if none is on disk."""
        return list(itertools.product(*map(self._usable, ids)))

    def _usable(self, entry: str) -> list[ModelSpec]:
        """The alternatives of one entry that are on disk, best first; if none is, the one to pull."""
        ids = alternatives(entry)
        if len(ids) == 1:
            return [self._spec(entry)]
        known = [self._specs[id_] for id_ in ids if id_ in self._specs]
        present = [spec for spec in known if locate(spec, self._settings) is not None]
        return present or [preferred(known, machine_profile()) if known else self._spec(ids[0])]

    def _spec(self, id_: str) -> ModelSpec:
        try:
            return self._specs[id_]
        except KeyError:
            known = ", ".join(sorted(self._specs)) or "none"
            raise SetupError(f"model {id_!r} is not known here; known: {known}") from None

    def _targets(self, specs: Sequence[ModelSpec], device: str | None) -> list[str]:
        """Devices that all the models run on, best first."""
        common = [name for name in ("cuda", "cpu") if all(name in spec.dtypes for spec in specs)]
        best = device or self._device or devices.best_device(common)
        wanted = [best] if device else [best, "cpu"]
        targets = [name for name in dict.fromkeys(wanted) if name in common]
        if not targets:
            names = ", ".join(repr(spec.id) for spec in specs)
            raise ToolFailed(f"{names}: cannot run together on {device or 'any device of this machine'}")
        return targets

    def _acquire_first(self, wanted: list[_Wanted], check: Check | None) -> tuple[_Wanted, Lease]:
        """A lease of the first set that fits."""
        for one in wanted[:-1]:
            try:
                return one, self._acquire(one, check)
            except DoesNotFit:
                continue
        return wanted[-1], self._acquire(wanted[-1], check)

    def _acquire(self, wanted: _Wanted, check: Check | None) -> Lease:
        self._refuse_unloadable(wanted)
        deadline = math.inf if check else time.monotonic() + self._wait_s
        for _ in range(_TRIES):
            lease = self._wait_for_grant(wanted, deadline, check)
            try:
                self._fill(lease, check)
            except _Retry:
                pass  # released below, once the traceback no longer holds what was loaded
            except BaseException:
                self._release(lease)
                raise
            else:
                return lease
            self._release(lease)
        raise Busy(f"{wanted.names}: could not be loaded together in {_TRIES} tries", retry_after_s=10)

    def _refuse_unloadable(self, wanted: _Wanted) -> None:
        """Raise if weights are missing, before anything is evicted."""
        with self._changed:
            unloaded = [spec for spec in wanted.specs if not self._ledger.has(spec.id, wanted.targets)]
        for spec in unloaded:
            require(spec, self._settings)
            import_loader(spec)

    def _wait_for_grant(self, wanted: _Wanted, deadline: float, check: Check | None) -> Lease:
        with self._changed:
            while (lease := self._grant_on_first(wanted)) is None:
                if time.monotonic() >= deadline:
                    raise Busy(f"{wanted.names}: other calls did not release memory in {self._wait_s:g} s")
                self._wait(deadline, check)
            return lease

    def _wait(self, deadline: float, check: Check | None) -> None:
        """Under the pool lock: wait until something changes or the next check is due."""
        (check or _nothing)()
        self._changed.wait(min(max(0.0, deadline - time.monotonic()), _POLL_S if check else _LONG_S))
        (check or _nothing)()

    def _grant_on_first(self, wanted: _Wanted) -> Lease | None:
        """Under the pool lock: a lease on the first device that can hold the models; None means wait."""
        if self._is_closed:
            raise PromptvisionError("the model pool is closed")
        for device in wanted.targets[:-1]:
            try:
                return self._grant(wanted, device)
            except DoesNotFit:
                continue
        return self._grant(wanted, wanted.targets[-1])

    def _grant(self, wanted: _Wanted, device: str) -> Lease | None:
        """Under the pool lock: reserve memory for all the models, evicting for it; None means wait."""
        computes_on = wanted.compute_device or device
        dtypes = {spec.id: devices.choose_dtype(spec.dtypes, computes_on) for spec in wanted.specs}
        peak = wanted.peak_bytes
        if peak is None:
            peak = max((spec.peak_bytes.get(dtypes[spec.id], 0) for spec in wanted.specs), default=0)
        slots = {spec.id: self._ledger.slot_for(spec, device, dtypes[spec.id]) for spec in wanted.specs}
        lease = Lease(device, {computes_on: peak_prior(peak)}, slots)
        if not self._ledger.grant(lease):
            return None
        if lease.has_evicted:
            self._changed.notify_all()
        return lease

    def _release(self, lease: Lease) -> None:
        with self._changed:
            self._ledger.release(lease)
            if self._is_closed:
                self._ledger.evict(self._ledger.unused())
            self._changed.notify_all()

    def _fill(self, lease: Lease, check: Check | None) -> None:
        """Load what this lease must load, then wait for what other leases are loading."""
        if lease.has_evicted:
            devices.release_cached()
        for slot in lease.to_load:
            self._load(slot, lease, check or _nothing)
        with self._changed:
            while any(not slot.is_ready for slot in lease.slots.values()):
                if not all(self._ledger.holds(slot) for slot in lease.slots.values()):
                    raise _Retry
                self._wait(math.inf, check)

    def _load(self, slot: Slot, lease: Lease, check: Check) -> None:
        path = require(slot.spec, self._settings)
        with self._instruments.around(ModelLoadActivity(slot.spec.id, slot.device)):
            model, seconds = load_model(
                slot.spec, path, slot.device, slot.dtype, check=check, free=self.free_unused
            )
        size = measure_bytes(model)
        with self._changed:
            if not self._ledger.resize(slot, slot.bytes if size is None else size, lease):
                raise _Retry
            slot.model, slot.load_s, slot.is_ready = model, seconds, True
            self._changed.notify_all()


def _split(targets: list[str], is_split: bool) -> list[list[str]]:
    """One list of devices, or a list for each, so that alternatives are compared device by device."""
    return [[target] for target in targets] if is_split else [targets]


def _nothing() -> None:
    """The default check, which never raises."""
