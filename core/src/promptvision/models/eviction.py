"""The order in which models without a lease are evicted: GreedyDual-Size-Frequency.

Each model has a priority, ``H = clock + uses * reload_s / bytes``, and the lowest is evicted first. ``clock``
is the highest priority evicted before the model's last use, so a model that was used often, but long ago,
does not stay forever. Each device has a clock of its own, because loads from disk to host memory and copies
from there to a GPU differ in seconds per byte.

Source: L. Cherkasova, "Improving WWW Proxies Performance with Greedy-Dual-Size-Frequency Caching Policy",
HP Laboratories, HPL-98-69, 1998.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from promptvision.models.slot import Key, Slot

__all__ = ["EvictionOrder"]

SHORTEST_RELOAD_S = 0.05
"""Shorter reloads count as this long: measured times below it depend more on the load of the machine than on
the model."""


class EvictionOrder:
    """Uses of models, and the order of eviction that follows from them.

    Uses are counted by the key of the slot, and kept when the slot is evicted.
    """

    def __init__(self) -> None:
        self._clocks: defaultdict[str, float] = defaultdict(float)
        self._uses: defaultdict[Key, int] = defaultdict(int)
        self._used_at: defaultdict[Key, float] = defaultdict(float)
        self._needed: dict[str, int] = {}

    def announce(self, ids: Sequence[str]) -> None:
        """Replace the ids of the models that current plans need next, soonest first."""
        self._needed = {id_: index for index, id_ in reversed(list(enumerate(ids)))}

    def use(self, slot: Slot) -> None:
        """Count a use of a slot."""
        self._uses[slot.key] += 1
        self._used_at[slot.key] = self._clocks[slot.device]

    def evict(self, slot: Slot) -> None:
        """Advance the clock of a device when a slot is evicted for another."""
        self._clocks[slot.device] = max(self._clocks[slot.device], self.priority(slot))

    def priority(self, slot: Slot) -> float:
        """``H`` of a slot."""
        reload_s = max(slot.reload_s, SHORTEST_RELOAD_S)
        return self._used_at[slot.key] + self._uses[slot.key] * reload_s / max(1, slot.bytes)

    def sort(self, slots: Iterable[Slot]) -> list[Slot]:
        """Slots in the order of eviction.

        Announced models come last, and the one needed soonest at the very end. Slots of equal priority stay
        in the given order.
        """
        return sorted(slots, key=self._rank)

    def _rank(self, slot: Slot) -> tuple[bool, int, float]:
        needed = self._needed.get(slot.spec.id)
        return needed is not None, -(needed or 0), self.priority(slot)
