"""Start-up: import and commands, over a bare interpreter's start.

    python benchmarks/startup.py

Processes of each kind are started in turn, so that other load on the machine affects all of them. The limits
are for the time over a bare interpreter; where the machine is slow or busy the ratio to it says more.
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import distributions
from pathlib import Path

ROUNDS, WARM_UP = 20, 2
PROGRAM = str(Path(sys.executable).with_name("promptvision"))
COMMANDS = {
    "bare interpreter": ([sys.executable, "-c", "pass"], None),
    "import promptvision": ([sys.executable, "-c", "import promptvision"], 120),
    "promptvision --help": ([PROGRAM, "--help"], 200),
    "promptvision tools": ([PROGRAM, "tools"], 400),
}
"""Name to command, and to how many milliseconds it may take over a bare interpreter."""


def start_ms(command: list[str], home: str) -> float:
    environment = {**os.environ, "PROMPTVISION_HOME": home}
    began = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True, env=environment)
    return (time.perf_counter() - began) * 1e3


def measure() -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    with tempfile.TemporaryDirectory() as home:
        for number in range(WARM_UP + ROUNDS):
            for name, (command, _) in COMMANDS.items():
                taken = start_ms(command, home)
                if number >= WARM_UP:
                    times[name].append(taken)
    return times


def main() -> int:
    plugins = sorted(
        found.name for found in distributions() if found.entry_points.select(group="promptvision")
    )
    print(
        f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"load {os.getloadavg()[0]:.1f}; medians of {ROUNDS}; with {', '.join(plugins)}\n"
    )
    times = measure()
    bare = statistics.median(times["bare interpreter"])
    print(
        "| start of | ms, median | quickest | over bare, ms | allowed | of bare |\n|---|---|---|---|---|---|"
    )
    passed = True
    for name, (_, limit) in COMMANDS.items():
        median = statistics.median(times[name])
        passed = passed and (limit is None or median - bare < limit)
        print(
            f"| {name} | {median:.0f} | {min(times[name]):.0f} | {median - bare:.0f} | {limit or ''} "
            f"| {median / bare:.1f} |"
        )
    print(f"\n{'Within' if passed else 'OVER'} the limits.")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
