"""Account for leased models and their memory on each device.

The ledger decides which leases fit and which models to evict for them, by the policy of
:mod:`~promptvision.models.eviction`. It neither loads nor locks: call every method under the lock of
:class:`~promptvision.models.pool.ModelPool`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from promptvision.models.eviction import EvictionPolicy
from promptvision.models.placement import DoesNotFit
from promptvision.models.slot import HOST, Key, Slot, memory_of
from promptvision.models.spec import ModelSpec

__all__ = ["Lease", "Ledger", "Reserved"]


class Reserved(NamedTuple):
    """Bytes on the device of computation."""

    weights: int = 0
    peak: int = 0


@dataclass(eq=False)
class Lease:
    """Slots that one caller holds, and the activation memory that the call needs.

    Args:
        device: the device of the weights.
        peaks: device to bytes of activations.
        slots: model id to slot.
        to_load: the slots whose models this lease must load.
        has_evicted: whether models were evicted for it.
    """

    device: str
    peaks: dict[str, int]
    slots: dict[str, Slot] = field(default_factory=dict)
    to_load: list[Slot] = field(default_factory=list)
    has_evicted: bool = False

    @property
    def devices(self) -> set[str]:
        """The devices on which it needs memory."""
        return {memory_of(self.device), *self.peaks}

    @property
    def reserved(self) -> Reserved:
        """What it has on the device of computation."""
        peak = sum(self.peaks.values())
        return Reserved(sum(_bytes_on(self, device) for device in self.peaks) - peak, peak)


class Ledger:
    """The slots and leases of a pool.

    Args:
        usable_bytes: returns the memory that models may use on a device, given their current use.
        limit: maximum bytes of weights on all devices together; None for no limit.
        host_limit: maximum bytes of copies on ``host``; None for no limit.
        policy: of evictions; default: :class:`~promptvision.models.eviction.EvictionPolicy`.
    """

    def __init__(
        self,
        usable_bytes: Callable[[str, int], int],
        limit: int | None,
        *,
        host_limit: int | None = None,
        policy: EvictionPolicy | None = None,
    ) -> None:
        self._usable_bytes = usable_bytes
        self._limit = limit
        self._host_limit = host_limit
        self._slots: dict[Key, Slot] = {}
        self._leases: set[Lease] = set()
        self._sizes: dict[tuple[str, str], int] = {}
        self._clock = itertools.count(1)
        self._policy = policy or EvictionPolicy()

    def announce(self, ids: Sequence[str]) -> None:
        """Replace the ids of the models that current plans need next, soonest first: evicted last."""
        self._policy.announce(ids)

    def slots(self) -> list[Slot]:
        """Every slot, least recently used first."""
        return sorted(self._slots.values(), key=lambda slot: slot.used)

    def holds(self, slot: Slot) -> bool:
        """Whether a slot has not been evicted or dropped."""
        return self._slots.get(slot.key) is slot

    def has(self, component: str, devices: Collection[str]) -> bool:
        """Whether a component has a slot on one of some devices."""
        return any(slot.component == component and slot.device in devices for slot in self._slots.values())

    def find(self, component: str, device: str, dtype: str) -> Slot | None:
        """The slot of a component, loaded or being loaded; None if there is none."""
        return self._slots.get((component, device, dtype))

    def unused(self) -> list[Slot]:
        """Slots without a lease, least recently used first."""
        return [slot for slot in self.slots() if slot.leases == 0]

    def slot_for(self, spec: ModelSpec, device: str, dtype: str, component: str = "") -> Slot:
        """The slot of a model, or a new one of the size measured at an earlier load, else declared."""
        component = component or spec.id
        if (found := self._slots.get((component, device, dtype))) is not None:
            found.ids.add(spec.id)
            return found
        size = self._sizes.get((component, dtype), spec.weight_bytes.get(dtype, 0))
        return Slot(spec=spec, component=component, device=device, dtype=dtype, bytes=size)

    def grant(self, lease: Lease, may_evict: Callable[[Slot], bool] | None = None) -> bool:
        """Reserve memory for a lease, evicting unused models for it.

        Args:
            lease: what is wanted.
            may_evict: which unused models may be evicted; default: all.

        Returns:
            Whether it was granted; if not, it fits once other leases end.

        Raises:
            DoesNotFit: the lease does not fit even after evicting everything else.
        """
        usable = {device: self._usable(device) for device in lease.devices}
        if (victims := self._victims(lease, usable, may_evict)) is None:
            self._refuse_impossible(lease, usable)
            return False
        lease.has_evicted = self._evict_for_another(victims) > 0
        slots = dict.fromkeys(lease.slots.values())
        lease.to_load = [slot for slot in slots if slot.key not in self._slots]
        for slot in slots:
            self._slots[slot.key] = slot
            slot.leases += 1
            slot.used = next(self._clock)
            self._policy.use(slot)
        self._leases.add(lease)
        return True

    def release(self, lease: Lease) -> None:
        """End a lease; slots whose load failed are dropped."""
        self._leases.discard(lease)
        for slot in dict.fromkeys(lease.slots.values()):
            slot.leases -= 1
            slot.used = next(self._clock)
        for slot in lease.to_load:
            if not slot.is_ready and self.holds(slot):
                del self._slots[slot.key]

    def resize(self, slot: Slot, size: int, lease: Lease) -> bool:
        """Record the measured size of a model, evicting others if it is larger than declared.

        Returns:
            Whether there is enough memory for it.
        """
        self._sizes[slot.component, slot.dtype] = slot.bytes = size
        usable = {device: self._usable(device) for device in lease.devices}
        if (victims := self._victims(lease, usable)) is None:
            return False
        self._evict_for_another(victims)
        return True

    def room(self, device: str, components: Collection[str]) -> int:
        """Bytes on a device for some components and their calls, with all else that is unused evicted."""
        held = sum(
            slot.bytes
            for slot in self._slots.values()
            if memory_of(slot.device) == device and slot.leases and slot.component not in components
        )
        peaks = sum(lease.peaks.get(device, 0) for lease in self._leases)
        return max(0, self._usable(device) - held - peaks)

    def evict(self, slots: Iterable[Slot]) -> int:
        """Remove models; return their bytes. Nothing is copied: the weights are dropped where they are."""
        freed = 0
        for slot in slots:
            del self._slots[slot.key]
            slot.model = None
            freed += slot.bytes
            if slot.device == HOST:
                for other in self._slots.values():
                    if (other.component, other.dtype) == (slot.component, slot.dtype):
                        other.reload_s = other.load_s
        return freed

    def _evict_for_another(self, slots: Collection[Slot]) -> int:
        self._policy.evict(slots)
        return self.evict(slots)

    def _usable(self, device: str) -> int:
        held = sum(slot.bytes for slot in self._slots.values() if memory_of(slot.device) == device)
        return self._usable_bytes(device, held)

    def _victims(
        self,
        lease: Lease,
        usable: dict[str, int],
        may_evict: Callable[[Slot], bool] | None = None,
    ) -> list[Slot] | None:
        """The unused models to evict; None if that is not enough."""
        if self._shortage(lease, usable, ()) == 0:
            return []
        wanted = list(lease.slots.values())
        others = (
            slot for slot in self.unused() if slot not in wanted and (may_evict is None or may_evict(slot))
        )
        return self._policy.choose(others, lambda gone: self._shortage(lease, usable, gone))

    def _shortage(
        self,
        lease: Lease,
        usable: dict[str, int],
        gone: Collection[Slot],
        others: Collection[Lease] | None = None,
    ) -> int:
        """Number of missing bytes for a lease, summed over devices and the limit."""
        slots = {*self._slots.values(), *lease.slots.values()}.difference(gone)
        live = {lease, *(self._leases if others is None else others)}
        short = 0
        for device in lease.devices:
            weights = sum(slot.bytes for slot in slots if memory_of(slot.device) == device)
            peaks = sum(each.peaks.get(device, 0) for each in live)
            short += max(0, weights + peaks - usable[device])
        if self._limit is not None:
            short += max(0, sum(slot.bytes for slot in slots) - self._limit)
        if self._host_limit is not None:
            copies = sum(slot.bytes for slot in slots if slot.device == HOST)
            short += max(0, copies - self._host_limit)
        return short

    def _refuse_impossible(self, lease: Lease, usable: dict[str, int]) -> None:
        """Raise DoesNotFit unless other leases that end can free enough memory."""
        rest = set(self._slots.values()).difference(lease.slots.values())
        if self._shortage(lease, usable, rest, ()) == 0:
            return
        weights = sum(slot.bytes for slot in dict.fromkeys(lease.slots.values()))
        is_over_limit = self._limit is not None and weights > self._limit
        if lease.device == "cpu" and self._leases and not is_over_limit:
            return  # memory of other running calls counts against the CPU's free memory until they end
        short = [name for name in lease.devices if _bytes_on(lease, name) > usable[name]]
        device = short[0] if short else memory_of(lease.device)
        free, hint = usable[device], "close other programs, or use a smaller model"
        if self._limit is not None and self._limit <= free:
            free, hint = self._limit, "raise PROMPTVISION_MODEL_MEMORY"
        raise DoesNotFit(list(lease.slots), device, _bytes_on(lease, device), free, hint)


def _bytes_on(lease: Lease, device: str) -> int:
    slots = dict.fromkeys(lease.slots.values())
    weights = sum(slot.bytes for slot in slots if memory_of(slot.device) == device)
    return weights + lease.peaks.get(device, 0)
