"""The model pool on a simulated GPU, compared with the policies of other projects and the offline optimum.

    python benchmarks/pool.py               prints the tables
    python benchmarks/pool.py --write       also writes benchmarks/results/pool.md
    python benchmarks/pool.py --check       prints only the targets; exit status 1 if one is missed

Every policy replays the same traces on the same simulated device (``pool_traces.py``). Ours is the ledger,
the eviction policy and the table of peaks of the product (``pool_replay.py``). The rivals follow the
published description of their project (``pool_rivals.py``), first with their own transfers, then with ours,
so that only the choice of what to evict differs. The optimum knows the trace in advance
(``pool_optimum.py``). Seconds are simulated; only the cost of a lease is measured.
"""

from __future__ import annotations

import argparse
import functools
import platform
import statistics
import sys
import tempfile
import time
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

from pool_optimum import optimum
from pool_replay import OurPool, Outcome, Policy, headroom, replay
from pool_rivals import AllResident, AlwaysOffload, LeastRecentlyUsed, Rival, SmallestFirst, SubsetSearch
from pool_traces import Trace, edit_chain, four_clients, repeats, surprise_grab, zipf

from promptvision.models.eviction import EvictionPolicy, Shortage
from promptvision.models.pool import ModelPool
from promptvision.models.slot import Slot
from promptvision.models.spec import ModelSpec, WeightFile
from promptvision.settings import Settings
from promptvision.testing.simulated_gpu import SimulatedGpu

RESULTS = Path(__file__).parent / "results" / "pool.md"
GIB = 2**30
CAPS = {"8 GiB": 8, "12 GiB": 12, "16 GiB": 16, "24 GiB": 24, "40 GiB": 40, "uncapped": 80}
ZIPF_SEEDS = (1, 2, 3)
LEASES = 5000


class LeastRecentlyUsedFirst(EvictionPolicy):
    """Ablation: the least recently used slots until there is enough room, whatever plans need."""

    def choose(self, slots: Iterable[Slot], shortage: Shortage) -> list[Slot] | None:
        """The first slots of which each reduces the shortage."""
        return _first_enough(slots, shortage)


class LowestFirst(EvictionPolicy):
    """Ablation: the lowest priority first, without comparing sets."""

    def choose(self, slots: Iterable[Slot], shortage: Shortage) -> list[Slot] | None:
        """The lowest priorities of which each reduces the shortage."""
        return _first_enough(self.sort(slots), shortage)


def _first_enough(slots: Iterable[Slot], shortage: Shortage) -> list[Slot] | None:
    victims: list[Slot] = []
    for slot in slots:
        if (short := shortage(victims)) == 0:
            break
        if shortage([*victims, slot]) < short:
            victims.append(slot)
    return victims if shortage(victims) == 0 else None


Make = Callable[[SimulatedGpu, dict[str, int]], Policy]
OURS = "ours"
CEILING = "all resident"
OPTIMUM = "offline optimum"
RIVALS: dict[str, type[Rival]] = {
    "always offload": AlwaysOffload,
    "smallest first (ComfyUI)": SmallestFirst,
    "subset search (diffusers)": SubsetSearch,
    "LRU (Forge)": LeastRecentlyUsed,
}
SYSTEMS: dict[str, Make] = {
    OURS: OurPool,
    CEILING: functools.partial(AllResident, has_our_transfers=True),
    **RIVALS,
}
CHOICES: dict[str, Make] = {
    OURS: OurPool,
    **{
        name: functools.partial(rival, has_our_transfers=True)
        for name, rival in RIVALS.items()
        if rival is not AlwaysOffload
    },
}
ABLATIONS: dict[str, Make] = {
    OURS: OurPool,
    "plain LRU": lambda gpu, sizes: OurPool(gpu, sizes, policy=LeastRecentlyUsedFirst()),
    "lowest priority first, no sets": lambda gpu, sizes: OurPool(gpu, sizes, policy=LowestFirst()),
    "no lookahead": functools.partial(OurPool, announces=False),
    "no learned peaks": functools.partial(OurPool, learns=False),
    "with prefetch": functools.partial(OurPool, prefetches=True),
}


@dataclass(frozen=True)
class Workload:
    """A kind of use: its traces on a device of some size."""

    name: str
    traces: Callable[[int], list[Trace]]


WORKLOADS = (
    Workload("edit chain, 20 times", lambda cap: [edit_chain()]),
    Workload("four clients", lambda cap: [four_clients()]),
    Workload(
        "Zipf over 10 models at 1.5 times the memory",
        lambda cap: [zipf(cap - headroom(cap), seed) for seed in ZIPF_SEEDS],
    ),
    Workload("another process takes 4 GB in mid-run", lambda cap: [surprise_grab()]),
    Workload("50 % repeats", lambda cap: [repeats()]),
)


def total(outcomes: Sequence[Outcome]) -> Outcome:
    """The sum over the traces of a workload."""
    events: dict[str, int] = {}
    for outcome in outcomes:
        for name, count in outcome.events.items():
            events[name] = events.get(name, 0) + count
    return Outcome(
        sum(outcome.seconds for outcome in outcomes),
        sum(outcome.to_device for outcome in outcomes),
        sum(outcome.to_host for outcome in outcomes),
        sum(outcome.failures for outcome in outcomes),
        events,
    )


@functools.cache
def measured(workload: Workload, make: Make, gibibytes: int) -> Outcome:
    """What a policy costs on a workload."""
    cap = gibibytes * GIB
    return total(
        [replay(make(gpu, trace.sizes), trace) for trace, gpu in _on_idle_devices(workload.traces(cap), cap)]
    )


@functools.cache
def best_possible(workload: Workload, gibibytes: int) -> Outcome | None:
    """The offline optimum; None if a step does not fit resident."""
    cap = gibibytes * GIB
    found = [optimum(trace, gpu) for trace, gpu in _on_idle_devices(workload.traces(cap), cap)]
    outcomes = [outcome for outcome in found if outcome is not None]
    return total(outcomes) if len(outcomes) == len(found) else None


def _on_idle_devices(traces: Iterable[Trace], cap: int) -> Iterable[tuple[Trace, SimulatedGpu]]:
    return ((trace, SimulatedGpu(cap)) for trace in traces)


# Targets


@dataclass(frozen=True)
class Target:
    """A figure that must not be exceeded."""

    name: str
    value: float
    most: float

    @property
    def is_met(self) -> bool:
        """Whether it is."""
        return self.value <= self.most


def targets(caps: dict[str, int]) -> list[Target]:
    """Every target, over all workloads and caps."""
    cases = [(workload, gibibytes) for workload in WORKLOADS for gibibytes in caps.values()]
    ours = {case: measured(case[0], OurPool, case[1]) for case in cases}
    zipf_, grab = WORKLOADS[2], WORKLOADS[3]
    return [
        Target(
            "seconds over all resident, where that does not fail",
            max(
                (_over(ours[case], measured(case[0], SYSTEMS[CEILING], case[1])) for case in cases), default=0
            ),
            0.02,
        ),
        Target(
            "seconds over the fastest rival that does not fail",
            max(_over(ours[case], rival) for case in cases for rival in _rivals(case, RIVALS)),
            0.0,
        ),
        Target(
            "the same, with our transfers",
            max(_over(ours[case], rival) for case in cases for rival in _rivals(case, CHOICES)),
            0.005,
        ),
        Target(
            "Zipf: seconds over the offline optimum",
            max(_over(ours[zipf_, cap], best_possible(zipf_, cap)) for cap in caps.values()),
            0.10,
        ),
        Target(
            "the offline optimum over ours, in seconds (it is a bound)",
            max(_over(best, ours[case]) for case in cases if (best := best_possible(*case))),
            1e-9,
        ),
        Target(
            "failed requests, with another process", sum(ours[grab, cap].failures for cap in caps.values()), 0
        ),
        Target("failed requests, in all", sum(outcome.failures for outcome in ours.values()), 0),
        Target("bytes of weights copied back", sum(outcome.to_host for outcome in ours.values()), 0),
    ]


def _rivals(case: tuple[Workload, int], makes: Mapping[str, Make]) -> list[Outcome]:
    return [measured(case[0], make, case[1]) for name, make in makes.items() if name != OURS]


def _over(ours: Outcome, other: Outcome | None) -> float:
    """Relative excess in seconds; minus infinity if the other one failed."""
    return ours.seconds / other.seconds - 1 if other and not other.failures else float("-inf")


# The cost of a lease


def lease_seconds(leases: int = LEASES) -> list[float]:
    """Seconds to acquire and release a model that is loaded, in a pool of ten, on the CPU."""
    module = types.ModuleType("benchmark_models")
    module.load = lambda path, device, dtype: object()  # type: ignore[attr-defined]
    sys.modules[module.__name__] = module
    with tempfile.TemporaryDirectory() as folder:
        specs = {f"model-{index}": _spec(Path(folder), f"model-{index}") for index in range(10)}
        pool = ModelPool(specs, Settings(home=Path(folder)), device="cpu")
        for id_ in specs:
            with pool.lease(id_):
                pass
        seconds = []
        for _ in range(leases):
            started = time.perf_counter()
            with pool.lease("model-3"):
                pass
            seconds.append(time.perf_counter() - started)
        pool.close()
    del sys.modules[module.__name__]
    return seconds


def _spec(home: Path, id_: str) -> ModelSpec:
    (home / "weights" / id_).mkdir(parents=True)
    (home / "weights" / id_ / "weights").write_bytes(b"1")
    return ModelSpec(
        id=id_,
        source="someone/something",
        revision="0" * 40,
        files=(WeightFile("weights"),),
        license="MIT",
        weight_bytes={"float32": 1000},
        peak_bytes={"float32": 1000},
        load="benchmark_models:load",
    )


# Output


def target_table(rows: Sequence[Target]) -> str:
    """Markdown."""
    lines = ["| target | at most | measured | |", "|---|---|---|---|"]
    for row in rows:
        is_share = "seconds" in row.name or "transfers" in row.name
        most, value = (
            (f"{row.most:.1%}", f"{row.value:+.2%}") if is_share else (f"{row.most:g}", f"{row.value:g}")
        )
        lines.append(f"| {row.name} | {most} | {value} | {'met' if row.is_met else 'missed'} |")
    return "\n".join(lines)


def workload_table(workload: Workload, makes: dict[str, Make], caps: dict[str, int], last: bool) -> str:
    """Seconds, gigabytes to the device and back, and failed requests, by policy and cap."""
    lines = [f"| | {' | '.join(caps)} |", "|---" * (len(caps) + 1) + "|"]
    for name, make in makes.items():
        cells = [_cell(measured(workload, make, gibibytes)) for gibibytes in caps.values()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    if last:
        cells = [_cell(best_possible(workload, gibibytes)) for gibibytes in caps.values()]
        lines.append(f"| {OPTIMUM} | {' | '.join(cells)} |")
    return "\n".join(lines)


def earnings(caps: dict[str, int]) -> str:
    """What each ablation costs, over everything."""
    lines = ["| | seconds | GB to the device |", "|---|---|---|"]
    cases = [(workload, gibibytes) for workload in WORKLOADS for gibibytes in caps.values()]
    ours = total([measured(workload, OurPool, gibibytes) for workload, gibibytes in cases])
    for name, make in ABLATIONS.items():
        if name == OURS:
            continue
        sums = total([measured(workload, make, gibibytes) for workload, gibibytes in cases])
        copied = (sums.to_device - ours.to_device) / 1e9
        lines.append(f"| {name} | {sums.seconds - ours.seconds:+.1f} | {copied:+.0f} |")
    return "\n".join(lines)


def _cell(outcome: Outcome | None) -> str:
    if outcome is None:
        return "-"
    text = f"{outcome.seconds:.1f} s, {outcome.to_device / 1e9:.0f}/{outcome.to_host / 1e9:.0f}"
    return f"{text}, **{outcome.failures} failed**" if outcome.failures else text


def page(rows: Sequence[Target], caps: dict[str, int]) -> str:
    """The results as a file."""
    costs = lease_seconds()
    parts = [
        "# The model pool",
        f"`benchmarks/pool.py --write`, {date.today().isoformat()}. promptvision {version('promptvision')}, "
        f"Python {platform.python_version()}, {platform.system()} {platform.machine()}.",
        "Seconds are those of a simulated GPU: 24 GB/s from pinned and 8 GB/s from pageable memory to it, "
        "6 GB/s back, 2 GB/s from the disk. Sizes are those of the published architectures; seconds of "
        "computation and true peaks are assumptions (`pool_traces.py`), the same for every policy. The "
        "figures are deterministic and do not depend on this machine. A run with failed requests is shorter.",
        "## Targets",
        target_table(rows),
        "## A lease",
        f"Acquire and release of a loaded model on the CPU, pool of ten, {LEASES} times: median "
        f"{statistics.median(costs) * 1e6:.0f} microseconds, 95th percentile "
        f"{statistics.quantiles(costs, n=20)[-1] * 1e6:.0f}, on a machine that was busy with other work.",
        "## Systems",
        "Cells: seconds, GB to the device/back to main memory, failed requests. The optimum is exact, by "
        "dynamic programming; `-` where a step does not fit with all its weights. Ours does not load "
        "ahead here, since the optimum does not either; the last row of the ablations does.",
        *_tables(SYSTEMS, caps, last=True),
        "## What to evict, with the same transfers",
        "The rivals' choices and margins, with pinned copies and without copying weights back.",
        *_tables(CHOICES, caps, last=False),
        "## Ablations",
        "Over all workloads and sizes of memory, compared with ours:",
        earnings(caps),
        *_tables(ABLATIONS, caps, last=False),
    ]
    return "\n\n".join(parts) + "\n"


def _tables(makes: dict[str, Make], caps: dict[str, int], *, last: bool) -> Iterable[str]:
    for workload in WORKLOADS:
        yield f"### {workload.name[0].upper()}{workload.name[1:]}"
        yield workload_table(workload, makes, caps, last)


def main() -> int:
    """Replay and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true", help="also write the results file")
    parser.add_argument("--check", action="store_true", help="only the targets")
    options = parser.parse_args()
    rows = targets(CAPS)
    if options.check:
        print(target_table(rows))
    else:
        text = page(rows, CAPS)
        print(text)
        if options.write:
            RESULTS.write_text(text, "utf-8")
    return 0 if all(row.is_met for row in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
