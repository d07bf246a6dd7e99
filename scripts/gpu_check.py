"""Run every check and benchmark that needs a GPU, each with a time budget, and write the results to a folder.

    scripts/gpu_check                        all, within 9 minutes, into ./gpu_check
    scripts/gpu_check --out $OUT --seconds 560
    scripts/gpu_check --only tests stages    some of them
    scripts/gpu_check --packages             which packages are needed, and how to fetch the missing ones
    scripts/gpu_check --dry-run              on the CPU: what can run without a GPU, to try the script

It needs no network and no installation of this project, only the packages it names: with one missing it stops
with one line. ``PYTHON`` names another interpreter. Exit code: 0 all passed, 1 one failed, 3 something is
missing.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MEMBERS = ("core", "plugins/sam", "plugins/sdxl_inpaint", "plugins/florence")
NEEDED = (
    *("accelerate", "anyio", "cachetools", "diffusers", "docstring-parser", "huggingface-hub", "isal"),
    *("numpy", "opencv-python-headless", "packaging", "pillow", "platformdirs", "pluggy", "pydantic"),
    *("pytest", "rapidfuzz", "safetensors", "tenacity", "torch", "torchvision", "transformers"),
)
"""Distributions that the checks import; their versions are those that the members ask for."""

MISSING = 3
_TAIL = 6_000


@dataclass(frozen=True, kw_only=True)
class Check:
    """One program to run.

    Args:
        name: short name.
        what: what it shows.
        arguments: of the Python interpreter; ``{seconds}`` is its budget and ``{out}`` the folder of results.
        seconds: its time budget.
        on_cpu: its arguments without a GPU; None if it cannot run there.
    """

    name: str
    what: str
    arguments: tuple[str, ...]
    seconds: int
    on_cpu: tuple[str, ...] | None = None


_PYTEST = (
    "-m",
    "pytest",
    "-q",
    "--noconftest",
    "-p",
    "no:cacheprovider",
    "-W",
    "default",
    "tests/test_gpu.py",
)
"""Warnings of other versions of the libraries fail nothing."""

CHECKS = (
    Check(
        name="tests",
        what="tiny checkpoints on the GPU: same images as on the CPU, caches, batches, a lost device",
        arguments=(
            "-m",
            "pytest",
            "-q",
            "-rA",
            "--noconftest",
            "-p",
            "no:cacheprovider",
            "tests/test_gpu.py",
        ),
        seconds=120,
        on_cpu=_PYTEST,
    ),
    Check(
        name="stages",
        what="seconds and peak memory of each neural stage at full size",
        arguments=("benchmarks/gpu_stages.py", "--repeats", "3"),
        seconds=150,
        on_cpu=("benchmarks/gpu_stages.py", "--sizes", "--only", "sam"),
    ),
    Check(
        name="batching",
        what="captions one by one against together",
        arguments=("benchmarks/batching.py", "--device", "cuda"),
        seconds=60,
    ),
    Check(
        name="pool",
        what="the edit chain with free memory capped, against other policies",
        arguments=("benchmarks/gpu_pool.py", "--seconds", "{seconds}", "--results", "{out}/pool.jsonl"),
        seconds=230,
        on_cpu=("benchmarks/gpu_pool.py", "--tiny", "--results", "{out}/pool.jsonl"),
    ),
)
"""In this order; what the earlier ones leave of the time goes to the last one."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a check ended.

    Args:
        name: of the check.
        what: what it shows.
        status: ``passed``, ``failed``, ``skipped``, ``out of time``, ``no device`` or ``not run``.
        seconds: how long it ran.
        output: the end of what it printed.
    """

    name: str
    what: str
    status: str
    seconds: float
    output: str


def requirements() -> list[str]:
    """The needed distributions, with the versions that the members ask for."""
    asked: dict[str, str] = {}
    for member in MEMBERS:
        project = _project(member)
        extras = [line for lines in project.get("optional-dependencies", {}).values() for line in lines]
        for line in (*extras, *project["dependencies"]):
            name = re.match(r"[\w.-]+", line)
            assert name is not None  # a requirement begins with a name
            asked[_normal(name[0])] = re.sub(r"\[[^]]*\]", "", line.partition(";")[0]).strip()
    return [asked.get(name, name) for name in NEEDED]


def missing(lines: Sequence[str]) -> list[str]:
    """The requirements that this interpreter does not fulfil."""
    try:
        from packaging.requirements import Requirement
    except ImportError:
        return ["packaging"]
    found = []
    for requirement in map(Requirement, lines):
        try:
            installed = version(requirement.name)
        except PackageNotFoundError:
            found.append(str(requirement))
            continue
        if not requirement.specifier.contains(installed.partition("+")[0], prereleases=True):
            found.append(f"{requirement} (installed: {installed})")
    return found


def make_site(folder: Path) -> None:
    """Write the metadata of the members to a folder, so that they count as installed."""
    for member in MEMBERS:
        project = _project(member)
        name = f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
        (folder / name).mkdir()
        text = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
        (folder / name / "METADATA").write_text(text, "utf-8")
        points = project.get("entry-points", {}).get("promptvision", {})
        lines = [f"{key} = {target}" for key, target in points.items()]
        (folder / name / "entry_points.txt").write_text("\n".join(["[promptvision]", *lines, ""]), "utf-8")


def run(check: Check, arguments: Sequence[str], seconds: float, out: Path, site: Path) -> Outcome:
    """Run a check within its time, and write what it prints to a log."""
    filled = [one.format(seconds=int(max(1, seconds - 15)), out=out) for one in arguments]
    paths = [str(site), *(str(ROOT / member / "src") for member in MEMBERS)]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([*paths, os.environ.get("PYTHONPATH", "")]),
        "PYTHONUNBUFFERED": "1",
        "PROMPTVISION_HOME": str(site / "home"),
    }
    begun = time.monotonic()
    log = out / f"{check.name}.log"
    with log.open("w", encoding="utf-8") as file:
        try:
            ended = subprocess.run(
                [sys.executable, *filled],
                cwd=ROOT,
                env=environment,
                stdout=file,
                stderr=subprocess.STDOUT,
                timeout=seconds,
                check=False,
            )
            status = {0: "passed", MISSING: "no device"}.get(ended.returncode, "failed")
        except subprocess.TimeoutExpired:
            status = "out of time"
    output = log.read_text("utf-8", errors="replace")[-_TAIL:]
    if status == "passed" and re.search(r"^\d+ skipped", output, re.MULTILINE):
        status = "skipped"  # such as tests that find no device
    return Outcome(
        name=check.name,
        what=check.what,
        status=status,
        seconds=round(time.monotonic() - begun, 1),
        output=output,
    )


def run_all(checks: Sequence[Check], seconds: float, out: Path, *, is_dry: bool) -> list[Outcome]:
    """Run the checks one after the other; a check for which no time is left is not run."""
    end = time.monotonic() + seconds
    outcomes = []
    with tempfile.TemporaryDirectory() as folder:
        make_site(Path(folder))
        for index, check in enumerate(checks):
            left = end - time.monotonic()
            later = sum(other.seconds for other in checks[index + 1 :])
            budget = max(min(left, check.seconds), left - later)
            arguments = check.on_cpu if is_dry else check.arguments
            if arguments is None or budget < 10:
                reason = "needs a GPU" if arguments is None else "no time is left"
                made = Outcome(name=check.name, what=check.what, status="not run", seconds=0, output=reason)
            else:
                made = run(check, arguments, budget, out, Path(folder))
            print(f"gpu_check: {made.name}: {made.status}, {made.seconds:.0f} s", file=sys.stderr, flush=True)
            outcomes.append(made)
            write(outcomes, out)
    return outcomes


def write(outcomes: Sequence[Outcome], out: Path) -> None:
    """Write the results so far as JSON and as Markdown."""
    machine = describe_machine()
    data = {"machine": machine, "checks": [asdict(one) for one in outcomes]}
    (out / "gpu_check.json").write_text(json.dumps(data, indent=2) + "\n", "utf-8")
    rows = [f"| {one.name} | {one.what} | {one.status} | {one.seconds:.0f} |" for one in outcomes]
    parts = [f"# GPU check\n\n{'; '.join(machine.values())}\n", "| check | shows | status | seconds |"]
    parts += ["|---|---|---|---|", *rows]
    parts += [f"\n## {one.name}\n\n```\n{one.output.strip()}\n```" for one in outcomes]
    (out / "gpu_check.md").write_text("\n".join(parts) + "\n", "utf-8")


def describe_machine() -> dict[str, str]:
    """The device and the versions."""
    names = ("torch", "diffusers", "transformers", "accelerate")
    versions = {name: f"{name} {version(name)}" for name in names}
    return {"gpu": gpu() or "no GPU", "python": f"Python {platform.python_version()}", **versions}


def gpu() -> str:
    """Name and memory of the GPU that torch sees; empty if there is none."""
    code = (
        "import torch\n"
        "if torch.cuda.is_available():\n"
        "    free, total = torch.cuda.mem_get_info()\n"
        "    print(f'{torch.cuda.get_device_name()}, {total / 2**30:.0f} GiB, {free / 2**30:.0f} GiB free')"
    )
    asked = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    return asked.stdout.strip()


def main() -> int:
    """Run the checks that the command line names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [check.name for check in CHECKS]
    parser.add_argument("--out", type=Path, default=Path("gpu_check"), help="folder of the results")
    parser.add_argument("--seconds", type=float, default=540.0, help="for everything")
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="NAME")
    parser.add_argument("--packages", action="store_true", help="list what is needed, and what is missing")
    parser.add_argument("--dry-run", action="store_true", help="run on the CPU what can run there")
    options = parser.parse_args()
    needed = requirements()
    lacks = missing(needed)
    if options.packages:
        print("\n".join(needed))
    if lacks:
        names_only = [one.partition(" (")[0] for one in lacks]
        quoted = " ".join(f"'{name}'" for name in names_only)
        print(
            f"gpu_check: missing: {', '.join(lacks)}; where there is a network: "
            f"python3 -m pip download --only-binary=:all: -d wheels {quoted}",
            file=sys.stderr,
        )
        return MISSING
    if options.packages:
        return 0
    if not options.dry_run and not gpu():
        print("gpu_check: no CUDA device is visible to torch; --dry-run tries the script", file=sys.stderr)
        return MISSING
    out: Path = options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    chosen = [check for check in CHECKS if check.name in options.only]
    outcomes = run_all(chosen, options.seconds, out, is_dry=options.dry_run)
    print((out / "gpu_check.md").read_text("utf-8"))
    accepted = {"passed", "skipped", "not run"} if options.dry_run else {"passed"}
    return 0 if all(one.status in accepted for one in outcomes) else 1


def _project(member: str) -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((ROOT / member / "pyproject.toml").read_text("utf-8"))["project"]
    return project


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    raise SystemExit(main())
