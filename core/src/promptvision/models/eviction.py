"""Which models without a lease are evicted: the set whose loss costs least.

The value of a model follows GreedyDual-Size-Frequency: ``H = clock + uses * reload_s / bytes``. ``clock``
rises to the lowest ``H`` of each set that is evicted, and is taken at the model's last use, so a model that
was used often, but long ago, does not stay forever. Each device has a clock of its own, because loads from
disk to host memory and copies from there to a GPU differ in seconds per byte.

The lowest ``H`` first may evict more than is needed, since models are few and large. Of the sets that free
enough, the one is chosen that delays current plans least, and among those the one of the least value.

Source: L. Cherkasova, "Improving WWW Proxies Performance with Greedy-Dual-Size-Frequency Caching Policy",
HP Laboratories, HPL-98-69, 1998.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from promptvision.models.slot import Key, Slot

__all__ = ["EvictionPolicy"]

SHORTEST_RELOAD_S = 0.05
"""Shorter reloads count as this long: measured times below it depend more on the load of the machine than on
the model."""

MAX_SETS = 100
"""How many sets are compared at most, which takes about a millisecond with ten models."""

Cost = tuple[float, float]
"""Seconds of reloads in current plans, and the value of the other slots in seconds."""

Shortage = Callable[[Sequence[Slot]], int]
"""Returns the bytes that are missing once some slots are evicted."""


class EvictionPolicy:
    """Uses of models, and what to evict in view of them.

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

    def evict(self, slots: Iterable[Slot]) -> None:
        """Advance clocks when some slots are evicted for another: to the lowest priority among them."""
        lowest: dict[str, float] = {}
        for slot in slots:
            priority = self.priority(slot)
            lowest[slot.device] = min(priority, lowest.get(slot.device, priority))
        for device, priority in lowest.items():
            self._clocks[device] = max(self._clocks[device], priority)

    def priority(self, slot: Slot) -> float:
        """``H`` of a slot."""
        return self._used_at[slot.key] + self._uses[slot.key] * _reload_s(slot) / max(1, slot.bytes)

    def sort(self, slots: Iterable[Slot]) -> list[Slot]:
        """Slots by their priority, the lowest first.

        Announced models come last, and the one needed soonest at the very end. Slots of equal priority stay
        in the given order.
        """
        return sorted(slots, key=self._rank)

    def choose(self, slots: Iterable[Slot], shortage: Shortage) -> list[Slot] | None:
        """The slots to evict; None if all of them are not enough.

        Args:
            slots: may be evicted, least recently used first.
            shortage: of a set of evicted slots; 0 is enough.
        """
        if shortage([]) == 0:
            return []
        candidates = self.sort(slots)
        if (victims := _first_enough(candidates, shortage)) is None:
            return None
        costs = {slot: self.cost([slot]) for slot in candidates}
        return _Search(costs, shortage, victims).run(candidates)

    def cost(self, slots: Iterable[Slot]) -> Cost:
        """What is lost when some slots are evicted."""
        delay = value = 0.0
        for slot in slots:
            reload_s = _reload_s(slot)
            if not slot.ids.isdisjoint(self._needed):
                delay += reload_s
            else:
                value += reload_s + max(0.0, self.priority(slot) - self._clocks[slot.device]) * slot.bytes
        return delay, value

    def _rank(self, slot: Slot) -> tuple[bool, int, float]:
        needed = min((self._needed[id_] for id_ in slot.ids if id_ in self._needed), default=None)
        return needed is not None, -(needed or 0), self.priority(slot)


class _Search:
    """Compares sets depth-first, and gives up after :data:`MAX_SETS`.

    Args:
        costs: of each slot.
        shortage: of a set.
        best: a set that is enough.
    """

    def __init__(self, costs: Mapping[Slot, Cost], shortage: Shortage, best: list[Slot]) -> None:
        self._costs = costs
        self._shortage = shortage
        self._best = best
        self._lowest = functools.reduce(_plus, (costs[slot] for slot in best))
        self._left = MAX_SETS

    def run(self, candidates: Sequence[Slot]) -> list[Slot]:
        """The cheapest set that was found."""
        self._extend([], (0.0, 0.0), candidates)
        return self._best

    def _extend(self, victims: list[Slot], cost: Cost, candidates: Sequence[Slot]) -> None:
        for index, slot in enumerate(candidates):
            total = _plus(cost, self._costs[slot])
            if total >= self._lowest:
                continue
            if self._left == 0:
                return
            self._left -= 1
            wider = [*victims, slot]
            if self._shortage(wider) == 0:
                self._best, self._lowest = wider, total
            else:
                self._extend(wider, total, candidates[index + 1 :])


def _plus(one: Cost, other: Cost) -> Cost:
    return one[0] + other[0], one[1] + other[1]


def _first_enough(candidates: Iterable[Slot], shortage: Shortage) -> list[Slot] | None:
    """The first candidates of which each reduces the shortage, until there is none."""
    victims: list[Slot] = []
    short = shortage(victims)
    for slot in candidates:
        left = shortage([*victims, slot])
        if left < short:
            victims.append(slot)
            short = left
        if short == 0:
            return victims
    return None


def _reload_s(slot: Slot) -> float:
    return max(slot.reload_s, SHORTEST_RELOAD_S)
