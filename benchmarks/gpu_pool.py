"""An edit chain of full-size networks on a GPU whose free memory is capped: our pool and other policies.

The networks have random weights, so nothing is downloaded, and are computed alike in every arm. A second
process holds the rest of the GPU's memory (the ballast). Each edit detects, cuts out, encodes, inpaints,
refines and decodes; one edit is timed after a warm-up, and bytes are counted in a further one.

    python benchmarks/gpu_pool.py                         every cap and arm; fits 10 minutes
    python benchmarks/gpu_pool.py --caps 8 24             only these; GiB, 0 for uncapped
    python benchmarks/gpu_pool.py --seconds 500           begin no arm that would end later
    python benchmarks/gpu_pool.py --tiny                  tiny networks on the CPU, to try the program

Results go to ``--results`` (one JSON object per line) as they come. Arms that are in the file already are not
run again, so an interrupted run goes on where it ended. ``--write`` makes ``benchmarks/results/gpu_pool.md``
of the file.

Needs torch, diffusers, transformers, accelerate and promptvision.
"""

from __future__ import annotations

import argparse
import functools
import gc
import json
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from gpu_pool_arms import ARMS, PLACING, Arm
from gpu_pool_chain import CHAIN, FULL, TINY, Part, Size, make_parts
from torch.utils._python_dispatch import TorchDispatchMode

from promptvision.models.placement import is_out_of_memory

FOLDER = Path(__file__).parent / "results"
GIB = 2**30
CAPS = (8, 24, 12, 0, 16, 40)
"""Most informative first, in case the time limit is reached; 0 is uncapped."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """What one arm did under one cap.

    Args:
        cap: free memory in GiB; 0 for uncapped.
        arm: its name.
        seconds: of one edit, after a warm-up.
        peak: bytes that torch allocated at most in that edit, weights included.
        to_device: bytes copied to the device in one edit.
        to_host: bytes copied back in one edit.
        failure: empty, or what failed.
        notes: what was done differently.
        took: seconds of the whole arm.
    """

    cap: int
    arm: str
    seconds: float = 0.0
    peak: int = 0
    to_device: int = 0
    to_host: int = 0
    failure: str = ""
    notes: list[str] | None = None
    took: float = 0.0


class CopiedBytes(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes that torch copies between main memory and the GPU in this thread."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.to_device = 0
        self.to_host = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operation, and count it if it is a copy."""
        made = func(*args, **(kwargs or {}))
        if getattr(PLACING, "is_on", False):
            return made
        if func is torch.ops.aten._to_copy.default:  # noqa: SLF001  # the name of an operator
            self._count(args[0], made)
        elif func is torch.ops.aten.copy_.default:
            self._count(args[1], made)
        return made

    def _count(self, source: Any, target: Any) -> None:
        if source.is_cuda == target.is_cuda:
            return
        if target.is_cuda:
            self.to_device += target.nbytes
        else:
            self.to_host += target.nbytes


def run_edit(arm: Arm, size: Size) -> None:
    """One edit."""
    for index, stage in enumerate(CHAIN):
        following = [name for later in CHAIN[index + 1 :] for name in later.models]
        with torch.inference_mode():
            arm.run(stage, functools.partial(stage.work, size), following)
    arm.end_edit()
    synchronize()


def measure(name: str, parts: dict[str, Part], cap: int, device: str, size: Size) -> Row:
    """Run one arm."""
    started = time.perf_counter()
    arm: Arm | None = None
    try:
        arm = ARMS[name](parts, device, size)
        run_edit(arm, size)
        reset_peak()
        begun = time.perf_counter()
        run_edit(arm, size)
        seconds, peak = time.perf_counter() - begun, peak_bytes()
        placed = arm.placed_bytes()
        with CopiedBytes() as copied:
            run_edit(arm, size)
        return Row(
            cap=cap,
            arm=name,
            seconds=seconds,
            peak=peak,
            to_device=copied.to_device + arm.placed_bytes() - placed,
            to_host=copied.to_host,
            notes=sorted(set(arm.notes)),
            took=time.perf_counter() - started,
        )
    except Exception as exc:  # noqa: BLE001  # a failure is a result here
        failure = "out of memory" if is_out_of_memory(exc) else f"{type(exc).__name__}: {exc}"[:300]
    finally:
        if arm is not None:
            arm.close()
        del arm
        free()
    return Row(cap=cap, arm=name, failure=failure, took=time.perf_counter() - started)


# The GPU, if there is one


def synchronize() -> None:
    """Wait for the GPU."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def reset_peak() -> None:
    """Measure the peak from now on."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()


def peak_bytes() -> int:
    """The largest allocation since the last reset."""
    return torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0


def free() -> None:
    """Free what the last arm left."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
        torch.cuda.empty_cache()


def hold_ballast(gibibytes: int) -> None:
    """Run in a separate process: allocate all but some memory, and hold it until stdin is closed."""
    surplus = torch.cuda.mem_get_info()[0] - gibibytes * GIB
    ballast = torch.empty(max(surplus, 0), dtype=torch.uint8, device="cuda")
    print(torch.cuda.mem_get_info()[0], flush=True)
    sys.stdin.read()
    del ballast


@contextmanager
def capped(gibibytes: int) -> Iterator[None]:
    """Let another process hold all but so much of the GPU's memory; 0 for nothing."""
    if not gibibytes:
        yield
        return
    free()
    command = [sys.executable, __file__, "--ballast", str(gibibytes)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as ballast:
        assert ballast.stdout is not None
        try:
            if not ballast.stdout.readline().strip():
                raise RuntimeError(f"the ballast of {gibibytes} GiB could not be allocated")
            yield
        finally:
            ballast.kill()


# Results


def read_rows(path: Path) -> list[Row]:
    """The rows of a results file."""
    if not path.exists():
        return []
    return [Row(**json.loads(line)) for line in path.read_text("utf-8").splitlines()]


def run_all(
    path: Path, caps: Sequence[int], arms: Sequence[str], seconds: float, device: str, size: Size
) -> None:
    """Run what the results file lacks, until the time is up."""
    end = time.perf_counter() + seconds
    done = {(row.cap, row.arm) for row in read_rows(path)}
    longest = 0.0
    parts = make_parts(size, device)
    free()
    for cap in caps:
        wanted = [arm for arm in arms if (cap, arm) not in done]
        if not wanted:
            continue
        with capped(cap):
            for arm in wanted:
                if time.perf_counter() + longest > end:
                    print("time is up; run again for the rest", file=sys.stderr)
                    return
                row = measure(arm, parts, cap, device, size)
                longest = max(longest, row.took)
                print(_line(row), file=sys.stderr, flush=True)
                with path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(row)) + "\n")


def table(rows: Sequence[Row]) -> str:
    """Markdown."""
    head = (
        "| free | arm | s per edit | peak, GB | GB to the GPU | GB back | |\n|---|---|---|---|---|---|---|\n"
    )
    order = sorted(rows, key=lambda row: (row.cap or 1000, list(ARMS).index(row.arm)))
    return head + "\n".join(map(_line, order))


def _line(row: Row) -> str:
    cap = f"{row.cap} GiB" if row.cap else "uncapped"
    if row.failure:
        return f"| {cap} | {row.arm} | | | | | {row.failure} |"
    moved = f"{row.to_device / 1e9:.1f} | {row.to_host / 1e9:.1f}"
    notes = " ".join(row.notes or ())
    return f"| {cap} | {row.arm} | {row.seconds:.2f} | {row.peak / 1e9:.2f} | {moved} | {notes} |"


def page(rows: Sequence[Row]) -> str:
    """The results as a file."""
    properties = torch.cuda.get_device_properties(0)
    names = ("torch", "diffusers", "transformers", "accelerate")
    return (
        "# The model pool on a GPU\n\n"
        f"`benchmarks/gpu_pool.py`, {date.today().isoformat()}. {properties.name}, "
        f"{properties.total_memory / 1e9:.0f} GB; Python {platform.python_version()}, "
        f"{', '.join(f'{name} {version(name)}' for name in names)}. Full-size networks with random weights; "
        f"{FULL.steps} steps of the base and {FULL.refiner_steps} of the refiner at 1024 x 1024.\n\n"
        f"{table(rows)}\n"
    )


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--caps", type=int, nargs="+", default=CAPS, metavar="GIB")
    parser.add_argument("--arms", nargs="+", default=list(ARMS), choices=list(ARMS), metavar="ARM")
    parser.add_argument("--seconds", type=float, default=570.0)
    parser.add_argument("--results", type=Path, default=Path(tempfile.gettempdir()) / "gpu_pool.jsonl")
    parser.add_argument("--tiny", action="store_true", help="tiny networks on the CPU, uncapped")
    parser.add_argument("--write", action="store_true", help="also write the results page")
    parser.add_argument("--ballast", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not options.tiny and not torch.cuda.is_available():
        print(
            "gpu_pool: no CUDA device is visible to torch; run this on a machine with an NVIDIA GPU, "
            "or try the program with --tiny",
            file=sys.stderr,
        )
        return 3
    if options.ballast is not None:
        hold_ballast(options.ballast)
        return 0
    caps, device, size = ((0,), "cpu", TINY) if options.tiny else (options.caps, "cuda", FULL)
    run_all(options.results, caps, options.arms, options.seconds, device, size)
    rows = read_rows(options.results)
    print(table(rows))
    if options.write and not options.tiny:
        (FOLDER / "gpu_pool.md").write_text(page(rows), "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
