"""Versions of dependencies do not drift: each one has an exact pin, for which updates are proposed."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from itertools import chain
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
UNPINNED = {"xformers"}
"""Not part of the common environment; the user installs the one built for their torch."""


def project(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads(file.read_text("utf-8"))
    return found


def pins() -> dict[str, str]:
    lines = project(ROOT / "pyproject.toml")["tool"]["uv"]["constraint-dependencies"]
    return {canonicalize_name(name): pinned for name, pinned in (line.split("==") for line in lines)}


def requirements() -> Iterator[Requirement]:
    """Dependencies of all members, extras included."""
    files = [ROOT / "core/pyproject.toml", *ROOT.glob("[pbf]*s/*/pyproject.toml")]
    assert len(files) > 10
    for file in files:
        table = project(file)["project"]
        extras = table.get("optional-dependencies", {}).values()
        yield from map(Requirement, [*table.get("dependencies", ()), *chain.from_iterable(extras)])


def declared() -> set[str]:
    """Dependencies of all members, extras included, except for members themselves."""
    names = {canonicalize_name(requirement.name) for requirement in requirements()}
    return {name for name in names if not re.match(r"promptvision(-|$)", name)}


def test_every_member_needs_the_pillow_that_bounds_the_memory_of_a_tiff() -> None:
    floors = {str(each.specifier) for each in requirements() if each.name == "pillow"}
    assert floors == {">=13"}


def test_every_dependency_has_an_exact_pin() -> None:
    assert declared() - set(pins()) == UNPINNED


def test_installed_versions_are_those_of_the_pins() -> None:
    wrong = []
    for name, pinned in pins().items():
        try:
            installed = version(name)
        except PackageNotFoundError:
            continue
        if installed.partition("+")[0] != pinned.partition(";")[0].strip().partition("+")[0]:
            wrong.append(f"{name} is {installed}, pinned to {pinned}")
    assert wrong == []


def test_updates_are_proposed() -> None:
    proposed = (ROOT / ".github/dependabot.yml").read_text("utf-8")
    assert "package-ecosystem: uv" in proposed
    assert "package-ecosystem: github-actions" in proposed
