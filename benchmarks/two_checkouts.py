"""Compare two checkouts: the turns of ``benchmarks/agent.py`` and the starts of ``benchmarks/startup.py``.

    git worktree add --detach ../before COMMIT && (cd ../before && uv sync --all-packages)
    python benchmarks/two_checkouts.py ../before .

Each checkout needs an environment of its own in ``.venv``. Short runs of both alternate, so that other work
on the machine affects both alike, and the ratio is the median of the ratios of neighbouring runs. Turns are
measured in processor time of the process with all its threads, starts in wall-clock time. Function calls of a
turn are counted too: they do not depend on the machine.
"""

from __future__ import annotations

import asyncio
import cProfile
import gc
import json
import logging
import os
import platform
import pstats
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

ROUNDS, TURNS, WARM_UP, PROFILED = 60, 20, 60, 100
STARTS = 30
LOOPS = {
    "in memory, coroutine tool": ("AwaitedLooks", False),
    "in memory, plain tool": ("Looks", False),
    "journaled, coroutine tool": ("AwaitedLooks", True),
    "journaled, plain tool": ("Looks", True),
}
COMMANDS = {
    "bare interpreter": ["python", "-c", "pass"],
    "import promptvision": ["python", "-c", "import promptvision"],
    "promptvision --help": ["promptvision", "--help"],
    "promptvision tools": ["promptvision", "tools"],
}


class Turns:
    """Runs turns of one checkout in a process of their own.

    Args:
        checkout: its folder.
        loop: key of :data:`LOOPS`.
    """

    def __init__(self, checkout: Path, loop: str) -> None:
        command = [str(checkout / ".venv/bin/python"), __file__, "--turns", loop]
        self._process = subprocess.Popen(
            command, cwd=checkout, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.calls = self._read()

    def run_ms(self) -> float:
        """Processor time of one turn in ms, from :data:`TURNS` turns."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> float:
        assert self._process.stdout is not None
        return float(json.loads(self._process.stdout.readline()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


async def serve_turns(loop: str) -> None:
    """Print the function calls of a turn, then the time of a turn for each line that is read."""
    sys.path.insert(0, "benchmarks")
    import agent
    import agent_rivals

    logging.disable(logging.WARNING)
    kind, is_journaled = LOOPS[loop]
    with tempfile.TemporaryDirectory() as folder:
        turn = agent.ours(getattr(agent_rivals, kind)(), Path(folder, "turns.db") if is_journaled else None)
        for _ in range(WARM_UP):
            await turn()
        profile = cProfile.Profile()
        with profile:
            for _ in range(PROFILED):
                await turn()
        calls: Any = pstats.Stats(profile)
        print(calls.total_calls / PROFILED, flush=True)
        gc.collect()
        gc.freeze()
        for _ in sys.stdin:
            began = time.process_time()
            for _ in range(TURNS):
                await turn()
            print((time.process_time() - began) / TURNS * 1e3, flush=True)


def start_ms(checkout: Path, command: list[str], home: str) -> float:
    """How long a command of one checkout takes, in ms."""
    environment = {**os.environ, "PROMPTVISION_HOME": home}
    began = time.perf_counter()
    subprocess.run(
        [checkout / ".venv/bin" / command[0], *command[1:]],
        cwd=home,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    return (time.perf_counter() - began) * 1e3


def row(name: str, before: list[float], after: list[float], *more: str) -> None:
    """Print the medians of two columns of neighbouring runs and the median of their ratios."""
    ratio = statistics.median(new / old for old, new in zip(before, after, strict=True))
    cells = [f"{statistics.median(before):.2f}", f"{statistics.median(after):.2f}", f"{ratio:.2f}", *more]
    print(f"| {name} | {' | '.join(cells)} |", flush=True)


def main() -> None:
    before, after = (Path(argument).resolve() for argument in sys.argv[1:3])
    print(
        f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, load "
        f"{os.getloadavg()[0]:.1f}; medians of {ROUNDS} alternating runs of {TURNS} turns and of {STARTS} "
        "starts\n"
    )
    print("| turn | before, ms CPU | after, ms CPU | ratio | calls before | calls after |")
    print("|---|---|---|---|---|---|")
    for loop in LOOPS:
        with ExitStack() as running:
            pair = [running.enter_context(Turns(checkout, loop)) for checkout in (before, after)]
            times = [[turns.run_ms() for turns in pair] for _ in range(ROUNDS)]
        columns = [list(column) for column in zip(*times, strict=True)]
        row(loop, columns[0], columns[1], *(f"{turns.calls:.0f}" for turns in pair))
    print("\n| start of | before, ms | after, ms | ratio |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as home:
        for name, command in COMMANDS.items():
            starts = [
                [start_ms(checkout, command, home) for checkout in (before, after)] for _ in range(STARTS)
            ]
            row(name, [pair[0] for pair in starts], [pair[1] for pair in starts])


if __name__ == "__main__":
    if sys.argv[1:2] == ["--turns"]:
        asyncio.run(serve_turns(sys.argv[2]))
    else:
        main()
