"""The pool, with real threads and models whose loaders are functions of this module."""

from __future__ import annotations

import random
import sys
import threading
import weakref
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from promptvision.errors import Busy, Cancelled, PluginError, PromptvisionError, SetupError, ToolFailed
from promptvision.models import devices
from promptvision.models.placement import DoesNotFit
from promptvision.models.pool import ModelPool
from promptvision.models.spec import ModelSpec, WeightFile
from promptvision.settings import Settings

MODULE = "promptvision_test_models"
DEVICES = {"cuda": ("float16",), "cpu": ("float32",)}


class Model:
    """An object that takes as much memory as its weights file says."""

    def __init__(self, path: Path, device: str, dtype: str) -> None:
        self.id = path.name
        self.device = device
        self.dtype = dtype
        self.nbytes = int((path / "weights").read_text())


@dataclass
class Loads:
    """A module that loads models and counts those in memory."""

    alive: weakref.WeakSet[Model] = field(default_factory=weakref.WeakSet)
    count: Counter[str] = field(default_factory=Counter)
    at_once: int = 0
    highest: int = 0
    before: Callable[[Model], object] = lambda model: None
    releases: int = 0

    def load(self, path: Path, device: str, dtype: str) -> Model:
        self.at_once += 1
        assert self.at_once == 1, "two loads at the same time"
        try:
            model = Model(path, device, dtype)
            self.count[model.id] += 1
            self.before(model)
            self.alive.add(model)
            self.highest = max(self.highest, self.bytes())
            return model
        finally:
            self.at_once -= 1

    def release(self) -> None:
        """Replaces a full garbage collection, which takes 0.1 s if torch is imported."""
        self.releases += 1

    def bytes(self) -> int:
        return sum(model.nbytes for model in list(self.alive))


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> Loads:
    ledger = Loads()
    monkeypatch.setitem(sys.modules, MODULE, ledger)
    monkeypatch.setattr(devices, "release_cached", ledger.release)
    return ledger


@dataclass
class Bench:
    """Builds pools over models of given sizes."""

    home: Path
    room: dict[str, int] = field(default_factory=lambda: {"cpu": 1000, "cuda": 1000})

    def spec(self, id_: str, size: int, *, declared: int | None = None, peak: int = 0) -> ModelSpec:
        folder = self.home / "weights" / id_
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "weights").write_text(str(size))
        dtypes = ("float16", "float32")
        return ModelSpec(
            id=id_,
            source="someone/something",
            revision="0" * 40,
            files=(WeightFile("weights"),),
            license="Apache-2.0",
            weight_bytes=dict.fromkeys(dtypes, size if declared is None else declared),
            peak_bytes=dict.fromkeys(dtypes, peak),
            dtypes=DEVICES,
            load=f"{MODULE}:load",
            plugin="toy",
        )

    def pool(
        self,
        *specs: ModelSpec,
        memory: int | None = None,
        device: str = "cpu",
        wait_s: float = 10,
    ) -> ModelPool:
        return ModelPool(
            {spec.id: spec for spec in specs},
            Settings(home=self.home, model_memory=memory),
            device=device,
            usable_bytes=lambda name, held: self.room[name],
            wait_s=wait_s,
        )


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def ids(pool: ModelPool) -> list[str]:
    return [model.id for model in pool.loaded()]


def test_a_model_is_loaded_once_and_kept(bench: Bench, loads: Loads) -> None:
    pool = bench.pool(bench.spec("a", 10))
    with pool.lease("a") as (first,):
        assert (first.id, first.device, first.dtype) == ("a", "cpu", "float32")
        assert pool.loaded()[0].leases == 1
    with pool.lease("a") as (second,):
        assert second is first
    assert loads.count == {"a": 1}
    assert [(model.bytes, model.leases) for model in pool.loaded()] == [(10, 0)]


def test_models_come_in_the_order_asked_for(bench: Bench, loads: Loads) -> None:
    pool = bench.pool(bench.spec("a", 1), bench.spec("b", 2))
    with pool.lease("b", "a", "b") as models:
        assert [model.id for model in models] == ["b", "a", "b"]
    assert loads.count == {"a": 1, "b": 1}


def test_the_least_recently_used_model_is_evicted_first(bench: Bench, loads: Loads) -> None:
    pool = bench.pool(*(bench.spec(id_, 400) for id_ in "abc"))
    for id_ in ("a", "b", "a", "c"):
        with pool.lease(id_):
            pass
    assert ids(pool) == ["a", "c"]
    assert loads.highest <= 1000
    assert loads.releases == 1  # cached blocks are released after an eviction, not at each load


def test_no_more_models_are_evicted_than_necessary(bench: Bench, loads: Loads) -> None:
    pool = bench.pool(bench.spec("a", 300), bench.spec("b", 300), bench.spec("c", 600))
    for id_ in "abc":
        with pool.lease(id_):
            pass
    assert ids(pool) == ["b", "c"]


def test_the_setting_limits_all_devices_together(bench: Bench, loads: Loads) -> None:
    pool = bench.pool(bench.spec("a", 400), bench.spec("b", 400), memory=700, device="cuda")
    with pool.lease("a", device="cpu"):
        pass
    with pool.lease("b", device="cuda"):
        assert ids(pool) == ["b"]
    with pytest.raises(DoesNotFit, match="PROMPTVISION_MODEL_MEMORY") as caught, pool.lease("a", "b"):
        pass
    assert (caught.value.needed_bytes, caught.value.free_bytes) == (800, 700)


def test_a_set_that_does_not_fit_the_gpu_goes_to_the_cpu_together(bench: Bench, loads: Loads) -> None:
    bench.room = {"cuda": 500, "cpu": 2000}
    pool = bench.pool(bench.spec("a", 300), bench.spec("b", 300), device="cuda")
    with pool.lease("a") as (alone,):
        assert (alone.device, alone.dtype) == ("cuda", "float16")
    with pool.lease("a", "b") as pair:
        assert [(model.device, model.dtype) for model in pair] == [("cpu", "float32")] * 2


def test_a_named_device_has_no_fallback(bench: Bench, loads: Loads) -> None:
    bench.room = {"cuda": 500, "cpu": 2000}
    pool = bench.pool(bench.spec("a", 600), device="cuda")
    with pytest.raises(DoesNotFit, match=r"0\.00 GB needed on cuda"), pool.lease("a", device="cuda"):
        pass
    assert pool.loaded() == []


def test_the_peak_of_a_call_counts_with_its_margin(bench: Bench, loads: Loads) -> None:
    pool = bench.pool(bench.spec("a", 500, peak=400), bench.spec("b", 500, peak=401))
    with pool.lease("a"):
        pass
    with pytest.raises(DoesNotFit), pool.lease("b"):
        pass


def test_the_peak_of_a_running_call_is_kept_free(bench: Bench, loads: Loads) -> None:
    pool = bench.pool(bench.spec("a", 100, peak=400), bench.spec("b", 500), wait_s=0)
    with pool.lease("a"), pytest.raises(Busy), pool.lease("b"):
        pass
    with pool.lease("b"):
        assert ids(pool) == ["a", "b"]


def test_a_lease_waits_for_memory_that_another_holds(bench: Bench, loads: Loads) -> None:
    pool = bench.pool(bench.spec("a", 600), bench.spec("b", 600))
    waiting = threading.Event()
    with ThreadPoolExecutor(1) as threads:
        with pool.lease("a"):
            later = threads.submit(lease_once, pool, "b", check=waiting.set)
            assert waiting.wait(10)
            assert ids(pool) == ["a"]
        assert later.result(10) == ["b"]
    assert loads.highest == 600


def lease_once(pool: ModelPool, *models: str, check: Callable[[], None] | None = None) -> list[str]:
    with pool.lease(*models, check=check) as leased:
        names = [model.id for model in leased]
        del leased
    return names


def test_waiting_ends_when_the_call_is_cancelled(bench: Bench, loads: Loads) -> None:
    pool = bench.pool(bench.spec("a", 600), bench.spec("b", 600))
    polls = iter([None, None, Cancelled("stop")])

    def check() -> None:
        if (error := next(polls)) is not None:
            raise error

    with pool.lease("a"), pytest.raises(Cancelled), pool.lease("b", check=check):
        pass
    assert [(model.id, model.leases) for model in pool.loaded()] == [("a", 0)]


def test_waiting_is_bounded(bench: Bench, loads: Loads) -> None:
    pool = bench.pool(bench.spec("a", 600), bench.spec("b", 600), wait_s=0.01)
    with pool.lease("a"), pytest.raises(Busy, match="'b'"), pool.lease("b"):
        pass


def test_a_call_with_a_time_limit_of_its_own_waits_its_turn(bench: Bench, loads: Loads) -> None:
    """A queue of slow calls: each waits until its check raises, not for the pool's own limit."""
    pool = bench.pool(bench.spec("a", 600), bench.spec("b", 600), wait_s=0.01)
    polled = threading.Semaphore(0)
    with ThreadPoolExecutor(1) as threads:
        with pool.lease("a"):
            later = threads.submit(lease_once, pool, "b", check=polled.release)
            for _ in range(6):  # each wait polls twice, so this is past the limit of 0.01 s
                assert polled.acquire(timeout=10)
        assert later.result(10) == ["b"]


def test_a_lease_can_declare_the_peak_of_its_call(bench: Bench, loads: Loads) -> None:
    pool = bench.pool(bench.spec("a", 600), bench.spec("b", 100, peak=10))
    with pool.lease("a"):
        pass
    with pool.lease("b"):
        assert ids(pool) == ["a", "b"]
    with pool.lease("b", peak_bytes=400):  # an idle model is evicted for the activations
        assert ids(pool) == ["b"]
    with pytest.raises(DoesNotFit), pool.lease("b", peak_bytes=800):
        pass


def test_models_that_are_streamed_have_the_dtype_and_the_peak_of_where_they_compute(
    bench: Bench, loads: Loads
) -> None:
    bench.room = {"cpu": 1000, "cuda": 500}
    pool = bench.pool(bench.spec("a", 900), bench.spec("b", 400))
    with pool.lease("b", device="cuda"):
        pass
    with pool.lease("a", device="cpu", compute_device="cuda", peak_bytes=200) as (model,):
        assert (model.device, model.dtype) == ("cpu", "float16")
        assert ids(pool) == ["a"]  # the peak of 250 bytes needed the room of b
    with pool.lease("a", device="cpu") as (model,):
        assert model.dtype == "float32"
    with (
        pytest.raises(DoesNotFit, match="on cuda"),
        pool.lease("a", device="cpu", compute_device="cuda", peak_bytes=500),
    ):
        pass


def test_free_unused_can_be_limited_to_models_and_a_device(bench: Bench, loads: Loads) -> None:
    pool = bench.pool(bench.spec("a", 10), bench.spec("b", 20), bench.spec("c", 30))
    for device in ("cpu", "cuda"):
        with pool.lease("a", "b", "c", device=device):
            pass
    assert pool.free_unused(["a", "b"], device="cuda") == 30
    assert [(model.id, model.device) for model in pool.loaded()] == [
        ("a", "cpu"),
        ("b", "cpu"),
        ("c", "cpu"),
        ("c", "cuda"),
    ]


def test_callers_of_a_loading_model_share_one_load(bench: Bench, loads: Loads) -> None:
    pool = bench.pool(bench.spec("a", 10))
    begun, proceed, waiting = threading.Event(), threading.Event(), threading.Event()

    def slowly(model: Model) -> None:
        begun.set()
        assert proceed.wait(10)

    loads.before = slowly
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(lease_once, pool, "a")
        assert begun.wait(10)
        assert pool.loaded() == []  # neither listed yet, nor is the pool locked
        second = threads.submit(lease_once, pool, "a", check=waiting.set)
        assert waiting.wait(10)
        proceed.set()
        assert [first.result(10), second.result(10)] == [["a"], ["a"]]
    assert loads.count == {"a": 1}


def test_caller_that_waited_for_a_failed_load_loads_again(bench: Bench, loads: Loads) -> None:
    pool = bench.pool(bench.spec("a", 10))
    begun, proceed, waiting = threading.Event(), threading.Event(), threading.Event()

    def fail_once(model: Model) -> None:
        loads.before = lambda model: None
        begun.set()
        assert proceed.wait(10)
        raise ValueError("header too large")

    loads.before = fail_once
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(lease_once, pool, "a")
        assert begun.wait(10)
        second = threads.submit(lease_once, pool, "a", check=waiting.set)
        assert waiting.wait(10)
        proceed.set()
        with pytest.raises(
            ToolFailed, match=r"toy: model 'a' could not be loaded .*header too large.*verify a"
        ):
            first.result(10)
        assert second.result(10) == ["a"]
    assert [model.leases for model in pool.loaded()] == [0]


def test_a_failed_load_leaves_nothing_behind(bench: Bench, loads: Loads) -> None:
    pool = bench.pool(bench.spec("a", 10), bench.spec("bad", 10))

    def fail(model: Model) -> None:
        if model.id == "bad":
            raise ValueError("no such tensor")

    loads.before = fail
    with pytest.raises(ToolFailed), pool.lease("a", "bad"):
        pass
    assert [(model.id, model.leases) for model in pool.loaded()] == [("a", 0)]


def test_nothing_is_evicted_for_weights_that_are_missing(bench: Bench, loads: Loads) -> None:
    gone = bench.spec("gone", 1_500)
    (bench.home / "weights" / "gone" / "weights").unlink()
    pool = bench.pool(bench.spec("a", 1000), gone)
    with pool.lease("a"):
        pass
    message = r"toy: model 'gone' .*0\.00 GB.*promptvision models pull gone"
    with pytest.raises(SetupError, match=message), pool.lease("gone"):
        pass
    assert ids(pool) == ["a"]


def test_out_of_memory_while_loading_frees_what_is_unused_and_tries_once_more(
    bench: Bench, loads: Loads
) -> None:
    pool = bench.pool(bench.spec("a", 100), bench.spec("b", 100))
    with pool.lease("a"):
        pass

    def full_while_a_is_here(model: Model) -> None:
        if any(other.id == "a" for other in loads.alive):
            raise MemoryError

    loads.before = full_while_a_is_here
    with pool.lease("b"):
        assert ids(pool) == ["b"]
    assert loads.count == {"a": 1, "b": 2}


def test_a_model_larger_than_declared_is_measured_and_makes_room(bench: Bench, loads: Loads) -> None:
    pool = bench.pool(bench.spec("a", 400), bench.spec("b", 900, declared=300))
    with pool.lease("a"):
        pass
    with pool.lease("b"):
        assert [(model.id, model.bytes) for model in pool.loaded()] == [("b", 900)]


def test_a_model_larger_than_declared_that_can_never_fit_is_refused(bench: Bench, loads: Loads) -> None:
    pool = bench.pool(bench.spec("a", 1200, declared=300))
    for _ in range(2):
        with pytest.raises(DoesNotFit), pool.lease("a"):
            pass
    assert loads.count == {"a": 1}
    assert loads.bytes() == 0


def test_free_unused_drops_all_but_leased_models(bench: Bench, loads: Loads) -> None:
    pool = bench.pool(bench.spec("a", 10), bench.spec("b", 20), bench.spec("c", 30))
    with pool.lease("a", "b"):
        pass
    with pool.lease("c"):
        assert pool.free_unused() == 30
        assert ids(pool) == ["c"]
    assert loads.bytes() == 30


def test_a_closed_pool_drops_models_as_they_come_back(bench: Bench, loads: Loads) -> None:
    pool = bench.pool(bench.spec("a", 10), bench.spec("b", 10))
    with pool.lease("b"):
        pass
    with pool.lease("a"):
        pool.close()
        assert ids(pool) == ["a"]
    assert pool.loaded() == []
    with pytest.raises(PromptvisionError, match="closed"), pool.lease("a"):
        pass


def test_closing_a_pool_without_models_collects_no_garbage(bench: Bench, loads: Loads) -> None:
    bench.pool(bench.spec("a", 300)).close()
    assert loads.releases == 0


def test_closing_ends_waits(bench: Bench, loads: Loads) -> None:
    pool = bench.pool(bench.spec("a", 600), bench.spec("b", 600))
    waiting = threading.Event()
    with ThreadPoolExecutor(1) as threads, pool.lease("a"):
        later = threads.submit(lease_once, pool, "b", check=waiting.set)
        assert waiting.wait(10)
        pool.close()
        with pytest.raises(PromptvisionError, match="closed"):
            later.result(10)


def test_unknown_ids_are_named(bench: Bench, loads: Loads) -> None:
    pool = bench.pool(bench.spec("a", 1))
    with pytest.raises(SetupError, match="'b' is not known here; known: a"), pool.lease("b"):
        pass


@pytest.mark.parametrize(
    "load", ["promptvision_test_none:load", f"{MODULE}:nothing", "", f"{MODULE}:highest"]
)
def test_missing_loader_is_an_error_of_the_plugin(bench: Bench, loads: Loads, load: str) -> None:
    pool = bench.pool(replace(bench.spec("a", 1), load=load))
    with pytest.raises(PluginError, match="toy: model 'a': loader"), pool.lease("a"):
        pass


def test_models_of_different_devices_cannot_be_leased_together(bench: Bench, loads: Loads) -> None:
    only_cpu = replace(bench.spec("a", 1), dtypes={"cpu": ("float32",)})
    only_gpu = replace(bench.spec("b", 1), dtypes={"cuda": ("float16",)})
    pool = bench.pool(only_cpu, only_gpu)
    with pytest.raises(ToolFailed, match="'a', 'b': cannot run together"), pool.lease("a", "b"):
        pass


SIZES = {"a": 100, "b": 200, "c": 300, "d": 400, "e": 500}
SETS = st.lists(st.sampled_from(sorted(SIZES)), min_size=1, max_size=3, unique=True)
ON = st.sampled_from([None, "cpu", "cuda"])


@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    plans=st.lists(st.lists(st.tuples(SETS, ON), min_size=1, max_size=8), min_size=2, max_size=4),
    memory=st.integers(500, 1600),
    room=st.integers(300, 1200),
)
def test_pool_is_consistent_under_many_threads(
    bench: Bench, loads: Loads, plans: list[list[tuple[list[str], str | None]]], memory: int, room: int
) -> None:
    """The budget is kept; no deadlock, lost lease, repeated load or wrong refusal occurs."""
    bench.room = {"cpu": 1600, "cuda": room}
    loads.highest = 0
    pool = bench.pool(*(bench.spec(id_, size) for id_, size in SIZES.items()), memory=memory, device="cuda")

    def never_twice(model: Model) -> None:
        assert not [m for m in list(loads.alive) if (m.id, m.device) == (model.id, model.device)]

    loads.before = never_twice

    def work(plan: list[tuple[list[str], str | None]]) -> None:
        for names, device in plan:
            size = sum(SIZES[name] for name in names)
            try:
                with pool.lease(*names, device=device) as models:
                    assert [model.id for model in models] == names
                    assert len({model.device for model in models}) == 1
                    held = {
                        model.id: model.leases for model in pool.loaded() if model.device == models[0].device
                    }
                    assert all(held[name] >= 1 for name in names)
                    del models
            except DoesNotFit:
                assert size > memory or (device == "cuda" and size > room)

    with ThreadPoolExecutor(len(plans)) as threads:
        for done in [threads.submit(work, plan) for plan in plans]:
            done.result(30)
    assert all(model.leases == 0 for model in pool.loaded())
    assert sum(model.bytes for model in pool.loaded()) == loads.bytes() <= memory
    assert loads.highest <= memory
    pool.close()
    assert loads.bytes() == 0


SAME = ("a", "e", "e2")
"""The last two are the same weights."""


@pytest.mark.parametrize("seed", range(4))
def test_cancelled_threads_leave_nothing_leased_and_shared_weights_are_loaded_once(
    bench: Bench, loads: Loads, seed: int
) -> None:
    specs = [replace(bench.spec(id_, 500 if id_ != "a" else 300), share_key=id_[0]) for id_ in SAME]
    pool = bench.pool(*specs, memory=700)

    def never_twice(model: Model) -> None:
        assert model.id[0] not in {other.id[0] for other in list(loads.alive)}

    loads.before = never_twice

    def work(random_: random.Random) -> int:
        cancelled = 0
        for _ in range(12):
            left = random_.randrange(4)

            def check() -> None:
                nonlocal left
                left -= 1
                if left == 0:
                    raise Cancelled("stop")

            try:
                with pool.lease(random_.choice(SAME), check=check):
                    pass
            except Cancelled:
                cancelled += 1
        return cancelled

    with ThreadPoolExecutor(3) as threads:
        done = [threads.submit(work, random.Random(f"{seed} {index}")) for index in range(3)]
        assert sum(each.result(30) for each in done) > 0
    assert all(model.leases == 0 for model in pool.loaded())
    assert sum(model.bytes for model in pool.loaded()) == loads.bytes()
    assert loads.highest <= 700
    pool.close()
    assert loads.bytes() == 0


# Alternatives


def test_the_best_alternative_on_disk_is_used(bench: Bench, loads: Loads) -> None:
    large, small = bench.spec("large", 20), bench.spec("small", 10)
    pool = bench.pool(large, small)
    with pool.lease("large | small") as leased:
        assert leased.ids == ("large",)
    (bench.home / "weights" / "large" / "weights").unlink()
    with pool.lease("large | small") as leased:
        assert (leased.ids, leased[0].id) == (("small",), "small")


def test_an_alternative_that_does_not_fit_is_skipped(bench: Bench, loads: Loads) -> None:
    bench.room = {"cpu": 15}
    pool = bench.pool(bench.spec("large", 20), bench.spec("small", 10))
    with pool.lease("large | small") as leased:
        assert leased.ids == ("small",)
    bench.room = {"cpu": 5}
    pool.free_unused(["large | small"])
    assert pool.loaded() == []
    with pytest.raises(DoesNotFit), pool.lease("large | small"):
        pass


def test_a_small_one_on_the_gpu_goes_before_a_large_one_on_the_cpu(bench: Bench, loads: Loads) -> None:
    bench.room = {"cpu": 100, "cuda": 15}
    pool = bench.pool(bench.spec("large", 20), bench.spec("small", 10), device="cuda")
    with pool.lease("large | small") as leased:
        assert (leased.ids, leased[0].device) == (("small",), "cuda")
    bench.room["cuda"] = 5
    pool.free_unused()
    with pool.lease("large | small") as leased:
        assert (leased.ids, leased[0].device) == (("large",), "cpu")


def test_alternatives_go_together_with_other_models(bench: Bench, loads: Loads) -> None:
    bench.room = {"cpu": 25}
    pool = bench.pool(bench.spec("large", 20), bench.spec("small", 10), bench.spec("fixed", 10))
    with pool.lease("fixed", "large | small") as leased:
        assert leased.ids == ("fixed", "small")


def test_next_alternative_is_used_if_a_model_is_larger_than_declared(bench: Bench, loads: Loads) -> None:
    bench.room = {"cpu": 15}
    pool = bench.pool(bench.spec("large", 20, declared=10), bench.spec("small", 10))
    with pool.lease("large | small") as leased:
        assert leased.ids == ("small",)


def test_of_alternatives_that_are_all_missing_the_one_for_this_machine_is_named(bench: Bench) -> None:
    specs = [replace(bench.spec("large", 20), tier="full"), replace(bench.spec("small", 10), tier="light")]
    for spec in specs:
        (bench.home / "weights" / spec.id / "weights").unlink()
    name = "small" if not devices.has_gpu() else "large"
    with (
        pytest.raises(SetupError, match=f"promptvision models pull {name}"),
        bench.pool(*specs).lease("large | small"),
    ):
        pass


def test_undeclared_alternatives_are_named(bench: Bench) -> None:
    with pytest.raises(SetupError, match="model 'a' is not known here"), bench.pool().lease("a | b"):
        pass
