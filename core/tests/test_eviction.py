"""Which models are evicted."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptvision.models.eviction import MAX_SETS, SHORTEST_RELOAD_S, EvictionPolicy
from promptvision.models.slot import Slot
from promptvision.models.spec import ModelSpec

GB = 10**9


def loaded(id_: str, *, size: int = GB, reload_s: float = 1.0, device: str = "cuda") -> Slot:
    spec = ModelSpec(id=id_, source="someone/something", revision="0" * 40, files=(), license="MIT")
    return Slot(spec=spec, device=device, dtype="float16", bytes=size, reload_s=reload_s)


def after(*uses: Slot) -> EvictionPolicy:
    policy = EvictionPolicy()
    for slot in uses:
        policy.use(slot)
    return policy


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
    policy = after(*[often] * 4)
    for index in range(5):
        other = loaded(f"{index}")
        policy.use(other)
        assert names(policy.sort([often, other])) == (f"{index}a" if index < 4 else "a4")
        policy.evict([other])


def test_each_device_has_its_own_clock() -> None:
    policy = after(loaded("x", size=1))
    policy.evict([loaded("x", size=1)])
    policy.use(loaded("y", device="cpu"))
    policy.use(A)
    policy.use(B)
    assert policy.priority(loaded("y", device="cpu")) < 1 < policy.priority(A)


def test_announced_models_leave_last_and_the_one_needed_soonest_at_the_end() -> None:
    policy = after(A, A, A, B, C)
    policy.announce(["b", "c", "b"])
    assert names(policy.sort([A, B, C])) == "acb"
    policy.announce([])
    assert names(policy.sort([A, B, C])) == "bca"


def test_uses_outlive_an_eviction() -> None:
    policy = after(A, A, B)
    policy.evict([A])
    policy.use(A)
    policy.use(B)
    assert names(policy.sort([A, B])) == "ba"


def chosen(policy: EvictionPolicy, slots: list[Slot], needed: int) -> str | None:
    def shortage(gone: Sequence[Slot]) -> int:
        return max(0, needed - sum(slot.bytes for slot in gone))

    victims = policy.choose(slots, shortage)
    return None if victims is None else names(victims)


def test_the_clock_follows_the_lowest_of_a_set() -> None:
    policy = after(A, A, A, B)
    policy.evict([A, B])
    policy.use(C)
    assert policy.priority(C) == pytest.approx(2 / GB)


def test_the_set_of_the_least_value_leaves() -> None:
    small, large = loaded("s", size=GB // 4, reload_s=0.25), loaded("l", size=3 * GB, reload_s=3.0)
    policy = after(small, large, A, A, B, B)
    slots = [small, large, A, B]
    assert chosen(policy, slots, 0) == ""
    assert chosen(policy, slots, GB // 5) == "s"
    assert chosen(policy, slots, GB) == "a"  # s first would free too little, and l more than needed
    assert chosen(policy, slots, 3 * GB) == "l"
    assert chosen(policy, slots, 9 * GB) is None


def test_what_a_plan_needs_is_evicted_only_if_the_rest_is_not_enough() -> None:
    policy = after(A, B, B, B, C, C)
    policy.announce("a")
    assert chosen(policy, [A, B, C], GB) == "c"
    assert chosen(policy, [A, B, C], 2 * GB) == "cb"
    assert chosen(policy, [A, B, C], 3 * GB) == "cba"
    policy.announce("abc")
    assert chosen(policy, [A, B, C], GB) == "c"  # the others are needed sooner, and reload in the same time


MANY = [loaded(chr(97 + index), size=(index * 37 % 11 + 1) * GB // 4) for index in range(14)]


def test_the_search_is_bounded_and_never_worse_than_the_lowest_first() -> None:
    policy = after(*MANY)
    calls = 0

    def shortage(gone: Sequence[Slot]) -> int:
        nonlocal calls
        calls += 1
        return max(0, 9 * GB - sum(slot.bytes for slot in gone))

    victims = policy.choose(MANY, shortage)
    assert victims is not None
    assert calls < MAX_SETS + 20
    first: list[Slot] = []
    for slot in policy.sort(MANY):
        if shortage(first) > 0:
            first.append(slot)
    assert policy.cost(victims) <= policy.cost(first)


USES = st.lists(st.sampled_from([A, B, C]), max_size=20)


@given(uses=USES, announced=st.lists(st.sampled_from("abc"), max_size=3, unique=True))
def test_the_order_loses_no_model_and_depends_on_nothing_else(uses: list[Slot], announced: list[str]) -> None:
    first, second = after(*uses), after(*uses)
    for policy in (first, second):
        policy.announce(announced)
    assert first.sort([A, B, C]) == second.sort([A, B, C])
    assert sorted(names(first.sort([A, B, C]))) == list("abc")
