"""The ledger: which leases fit, and what is evicted for them."""

from __future__ import annotations

import pytest

from promptvision.models.ledger import Lease, Ledger
from promptvision.models.placement import DoesNotFit
from promptvision.models.spec import ModelSpec

SIZES = {"a": 100, "b": 200, "c": 300, "d": 400, "e": 500}
SPECS = {
    id_: ModelSpec(
        id=id_,
        source="someone/something",
        revision="0" * 40,
        files=(),
        license="MIT",
        weight_bytes={"float16": size},
    )
    for id_, size in SIZES.items()
}


def granted(ledger: Ledger, *ids: str, peak: int = 0) -> Lease | None:
    slots = {id_: ledger.slot_for(SPECS[id_], "cuda", "float16") for id_ in ids}
    lease = Lease("cuda", {"cuda": peak}, slots)
    return lease if ledger.grant(lease) else None


def use(ledger: Ledger, *ids: str, peak: int = 0) -> str:
    """Lease and release; return the ids of the models that are loaded afterwards."""
    lease = granted(ledger, *ids, peak=peak)
    assert lease is not None
    for slot in lease.slots.values():
        slot.is_ready = True
    ledger.release(lease)
    return "".join(sorted(slot.spec.id for slot in ledger.slots()))


def ledger_of(usable: int, limit: int | None = None) -> Ledger:
    return Ledger(lambda device, held: usable, limit)


def test_of_models_that_reload_in_the_same_time_the_largest_leaves() -> None:
    ledger = ledger_of(1000)
    for ids in ("d", "e"):
        use(ledger, ids)
    assert use(ledger, "c") == "cd"


def test_the_model_used_most_often_stays() -> None:
    ledger = ledger_of(650)
    for ids in ("c", "c", "c", "b"):
        use(ledger, ids)
    assert use(ledger, "d") == "bd"  # only the 300 bytes make enough room
    ledger = ledger_of(500)
    for ids in ("c", "c", "c", "b"):
        use(ledger, ids)
    assert use(ledger, "a") == "ac"


def test_what_a_plan_needs_next_stays_although_it_was_used_least() -> None:
    ledger = ledger_of(600)
    for ids in ("c", "b", "b", "b"):
        use(ledger, ids)
    ledger.announce(["c"])
    assert use(ledger, "a", peak=100) == "ac"


def test_what_a_plan_needs_next_leaves_when_nothing_else_can() -> None:
    ledger = ledger_of(600)
    use(ledger, "c")
    ledger.announce(["c"])
    assert use(ledger, "e") == "e"


def test_smaller_model_is_kept_if_evicting_a_larger_one_is_enough() -> None:
    ledger = ledger_of(800)
    for ids in ("e", "e", "e", "c", "c"):
        use(ledger, ids)  # 500 and 300; e has the higher priority
    slow = ledger.slot_for(SPECS["e"], "cuda", "float16")
    slow.reload_s = 10.0
    assert use(ledger, "d") == "cd"  # c alone is not enough, and e alone is


def test_models_in_use_never_leave() -> None:
    ledger = ledger_of(600)
    assert granted(ledger, "d") is not None
    assert granted(ledger, "c") is None
    with pytest.raises(DoesNotFit):
        granted(ledger, "d", "e")
    assert [slot.spec.id for slot in ledger.slots()] == ["d"]
