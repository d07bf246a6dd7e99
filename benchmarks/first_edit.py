"""From an installation to the first edit: commands, prompts, and bytes to download per profile.

    python benchmarks/first_edit.py

Commands are those of docs/get-started.md up to the edit. Prompts are counted by running setup in a terminal
and declining to download; bytes are what its profiles declare on a machine with much memory.
"""

from __future__ import annotations

import os
import platform
import re
import sys
import tempfile
from pathlib import Path

import pexpect

from promptvision.models.machine import Machine
from promptvision.models.profiles import PROFILES
from promptvision.plugins.registry import Registry
from promptvision.plugins.setup_plan import SetupPlan, make_plan
from promptvision.settings import Settings

PAGE = Path(__file__).parents[1] / "docs" / "get-started.md"
LARGE = Machine(memory_bytes=10**12, gpu_bytes=0, disk_bytes=10**13)
QUESTIONS = {r"\(y: yes, f: only what is not marked, n: nothing\)[^:]*: ": "n", r"Number[^:]*: ": "0"}


def commands() -> list[str]:
    """The commands of the page before the edit itself."""
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    return lines[: next(index for index, line in enumerate(lines) if line.startswith("promptvision run"))]


def prompts(home: str) -> int:
    """The number of questions of setup."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PROMPTVISION_", "GROQ_", "OPENAI_"))
    }
    terminal = pexpect.spawn(
        str(Path(sys.executable).with_name("promptvision")),
        ["setup"],
        env={**kept, "PROMPTVISION_HOME": home},
        cwd=home,
        timeout=300,
        dimensions=(60, 160),
        encoding="utf-8",
    )
    asked = 0
    while (found := terminal.expect([pexpect.EOF, *QUESTIONS])) != 0:
        asked += 1
        terminal.sendline(list(QUESTIONS.values())[found - 1])
    terminal.close()
    return asked


def rows(plan: SetupPlan) -> list[str]:
    return [
        f"| {model.spec.id} | {model.bytes:,} | {model.spec.license} | {', '.join(model.operations)} |"
        for model in plan.models
    ]


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        before = commands()
        print(f"{platform.platform()}, Python {platform.python_version()}\n")
        print(f"Commands before the first edit: {len(before)} (`{'`, `'.join(before)}`); ", end="")
        print(f"prompts: {prompts(home)}.\n")
        registry = Registry.load(Settings(home=Path(home)))
        for profile in PROFILES:
            plan = make_plan(registry, profile, LARGE)
            print(f"## {profile}: {plan.bytes:,} bytes in {len(plan.models)} models\n")
            print("| model | bytes | licence | for |\n|---|---|---|---|")
            print("\n".join(rows(plan)) + "\n")


if __name__ == "__main__":
    main()
