"""Empty Python environments made with uv, from what its cache holds: what a wheel needs, and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from functools import cache
from importlib.metadata import PathDistribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

__all__ = ["Environments"]


class Environments:
    """Makes empty Python environments with uv, from what its cache holds.

    Args:
        uv: the program.
    """

    def __init__(self, uv: str) -> None:
        self._program = uv

    def build(self, folder: Path, *projects: Path) -> dict[str, Path]:
        """Build wheels with the build backend of this environment; distribution name to wheel."""
        for project in projects:
            self.uv(
                "build", "--wheel", "--no-build-isolation", "-o", folder, project, "--python", sys.executable
            )
        return {file.name.partition("-")[0].replace("_", "-"): file for file in folder.glob("*.whl")}

    def make(self, venv: Path, wheels: dict[str, Path], *requirements: str) -> Path:
        """Make an environment with what the requirements need, in the versions of this one.

        Args:
            venv: a folder that does not exist.
            wheels: distributions that are installed from a file.
            requirements: as in a pyproject.toml.

        Returns:
            Its interpreter.
        """
        closure = _Closure(wheels)
        for requirement in requirements:
            closure.add(Requirement(requirement))
        python = venv / "bin" / "python"
        self.uv("venv", "--python", sys.executable, venv)
        self.uv("pip", "install", "--no-deps", "--python", python, *sorted(closure.install))
        self.uv("pip", "check", "--python", python)
        return python

    def seed_bytecode(self, python: Path, cache: Path) -> None:
        """Give an environment the bytecode of this one, which is used where both have the same source file.

        Args:
            python: the environment's interpreter.
            cache: value of ``PYTHONPYCACHEPREFIX`` when it runs.
        """
        standard, site = (Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib"))
        theirs = python.parents[1] / site.relative_to(sys.prefix)
        for own, other in ((standard, standard), (site, theirs)):
            for folder, folders, _ in os.walk(own):
                if "__pycache__" in folders:
                    copy = cache.joinpath(*other.parts[1:], Path(folder).relative_to(own))
                    shutil.copytree(f"{folder}/__pycache__", copy, copy_function=_link, dirs_exist_ok=True)

    def uv(self, *arguments: str | Path) -> None:
        """Run uv without the network."""
        command = [self._program, *arguments, "--offline", "--no-config", "-q"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        if "not be found in the cache" in done.stderr or "network was disabled" in done.stderr:
            pytest.skip(f"uv's cache is not complete; fill it with scripts/install: {done.stderr[-300:]}")
        assert done.returncode == 0, done.stderr


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # on another file system
        shutil.copyfile(source, target)


class _Closure:
    """Everything that distributions need, by what they declare: wheels of ours, and pinned versions.

    Args:
        wheels: distribution name to wheel; their metadata counts, not that of this environment.
    """

    def __init__(self, wheels: dict[str, Path]) -> None:
        self._wheels = wheels
        self._seen: set[tuple[str, str]] = set()
        self.install: set[str] = set()

    def add(self, requirement: Requirement) -> None:
        """Take in a requirement and all that it needs."""
        name = canonicalize_name(requirement.name)
        for extra in ("", *requirement.extras):
            if (name, extra) not in self._seen:
                self._seen.add((name, extra))
                self._add_needs(name, extra)

    def _add_needs(self, name: str, extra: str) -> None:
        wheel = self._wheels.get(name)
        if wheel is not None:
            self.install.add(str(wheel))
            needs = _requirements(wheel)
        else:
            version, needs = _installed(name)
            self.install.add(f"{name}=={version}")
        for need in map(Requirement, needs):
            if need.marker is None or need.marker.evaluate({"extra": extra}):
                self.add(need)


@cache
def _installed(name: str) -> tuple[str, list[str]]:
    """Version and requirements of a distribution of this environment."""
    found = distribution(name)
    return found.version, found.requires or []


def _requirements(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = {name.partition("/")[0] for name in archive.namelist() if ".dist-info/" in name}
        return PathDistribution(zipfile.Path(archive, f"{metadata}/")).requires or []
