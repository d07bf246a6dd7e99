"""The order of eviction."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from promptvision.models.eviction import SHORTEST_RELOAD_S, EvictionOrder
from promptvision.models.slot import Slot
from promptvision.models.spec import ModelSpec

GB = 10**9


def loaded(id_: str, *, size: int = GB, reload_s: float = 1.0, device: str = "cuda") -> Slot:
    spec = ModelSpec(id=id_, source="someone/something", revision="0" * 40, files=(), license="MIT")
    return Slot(spec=spec, device=device, dtype="float16", bytes=size, reload_s=reload_s)


def after(*uses: Slot) -> EvictionOrder:
    order = EvictionOrder()
    for slot in uses:
        order.use(slot)
    return order


def names(slots: list[Slot]) -> str:
    return "".join(slot.spec.id for slot in slots)


A, B, C = loaded("a"), loaded("b"), loaded("c")


def test_models_alike_keep_the_order_given() -> None:
    assert names(after(A, B, C).sort([B, C, A])) == "bca"


def test_a_model_used_more_often_leaves_later() -> None:
    assert names(after(A, A, A, B, B, C).sort([A, B, C])) == "cba"


def test_a_model_that_reloads_slowly_for_its_size_leaves_later() -> None:
    slow, large = loaded("s", reload_s=3.0), loaded("l", size=4 * GB)
    assert names(after(slow, A, large).sort([slow, A, large])) == "las"


def test_loads_too_short_to_measure_count_alike() -> None:
    quick, quicker = (loaded(id_, reload_s=SHORTEST_RELOAD_S / n) for id_, n in (("x", 2), ("y", 200)))
    assert names(after(quick, quicker).sort([quick, quicker])) == "xy"


def test_a_model_that_was_used_often_long_ago_leaves_in_the_end() -> None:
    often = loaded("a", reload_s=1.1)
    order = after(*[often] * 4)
    for index in range(5):
        other = loaded(f"{index}")
        order.use(other)
        assert names(order.sort([often, other])) == (f"{index}a" if index < 4 else "a4")
        order.evict(other)


def test_each_device_has_its_own_clock() -> None:
    order = after(loaded("x", size=1))
    order.evict(loaded("x", size=1))
    order.use(loaded("y", device="cpu"))
    order.use(A)
    order.use(B)
    assert order.priority(loaded("y", device="cpu")) < 1 < order.priority(A)


def test_announced_models_leave_last_and_the_one_needed_soonest_at_the_end() -> None:
    order = after(A, A, A, B, C)
    order.announce(["b", "c", "b"])
    assert names(order.sort([A, B, C])) == "acb"
    order.announce([])
    assert names(order.sort([A, B, C])) == "bca"


def test_uses_outlive_an_eviction() -> None:
    order = after(A, A, B)
    order.evict(A)
    order.use(A)
    order.use(B)
    assert names(order.sort([A, B])) == "ba"


USES = st.lists(st.sampled_from([A, B, C]), max_size=20)


@given(uses=USES, announced=st.lists(st.sampled_from("abc"), max_size=3, unique=True))
def test_the_order_loses_no_model_and_depends_on_nothing_else(uses: list[Slot], announced: list[str]) -> None:
    first, second = after(*uses), after(*uses)
    for order in (first, second):
        order.announce(announced)
    assert first.sort([A, B, C]) == second.sort([A, B, C])
    assert sorted(names(first.sort([A, B, C]))) == list("abc")
