"""Speed and peak memory of ``promptvision batch`` with one job and with two.

    python benchmarks/batch.py [--images 300] [--rounds 3] [--executor threads]

Each round runs the command with one job and with two, in turn, so that other load affects all of them
alike. The images are JPEG files, all different; the command runs in its own process, whose peak resident
memory the kernel reports. Nothing is stored outside of a temporary folder.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

LIMIT_BYTES = 600 * 10**6
LIMIT_RATIO = 1.6
JOBS = (1, 2)
"""Two are the default on two cores."""
PROMPTS = ("make it black and white", "blur it")
_MAIN = "from promptvision.cli.main import main; main()"


@dataclass(frozen=True)
class Run:
    seconds: float
    cpu_s: float
    peak_bytes: int


def make_images(folder: Path, count: int, width: int) -> list[str]:
    size, paths = (width, width * 3 // 4), []
    for number in range(count):
        noise = Image.effect_noise(size, 30)
        gradient = Image.linear_gradient("L").resize(size)
        path = folder / f"{number:03}.jpg"
        Image.merge("RGB", (noise, gradient, Image.new("L", size, number % 256))).save(path, quality=90)
        paths.append(str(path))
    return paths


def run_batch(folder: Path, prompt: str, images: list[str], jobs: int, executor: str) -> Run:
    output = folder / "out"
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "PROMPTVISION_HOME": str(folder / "home"),
        "PROMPTVISION_EXECUTOR": executor,
        "OMP_NUM_THREADS": "1",
    }
    words = ["batch", prompt, *images, "-o", str(output), "--jobs", str(jobs)]
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", _MAIN, *words],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, printed
    assert printed.decode().startswith(f"{len(images)} of {len(images)} done"), printed
    shutil.rmtree(output)
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--side", type=int, default=1600, help="width of the images; the height is 3/4 of it")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--executor", default="threads")
    parser.add_argument("--prompts", nargs="+", default=PROMPTS)
    options = parser.parse_args()
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}", end="")
    print(f", load {os.getloadavg()[0]:.1f}, executor {options.executor}, ", end="")
    print(f"{options.images} images of {options.side} x {options.side * 3 // 4}\n")
    print("| instruction | jobs | seconds, each round | quickest | CPU s | images a second | peak MB |")
    print("|---|---|---|---|---|---|---|")
    ratios: dict[str, float] = {}
    peak = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        images = make_images(folder, options.images, options.side)
        for prompt in options.prompts:
            runs: dict[int, list[Run]] = {jobs: [] for jobs in JOBS}
            for _ in range(options.rounds):
                for jobs, done in runs.items():
                    done.append(run_batch(folder, prompt, images, jobs, options.executor))
            for jobs, done in runs.items():
                best = min(done, key=lambda run: run.seconds)
                each = ", ".join(f"{run.seconds:.1f}" for run in done)
                highest = max(run.peak_bytes for run in done)
                peak = max(peak, highest)
                rate = len(images) / best.seconds
                print(
                    f"| {prompt} | {jobs} | {each} | {best.seconds:.1f} | {best.cpu_s:.1f} | {rate:.1f} "
                    f"| {highest / 1e6:.0f} |"
                )
            for jobs in JOBS[1:]:
                pairs = zip(runs[1], runs[jobs], strict=True)
                ratio = statistics.median(one.seconds / many.seconds for one, many in pairs)
                ratios[f"{prompt}, {jobs} jobs"] = ratio
    for name, ratio in ratios.items():
        print(f"\n{name}: {ratio:.2f} times the speed of one job, median of the rounds.")
    print(f"\nWanted: {LIMIT_RATIO} times, and under {LIMIT_BYTES / 1e6:.0f} MB.")
    return 0 if min(ratios.values()) >= LIMIT_RATIO and peak < LIMIT_BYTES else 1


if __name__ == "__main__":
    sys.exit(main())
