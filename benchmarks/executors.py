"""Time of one call in a thread, a worker process and a Ray actor: of nothing, and of a 12-megapixel image.

    python benchmarks/executors.py

The calls of the executors are interleaved, so that other load on the machine affects both. Every call has
new arguments: none is answered from the result cache.
"""

from __future__ import annotations

import asyncio
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from promptvision.builtin.processes import ProcessExecutor
from promptvision.builtin.threads import ThreadExecutor
from promptvision.images.codec import encode_png
from promptvision.testing.executor import TrialBench, trial_bench
from promptvision.testing.executor_tools import TrialArgs, install_trial_plugin
from promptvision.types import ImageRef
from promptvision_ray.executor import RayExecutor
from promptvision_ray.testing import local_cluster

CALLS = {"nothing": 300, "12-megapixel image": 5}
WARM_UP = 3
IN_FLIGHT = 32
PARALLEL_CALLS = 1000
LIMIT_MS = 3.0
"""Limit of the extra time of an empty tool call in a process compared with a thread."""


async def one_call(bench: TrialBench, tool: str, args: TrialArgs) -> float:
    began = time.perf_counter()
    await bench.start_async(tool, args)
    return (time.perf_counter() - began) * 1e3


async def measure(
    benches: dict[str, TrialBench], tool: str, make_args: Callable[[str], TrialArgs], calls: int
) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in benches}
    for number in range(WARM_UP + calls):
        for name, bench in benches.items():
            taken = await one_call(bench, tool, make_args(f"{tool} {number}"))
            if number >= WARM_UP:
                times[name].append(taken)
    return times


async def calls_per_second(bench: TrialBench) -> float:
    places = asyncio.Semaphore(IN_FLIGHT)

    async def call(number: int) -> None:
        async with places:
            await bench.start_async("echo", TrialArgs(text=f"parallel {number}"))

    began = time.perf_counter()
    await asyncio.gather(*map(call, range(PARALLEL_CALLS)))
    return PARALLEL_CALLS / (time.perf_counter() - began)


def photo() -> bytes:
    """A gradient with noise, 4000 x 3000."""
    noise = Image.effect_noise((4000, 3000), 20)
    return encode_png(Image.merge("RGB", (noise, Image.linear_gradient("L").resize((4000, 3000)), noise)))


async def run(folder: Path) -> bool:
    sys.path.insert(0, str(install_trial_plugin(folder / "site")))
    benches = {
        "threads": trial_bench(folder, lambda worker: ThreadExecutor(worker, 2)),
        "processes": trial_bench(folder, lambda worker: ProcessExecutor(worker, 1)),
        "Ray, on this machine": trial_bench(folder, RayExecutor),
    }
    ref = ImageRef(benches["threads"].worker.images.store.put(photo(), "image/png").id)
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}", end="")
    print(f", load {os.getloadavg()[0]:.1f}\n")
    print("| tool | executor | ms a call, median | quickest | calls |\n|---|---|---|---|---|")
    medians: dict[str, dict[str, float]] = {}
    for label, tool, make_args in (
        ("nothing", "echo", lambda text: TrialArgs(text=text)),
        ("12-megapixel image", "invert", lambda text: TrialArgs(text=text, image_url=ref)),
    ):
        times = await measure(benches, tool, make_args, CALLS[label])
        medians[label] = {name: statistics.median(taken) for name, taken in times.items()}
        for name, taken in times.items():
            print(f"| {label} | {name} | {medians[label][name]:.2f} | {min(taken):.2f} | {len(taken)} |")
    beyond = medians["nothing"]["processes"] - medians["nothing"]["threads"]
    print(f"\nA process takes {beyond:.2f} ms beyond a thread for nothing; {LIMIT_MS:.0f} ms are allowed.")
    print("\n| executor | calls of nothing a second, 32 in flight |\n|---|---|")
    for name, bench in benches.items():
        print(f"| {name} | {await calls_per_second(bench):.0f} |")
    for bench in benches.values():
        await bench.runtime.executor.close()
    return beyond <= LIMIT_MS


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, local_cluster(num_cpus=2):
        return 0 if asyncio.run(run(Path(folder))) else 1


if __name__ == "__main__":
    sys.exit(main())
