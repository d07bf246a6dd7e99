"""Grant and release leases under one lock, and wait for memory that other leases hold."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence

from promptvision.errors import Busy, PromptvisionError
from promptvision.models.components import component_of
from promptvision.models.devices import choose_dtype
from promptvision.models.ledger import Lease, Ledger
from promptvision.models.options import LeaseOption
from promptvision.models.peaks import Peaks
from promptvision.models.placement import DoesNotFit
from promptvision.models.slot import HOST, Slot
from promptvision.models.spec import ModelSpec
from promptvision.settings import Settings

__all__ = ["Check", "Grants"]

Check = Callable[[], None]

_POLL_S = 0.1
_LONG_S = 60.0


class Grants:
    """The ledger of a pool behind its lock. No model is loaded, copied or called under this lock.

    Args:
        ledger: accounts for slots and leases.
        settings: name the weights that replace those of specs.
        peaks: the activation memory of calls.
    """

    def __init__(self, ledger: Ledger, settings: Settings, peaks: Peaks) -> None:
        self.ledger = ledger
        self.changed = threading.Condition()
        self.is_closed = False
        self._settings = settings
        self._peaks = peaks
        self._components: dict[str, str] = {}

    def component(self, spec: ModelSpec) -> str:
        """The name of a model's weights, see :func:`~promptvision.models.components.component_of`."""
        found = self._components.get(spec.id)
        if found is None:
            found = self._components[spec.id] = component_of(spec, self._settings)
        return found

    def wait(self, option: LeaseOption, deadline: float, check: Check | None) -> Lease:
        """A lease on the first device that can hold the models, once other leases leave the memory for it.

        Args:
            option: the models.
            deadline: ``time.monotonic()`` at which the wait ends.
            check: called while waiting; an exception ends the wait.

        Raises:
            Busy: the deadline passed.
            DoesNotFit: they do not fit even with every other model evicted.
            PromptvisionError: the pool is closed.
        """
        with self.changed:
            while (lease := self._on_first_device(option)) is None:
                if time.monotonic() >= deadline:
                    raise Busy(f"{option.names}: other calls did not release memory in time")
                self.sleep(deadline, check)
            return lease

    def sleep(self, deadline: float, check: Check | None) -> None:
        """Under the lock: wait until something changes or the next check is due."""
        if check is not None:
            check()
        self.changed.wait(min(max(0.0, deadline - time.monotonic()), _POLL_S if check else _LONG_S))
        if check is not None:
            check()

    def unloaded(self, option: LeaseOption) -> list[ModelSpec]:
        """The models of an option that are on none of its devices."""
        targets = {*option.targets, HOST} if option.compute_device else set(option.targets)
        with self.changed:
            return [spec for spec in option.specs if not self.ledger.has(self.component(spec), targets)]

    def size(self, spec: ModelSpec, device: str, dtype: str) -> int:
        """Bytes of a model's weights: measured at a load, or declared."""
        with self.changed:
            return self.ledger.slot_for(spec, device, dtype, self.component(spec)).bytes

    def room(self, device: str, specs: Iterable[ModelSpec]) -> int:
        """Bytes on a device for some models and what they compute, with everything unused evicted."""
        own = {self.component(spec) for spec in specs}
        with self.changed:
            return self.ledger.room(device, own)

    def release(self, lease: Lease) -> None:
        """End a lease."""
        with self.changed:
            self.ledger.release(lease)
            if self.is_closed:
                self.ledger.evict(self.ledger.unused())
            self.changed.notify_all()

    def try_hold(self, spec: ModelSpec, device: str, dtype: str, evicts: Iterable[str] = ()) -> Lease | None:
        """A lease of one model that is granted at once or not at all.

        Args:
            spec: the model.
            device: where it is.
            dtype: of its weights.
            evicts: devices from which unused models may be evicted for it.
        """
        allowed = frozenset(evicts)
        with self.changed:
            if self.is_closed:
                return None
            slot = self.ledger.slot_for(spec, device, dtype, self.component(spec))
            lease = Lease(device, {}, {spec.id: slot})
            try:
                is_granted = self.ledger.grant(lease, lambda one: one.device in allowed)
            except DoesNotFit:
                return None
            return lease if is_granted else None

    def announce(self, ids: Sequence[str]) -> None:
        """Replace the ids of the models that are needed next, soonest first."""
        with self.changed:
            self.ledger.announce(ids)

    def evict(self, ids: Collection[str], device: str | None) -> int:
        """Drop models without a lease: those with an id in ``ids``, or all; return the freed bytes."""
        with self.changed:
            freed = self.ledger.evict(
                slot
                for slot in self.ledger.unused()
                if (not ids or not slot.ids.isdisjoint(ids)) and device in (None, slot.device)
            )
            self.changed.notify_all()
        return freed

    def close(self) -> bool:
        """Refuse new leases; whether there are models."""
        with self.changed:
            self.is_closed = True
            self.changed.notify_all()
            return bool(self.ledger.slots())

    def _on_first_device(self, option: LeaseOption) -> Lease | None:
        """Under the lock: None means wait."""
        if self.is_closed:
            raise PromptvisionError("the model pool is closed")
        for device in option.targets[:-1]:
            try:
                return self._grant(option, device)
            except DoesNotFit:
                continue
        return self._grant(option, option.targets[-1])

    def _grant(self, option: LeaseOption, device: str) -> Lease | None:
        """Under the lock: reserve memory for all the models, evicting for it; None means wait."""
        if option.compute_device not in (None, device):
            try:
                return self._grant_at(option, device, HOST)
            except DoesNotFit:  # such as more than copies may use
                pass
        return self._grant_at(option, device, device)

    def _grant_at(self, option: LeaseOption, device: str, movable_at: str) -> Lease | None:
        computes_on = option.compute_device or device
        slots: dict[str, Slot] = {}
        own: dict[tuple[str, str], Slot] = {}
        for spec in option.specs:
            dtype = choose_dtype(spec.dtypes, computes_on)
            where = movable_at if spec.movable else device
            component = self.component(spec)
            slot = own.get((component, dtype)) or self.ledger.slot_for(spec, where, dtype, component)
            own[component, dtype] = slot
            slots[spec.id] = slot
        peak = self._peaks.reserve(option, slots, computes_on)
        lease = Lease(device, {computes_on: peak}, slots)
        if not self.ledger.grant(lease):
            return None
        if lease.has_evicted:
            self.changed.notify_all()
        return lease
