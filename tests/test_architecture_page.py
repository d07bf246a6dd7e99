"""docs/architecture.md names every package, every module of the agent and every member of the workspace."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/architecture.md").read_text("utf-8")


def names(folder: str) -> set[str]:
    """Packages, or members, in a folder."""
    found = {path.name for path in (ROOT / folder).iterdir() if path.is_dir()}
    return {name for name in found if not name.startswith(("_", "."))}


def words(heading: str) -> set[str]:
    """The words in the first block below a heading."""
    return set(re.findall(r"\w+", PAGE.split(heading, 1)[1].split("```")[1]))


def test_packages() -> None:
    assert names("core/src/promptvision") - {"template"} - words("## Packages of the core") == set()


def test_modules_of_the_agent() -> None:
    folder = ROOT / "core/src/promptvision/agent"
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert (modules | names("core/src/promptvision/agent")) - words("### Inside `agent/`") == set()


def test_members() -> None:
    members = set().union(*map(names, ("plugins", "backends", "frontends")))
    assert members - words("## Repository") == set()


def test_files_on_the_path_of_a_turn_exist() -> None:
    rows = [line for line in PAGE.splitlines() if re.match(r"\| \d+ \|", line)]
    named = {path for row in rows for path in re.findall(r"`([a-z_/]+(?:\.py|/))`", row)}
    assert len(named) > 12
    folders = ("agent", "agent/turns", "")
    base = ROOT / "core/src/promptvision"
    assert [path for path in named if not any((base / folder / path).exists() for folder in folders)] == []
