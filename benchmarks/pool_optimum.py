"""The cheapest choice of what leaves the device, for a trace that is known in advance.

Exact, by dynamic programming over the sets of models on the device: after each step, a state is the set that
is loaded, and its cost the seconds of copies so far. Models leave only when room is needed, and no more than
needed; leaving earlier or in larger numbers is never cheaper. Peaks are known, and nothing else is running:
no policy that copies before it computes can be faster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

from pool_replay import Outcome, headroom
from pool_traces import Trace

from promptvision.testing.simulated_gpu import SimulatedGpu


def optimum(trace: Trace, gpu: SimulatedGpu) -> Outcome | None:
    """Seconds and copied bytes of the cheapest run; None if a step does not fit resident.

    Args:
        trace: what runs. Steps with a result that is known already are left out.
        gpu: an idle device.
    """
    ids = sorted(trace.sizes)
    sizes = [trace.sizes[id_] for id_ in ids]
    bit = {id_: 1 << index for index, id_ in enumerate(ids)}

    @cache
    def weight(models: int) -> int:
        return sum(size for index, size in enumerate(sizes) if models >> index & 1)

    @cache
    def kept(models: int, room: int) -> tuple[int, ...]:
        return tuple(_largest_subsets(models, room, weight))

    costs = {0: 0}
    seconds, other = 0.0, 0
    known: set[str] = set()
    usable = gpu.total_bytes - headroom(gpu.total_bytes)
    for turn in trace.turns:
        step = turn.step
        if step.result in known:
            continue
        if step.result:
            known.add(step.result)
        seconds += step.seconds
        needed = sum(bit[id_] for id_ in step.models)
        room = usable - other - step.peak - weight(needed)
        if room < 0:
            return None
        after: dict[int, int] = {}
        for models, cost in costs.items():
            cost += weight(needed & ~models)
            for rest in kept(models & ~needed, room):
                state = rest | needed
                after[state] = min(cost, after.get(state, cost))
        costs = after
        other += step.grab
    copied = min(costs.values())
    seconds += sum(sizes) / gpu.speeds.disk + copied / gpu.speeds.pinned
    return Outcome(seconds, copied, 0, 0)


def _largest_subsets(models: int, room: int, weight: Callable[[int], int]) -> Iterator[int]:
    """Subsets that fit and to which no other model can be added."""
    if weight(models) <= room:
        yield models
        return
    subset = models
    while subset:
        subset = (subset - 1) & models
        if weight(subset) > room:
            continue
        rest = models & ~subset
        while rest:
            lowest = rest & -rest
            if weight(subset | lowest) <= room:
                break
            rest ^= lowest
        else:
            yield subset
