"""A simulated cluster: throughput, loads of models with and without affinity, and two users' waiting times.

    python benchmarks/cluster.py [throughput] [affinity] [users]

The nodes are processes of this machine, each with a fake GPU; tools and loads of models sleep. The measured
times are those that promptvision and Ray add.
"""

from __future__ import annotations

import asyncio
import os
import platform
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from unittest.mock import patch

import ray

from promptvision.builtin.files import FileImageStore
from promptvision.models.pool import ModelPool
from promptvision.plugin import Call, CancelToken
from promptvision.plugins.registry import Registry
from promptvision.runtime.runtime import Runtime
from promptvision.runtime.worker import Worker
from promptvision.settings import Settings
from promptvision.testing.executor_tools import TrialArgs
from promptvision.testing.program import write_plugin
from promptvision_ray import scheduler
from promptvision_ray.connection import all_nodes
from promptvision_ray.executor import RayExecutor
from promptvision_ray.handle import ActorHandle
from promptvision_ray.pool import ActorPool
from promptvision_ray.testing import LocalCluster, local_cluster

EDIT_S = 0.82
"""Time of a measured edit: a 12-megapixel image inverted and stored, see results/executors.md."""
NODES = (1, 2, 4, 8)
CALLS_PER_NODE = 12
MODELS = 12
CALL_S = 0.05
LOAD_S = 20 * CALL_S
AFFINITY_CALLS = 200
IN_FLIGHT = 6
QUEUED = 400
LIGHT_CALLS = 40

PLUGIN = f"""
import time
from pathlib import Path
from promptvision.plugin import Gpu, ModelSpec, Operation, Requirements, Tool, hookimpl
from promptvision.testing.executor_tools import TrialArgs, TrialResult

class Model:
    nbytes = 9_000_000_000

def load(folder, device, dtype):
    time.sleep({LOAD_S})
    with (Path(folder).parent / "loads").open("a") as notes:
        notes.write(f"{{Path(folder).name}}\\n")
    return Model()

def run(args, context):
    name, _, seconds = args.text.split()[:3]
    if name != "-":
        context.lease(name)
    time.sleep(float(seconds))
    return TrialResult(text=name)

def tool(name, *models):
    operation = Operation(name=name, description="Sleep.", args=TrialArgs, result=TrialResult)
    requires = Requirements(models=models, gpu=Gpu.PREFERRED)
    return Tool(name=name, operation=operation, run=run, requires=requires, cacheable=False)

ids = {{kind: [f"{{kind}}-{{n:02}}" for n in range({MODELS})] for kind in ("apart", "shared")}}

def spec(id, size):
    return ModelSpec(id=id, source="bench/model", revision="1", files=(), license="MIT",
        load=f"{{__name__}}:load", weight_bytes={{"float32": size}}, dtypes={{"cpu": ("float32",)}})

@hookimpl
def promptvision_models():
    return [spec("edit", 20_000_000_000), *(spec(id, 9_000_000_000) for each in ids.values() for id in each)]

@hookimpl
def promptvision_tools():
    single = [tool(f"run_{{id.replace('-', '_')}}", id) for each in ids.values() for id in each]
    return [tool("edit", "edit"), tool("run_all_shared", *ids["shared"]), *single]
"""


class RandomPool(ActorPool):
    """Takes any idle actor, whatever is in its memory."""

    def _take(self, call: Call) -> ActorHandle | None:
        return self.idle.pop(random.randrange(len(self.idle))) if self.idle else None


class Bench:
    """A runtime over the Ray executor."""

    def __init__(self, folder: Path, **variables: object) -> None:
        values = {"PROMPTVISION_HOME": str(folder / "home"), "PROMPTVISION_MODEL_MEMORY": 19_000_000_000}
        settings = Settings.from_mapping({**values, **variables})
        registry = Registry.load(settings)
        for id_ in registry.models:
            (settings.weights_home / id_).mkdir(parents=True, exist_ok=True)
        store = FileImageStore(settings.home / "images")
        self.loads = settings.weights_home / "loads"
        self.worker = Worker(settings, store, ModelPool(registry.models, settings), registry.tools_by_name())
        self.runtime = Runtime(self.worker, RayExecutor(self.worker))
        self._calls = 0

    async def call(self, tool: str, model: str, seconds: float, user: str = "") -> float:
        """Run one call; return its seconds."""
        self._calls += 1
        began = time.perf_counter()
        await self.runtime.execute(
            self.worker.tools[tool],
            TrialArgs(text=f"{model} {self._calls} {seconds}"),
            cancel=CancelToken(),
            timeout_s=600,
            user=user,
        )
        return time.perf_counter() - began

    def count_loads(self) -> int:
        return len(self.loads.read_text().split()) if self.loads.exists() else 0

    async def close(self) -> None:
        await self.runtime.executor.close()


async def throughput(folder: Path, nodes: int) -> float:
    """Edits per second when every node is busy."""
    bench = Bench(folder, PROMPTVISION_RAY_MAX_ACTORS=nodes)
    workers: set[float] = set()
    while len(workers) < 3:  # until all actors run: three rounds that are as quick as one edit
        began = time.perf_counter()
        await asyncio.gather(*(bench.call("edit", "-", EDIT_S) for _ in range(nodes)))
        if time.perf_counter() - began < 1.5 * EDIT_S:
            workers.add(began)
    began = time.perf_counter()
    calls = CALLS_PER_NODE * nodes
    await asyncio.gather(*(bench.call("edit", "-", EDIT_S) for _ in range(calls)))
    taken = time.perf_counter() - began
    await bench.close()
    return calls / taken


async def loads_of(folder: Path, kind: str, pool: type[ActorPool]) -> tuple[int, float]:
    """Loads of models in a sequence of calls of random models, and the seconds that it took."""
    with patch.object(scheduler, "ActorPool", pool):
        return await count_loads(folder, kind)


async def count_loads(folder: Path, kind: str) -> tuple[int, float]:
    bench, order = Bench(folder, PROMPTVISION_RAY_MAX_ACTORS=8), random.Random(1)
    before, began = bench.count_loads(), time.perf_counter()
    wanted = [order.randrange(MODELS) for _ in range(AFFINITY_CALLS)]
    places = asyncio.Semaphore(IN_FLIGHT)

    async def call(number: int) -> None:
        async with places:
            await bench.call(f"run_{kind}_{number:02}", f"{kind}-{number:02}", CALL_S)

    await asyncio.gather(*map(call, wanted))
    taken = time.perf_counter() - began
    await bench.close()
    return bench.count_loads() - before, taken


async def two_users(folder: Path, light_user: str) -> list[float]:
    """Seconds of each call of one user while another has hundreds in the queue."""
    bench = Bench(folder, PROMPTVISION_RAY_MAX_ACTORS=4)
    await asyncio.gather(*(bench.call("edit", "-", 1) for _ in range(8)))
    heavy = [asyncio.ensure_future(bench.call("edit", "-", CALL_S, "heavy")) for _ in range(QUEUED)]
    await asyncio.sleep(0)
    times: list[float] = []
    while len(times) < LIGHT_CALLS and not heavy[-1].done():
        times.append(await bench.call("edit", "-", CALL_S, light_user))
    await asyncio.gather(*heavy)
    await bench.close()
    return times


def quantile(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(share * len(times)))]


def main() -> int:
    with tempfile.TemporaryDirectory() as name, local_cluster(num_cpus=1) as cluster:
        folder = Path(name)
        sys.path.insert(0, str(write_plugin(folder / "site", "bench", PLUGIN)))
        print(
            f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, Ray ", end=""
        )
        print(f"{ray.__version__}, load {os.getloadavg()[0]:.1f}\n")

        parts = sys.argv[1:] or ["throughput", "affinity", "users"]
        is_enough = [PARTS[part](folder, cluster) for part in parts]
        return 0 if all(is_enough) else 1


def show_throughput(folder: Path, cluster: LocalCluster) -> bool:
    print("| nodes | edits/s | times one node |\n|---|---|---|")
    rates: dict[int, float] = {}
    for nodes in NODES:
        add_nodes(cluster, nodes)
        rates[nodes] = asyncio.run(throughput(folder / f"t{nodes}", nodes))
        print(f"| {nodes} | {rates[nodes]:.2f} | {rates[nodes] / rates[1]:.2f} |", flush=True)
    print(f"\n8 nodes do {rates[8] / rates[1]:.2f} times the edits of one; 7.2 are asked.\n")
    return rates[8] >= 7.2 * rates[1]


def show_affinity(folder: Path, cluster: LocalCluster) -> bool:
    add_nodes(cluster, 8)
    print("| placement | calls | loads | s |\n|---|---|---|---|")
    counts: list[int] = []
    for label, kind, pool in (
        ("a group per model", "apart", ActorPool),
        ("one group, any idle actor", "shared", RandomPool),
    ):
        loads, taken = asyncio.run(loads_of(folder / f"{kind}{len(counts)}", kind, pool))
        counts.append(loads)
        print(f"| {label} | {AFFINITY_CALLS} | {loads} | {taken:.1f} |", flush=True)
    print(f"\nRandom placement loads {counts[1] / counts[0]:.1f} times as often; 3 are asked.\n")
    return counts[1] >= 3 * counts[0]


def show_users(folder: Path, cluster: LocalCluster) -> bool:
    add_nodes(cluster, 4)
    print(f"| {QUEUED} calls of one user wait; calls of | p50 ms | p99 ms | calls |\n|---|---|---|---|")
    for label, user in (("another user", "light"), ("the same user", "heavy")):
        times = asyncio.run(two_users(folder / user, user))
        middle, high = statistics.median(times) * 1e3, quantile(times, 0.99) * 1e3
        print(f"| {label} | {middle:.0f} | {high:.0f} | {len(times)} |", flush=True)
    return True


def add_nodes(cluster: LocalCluster, count: int) -> None:
    """Add nodes until there are so many beside the head."""
    while sum(node["Alive"] for node in all_nodes()) < count + 1:
        cluster.add_node(num_cpus=4, num_gpus=1)


PARTS = {"throughput": show_throughput, "affinity": show_affinity, "users": show_users}


if __name__ == "__main__":
    sys.exit(main())
