"""The cost of listing plugins: the first-party plugins, and 30 synthetic ones.

    python benchmarks/startup_plugins.py

Each synthetic plugin has a tool of its own and imports modules of the standard library, as a typical plugin
does. Processes of each kind are started in turn. The limit is for the median of `promptvision tools` with
the synthetic plugins over that without them.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from promptvision.testing.program import write_plugin

ROUNDS, WARM_UP, SYNTHETIC, LIMIT_MS = 20, 3, 30, 20
PROGRAM = str(Path(sys.executable).with_name("promptvision"))
SOURCE = """
import decimal, email.message, html.parser, statistics, xml.dom.minidom
from promptvision.plugin import Image, tool

@tool(phrases=["{name} it"])
def {name}(image: Image, strength: float = 1.0) -> Image:
    "Change an image."
    return image
"""


def start_ms(words: list[str], environment: dict[str, str]) -> tuple[float, bytes]:
    began = time.perf_counter()
    done = subprocess.run([PROGRAM, *words], capture_output=True, check=True, env=environment)
    return (time.perf_counter() - began) * 1e3, done.stdout


def main() -> int:
    print(
        f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"load {os.getloadavg()[0]:.1f}; medians of {ROUNDS}\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        for number in range(SYNTHETIC):
            write_plugin(Path(folder, "site"), f"synthetic{number}", SOURCE.format(name=f"synthetic{number}"))
        (Path(folder) / "empty").mkdir()
        kinds = {
            name: {**os.environ, "PROMPTVISION_HOME": folder, "PYTHONPATH": str(Path(folder, path))}
            for name, path in (("first-party plugins", "empty"), (f"and {SYNTHETIC} synthetic ones", "site"))
        }
        return compare(kinds)


def compare(kinds: dict[str, dict[str, str]]) -> int:
    cold: dict[str, list[float]] = {name: [] for name in kinds}
    warm: dict[str, list[float]] = {name: [] for name in kinds}
    for number in range(WARM_UP + ROUNDS):
        for name, environment in kinds.items():
            uncached = {**environment, "PROMPTVISION_STRICT_PLUGINS": "1"}  # reads no cache
            for times, variables in ((cold, uncached), (warm, environment)):
                taken, _ = start_ms(["tools"], variables)
                if number >= WARM_UP:
                    times[name].append(taken)
    print("| `promptvision tools` with | plugins imported, ms | from the cache, ms | imports alone, ms |")
    print("|---|---|---|---|")
    for name, environment in kinds.items():
        plugins = json.loads(start_ms(["plugins", "--json"], environment)[1])["plugins"]
        total = sum(plugin["import_ms"] or 0 for plugin in plugins)
        print(
            f"| {name} ({len(plugins)}) | {statistics.median(cold[name]):.0f} "
            f"| {statistics.median(warm[name]):.0f} | {total:.0f} |"
        )
    without, with_them = (statistics.median(times) for times in warm.values())
    passed = with_them - without < LIMIT_MS
    print(f"\n{SYNTHETIC} plugins add {with_them - without:.1f} ms; allowed are {LIMIT_MS} ms.")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
