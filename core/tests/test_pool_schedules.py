"""Thousands of random schedules of leases over the ledger, on a simulated GPU and without threads.

Each caller leases a set of models, waits until it is granted, loads what is not loaded, waits for what
others are loading, computes, and releases; it may be cancelled, or its load may fail, at any point. Another
process takes and frees memory meanwhile.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from promptvision.models.ledger import Lease, Ledger
from promptvision.models.placement import DoesNotFit
from promptvision.models.slot import HOST, Slot
from promptvision.models.spec import ModelSpec
from promptvision.testing.simulated_gpu import Block, SimulatedGpu

SIZES = {"a": 100, "b": 200, "c": 300, "d": 400, "e": 500, "e of another plugin": 500}
SHARED = {"e of another plugin": "e"}
"""Models that are the same weights as another one."""
TOTAL = 1500
HOST_LIMIT = 900
SPECS = [
    ModelSpec(
        id=id_,
        source="someone/something",
        revision="0" * 40,
        files=(),
        license="MIT",
        weight_bytes={"float16": size},
    )
    for id_, size in SIZES.items()
]


@dataclass(eq=False)
class Caller:
    """One call: the models it leases, and the steps that it still has to take."""

    specs: list[ModelSpec]
    peak: int
    lease: Lease | None = None
    steps: Iterator[None] = field(default_factory=lambda: iter(()))


class Schedule:
    """A ledger with its callers; every choice comes from one random generator.

    Args:
        seed: of the generator.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.gpu = SimulatedGpu(TOTAL)
        self.limit = self.random.choice([None, 700, 1200])
        self.ledger = Ledger(self.usable, self.limit, host_limit=HOST_LIMIT)
        self.callers: list[Caller] = []
        self.refused = 0

    def usable(self, device: str, held: int) -> int:
        return TOTAL - self.gpu.other_bytes if device == "cuda" else TOTAL

    def run(self, events: int = 40) -> None:
        """Take random steps, then finish every caller."""
        for _ in range(events):
            self.random.choice(
                [self.start, self.advance, self.advance, self.advance, self.cancel, self.change_usage]
            )()
            self.check()
        self.gpu.other_bytes = 0
        self.finish()

    def start(self) -> None:
        """A new caller."""
        specs = self.random.sample(SPECS, self.random.randint(1, 3))
        caller = Caller(specs, self.random.choice([0, 50, 200]))
        caller.steps = self.work(caller)
        self.callers.append(caller)

    def advance(self) -> None:
        """One step of one caller."""
        if self.callers:
            self.step(self.random.choice(self.callers))

    def step(self, caller: Caller) -> None:
        """One step; the caller leaves when it has finished or cannot be served."""
        try:
            next(caller.steps)
        except (StopIteration, DoesNotFit, MemoryError):
            self.leave(caller)

    def cancel(self) -> None:
        """Cancel a caller at its current step."""
        if self.callers:
            self.leave(self.random.choice(self.callers))

    def leave(self, caller: Caller) -> None:
        caller.steps = iter(())
        self.release(caller)
        self.callers.remove(caller)

    def release(self, caller: Caller) -> None:
        if caller.lease is not None:
            self.ledger.release(caller.lease)
            caller.lease = None

    def change_usage(self) -> None:
        """Another process takes up to 600 free bytes or releases all of them; plans change."""
        self.gpu.other_bytes = 0
        self.gpu.other_bytes = min(self.random.choice([0, 300, 600]), self.gpu.free_bytes)
        self.ledger.announce(self.random.sample(sorted(SIZES), 2))

    def work(self, caller: Caller) -> Iterator[None]:
        """What the pool does for one caller; it may be interrupted at each ``yield``."""
        while True:
            while not self.grant(caller):
                yield
            for slot in list(self.lease_of(caller).to_load):
                yield
                if not self.load(slot, caller):
                    break
            else:
                slots = self.lease_of(caller).slots.values()
                while not all(slot.is_ready for slot in slots) and all(map(self.ledger.holds, slots)):
                    yield
                if all(slot.is_ready and self.ledger.holds(slot) for slot in slots):
                    yield from self.compute(caller)
                    return
            self.release(caller)  # a model was larger than declared, or a load of another caller failed
            yield

    def grant(self, caller: Caller) -> bool:
        slots = self.slots_of(caller.specs)
        lease = Lease("cuda", {"cuda": caller.peak}, slots)
        try:
            if not self.ledger.grant(lease):
                return False
        except DoesNotFit:
            self.refused += 1
            weights = sum(slot.bytes for slot in set(slots.values()))
            room = TOTAL - self.gpu.other_bytes
            assert weights + caller.peak > room or (self.limit is not None and weights > self.limit)
            raise
        caller.lease = lease
        self.check_budget()
        return True

    def slots_of(self, specs: list[ModelSpec]) -> dict[str, Slot]:
        """By model id; one slot for models that are the same weights."""
        slots: dict[str, Slot] = {}
        for spec in specs:
            component = SHARED.get(spec.id, spec.id)
            known = {slot.component: slot for slot in slots.values()}
            slots[spec.id] = known.get(component) or self.ledger.slot_for(spec, "cuda", "float16", component)
        return slots

    def lease_of(self, caller: Caller) -> Lease:
        assert caller.lease is not None
        return caller.lease

    def load(self, slot: Slot, caller: Caller) -> bool:
        """Load one model; sometimes that fails, or it is larger than declared."""
        if self.random.random() < 0.05:
            raise MemoryError
        self.copy_to_host(slot)
        size = SIZES[slot.spec.id] + self.random.choice([0, 0, 0, 30])
        if not self.ledger.resize(slot, size, self.lease_of(caller)):
            return False
        self.check_budget()
        slot.model = self.gpu.allocate(size)
        slot.reload_s, slot.is_ready = self.gpu.copy_to(size, is_pinned=True), True
        return True

    def copy_to_host(self, slot: Slot) -> None:
        """Keep a copy in main memory if there is memory for it; only other copies are evicted for it."""
        copy = self.ledger.slot_for(slot.spec, HOST, slot.dtype, slot.component)
        lease = Lease(HOST, {}, {slot.spec.id: copy})
        on_gpu = self.on("cuda")
        try:
            if not self.ledger.grant(lease, lambda one: one.device == HOST):
                return
        except DoesNotFit:
            return
        self.check_budget(HOST)
        assert self.on("cuda") == on_gpu
        copy.is_ready = True
        self.ledger.release(lease)

    def on(self, device: str) -> list[Slot]:
        return [slot for slot in self.ledger.slots() if slot.device == device]

    def compute(self, caller: Caller) -> Iterator[None]:
        activations = self.gpu.allocate(caller.peak)
        yield
        del activations

    def check_budget(self, device: str = "cuda") -> None:
        """What was granted on a device is within it, what other processes leave of it, and the limits."""
        slots = self.on(device)
        peaks = sum(caller.lease.peaks.get(device, 0) for caller in self.callers if caller.lease)
        assert sum(slot.bytes for slot in slots) + peaks <= self.usable(device, 0)
        assert device != HOST or sum(slot.bytes for slot in slots) <= HOST_LIMIT
        assert self.limit is None or sum(slot.bytes for slot in self.ledger.slots()) <= self.limit

    def check(self) -> None:
        """Nothing is lost, counted twice or evicted in use."""
        slots = self.ledger.slots()
        assert len({(slot.component, slot.device) for slot in slots}) == len(slots)
        leases = [caller.lease for caller in self.callers if caller.lease]
        held = Counter(slot for lease in leases for slot in set(lease.slots.values()))
        for slot, count in held.items():
            assert slot.leases == count
            assert self.ledger.holds(slot) or not slot.is_ready
        assert {slot for slot in slots if slot.leases} <= set(held)
        assert all(slot.is_ready or slot.leases for slot in slots)
        weights = sum(slot.model.nbytes for slot in slots if isinstance(slot.model, Block))
        assert weights <= self.gpu.allocated_bytes <= weights + sum(caller.peak for caller in self.callers)

    def finish(self) -> None:
        """Every caller ends, and then nothing is leased."""
        for _ in range(60):
            for caller in list(self.callers):
                self.step(caller)
            self.check()
        assert not self.callers, "deadlock"
        assert not any(slot.leases for slot in self.ledger.slots())
        assert self.gpu.allocated_bytes == sum(slot.bytes for slot in self.on("cuda"))
        self.ledger.evict(self.ledger.unused())
        assert self.gpu.allocated_bytes == 0


@pytest.mark.parametrize("first", range(0, 2000, 500))
def test_random_schedules(first: int) -> None:
    refused = 0
    for seed in range(first, first + 500):
        schedule = Schedule(seed)
        schedule.run()
        refused += schedule.refused
    assert refused > 50  # the schedules are tight enough to matter
