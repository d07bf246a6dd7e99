"""Install and uninstall distributions in the Python environment of this process, with pip or uv."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from promptvision.errors import SetupError

__all__ = ["Change", "Installer", "find_installer"]

TIMEOUT_S = 3600.0
_CHANGE = re.compile(r" ([+-]) ([A-Za-z0-9][\w.-]*)==(\S+)")


@dataclass(frozen=True)
class Change:
    """One distribution that is installed or removed."""

    name: str
    version: str
    is_removed: bool = False


@dataclass(frozen=True)
class Installer:
    """A program that changes the environment of this process. It uses its own configuration of the index.

    Args:
        name: ``pip`` or ``uv``.
        command: how it is called.
        options: name this environment.
    """

    name: str
    command: tuple[str, ...]
    options: tuple[str, ...] = ()

    def plan(self, requirements: Sequence[str], *, alone: bool = False) -> list[Change]:
        """What installing would change; nothing is installed.

        Args:
            requirements: names, optionally with versions, paths of wheels, or URLs.
            alone: whether to leave their dependencies out.

        Raises:
            SetupError: they cannot be found or do not fit together.
        """
        words = ["install", *self.options, "--dry-run", *["--no-deps"] * alone]
        if self.name == "pip":
            report = json.loads(self._run([*words, "--quiet", "--report", "-", "--", *requirements]).stdout)
            found = [entry["metadata"] for entry in report["install"]]
            return [Change(metadata["name"], metadata["version"]) for metadata in found]
        stderr = self._run([*words, "--", *requirements]).stderr
        return [Change(name, version, sign == "-") for sign, name, version in _CHANGE.findall(stderr)]

    def install(self, requirements: Sequence[str]) -> None:
        """Install distributions.

        Raises:
            SetupError: it failed.
        """
        self._run(["install", *self.options, "--quiet", "--", *requirements])

    def uninstall(self, distribution: str) -> None:
        """Remove a distribution; its dependencies stay.

        Raises:
            SetupError: it failed.
        """
        confirm = ["--yes"] if self.name == "pip" else []
        self._run(["uninstall", *self.options, *confirm, "--quiet", "--", distribution])

    def _run(self, words: Sequence[str]) -> subprocess.CompletedProcess[str]:
        try:
            done = subprocess.run(
                [*self.command, *words], capture_output=True, text=True, timeout=TIMEOUT_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as exc:
            raise SetupError(f"{self.name}: {exc}") from exc
        if done.returncode:
            raise SetupError(f"{self.name}: {_why(done.stderr)}", hint=f"{self.name} {words[0]} --help")
        return done


def find_installer() -> Installer:
    """The installer for the environment of this process.

    Raises:
        SetupError: another program manages the environment, or neither pip nor uv is available.
    """
    prefix = Path(sys.prefix)
    _refuse_managed(prefix)
    if find_spec("pip") is not None:
        return Installer("pip", (sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"))
    if uv := shutil.which("uv"):
        return Installer("uv", (uv, "pip"), ("--python", sys.executable))
    raise SetupError(
        f"{prefix} has no pip, and uv is not on the PATH", hint=f"run: {sys.executable} -m ensurepip"
    )


def _refuse_managed(prefix: Path) -> None:
    """Raise if a change would be lost, or would damage the system.

    Source: PEP 668 for EXTERNALLY-MANAGED.
    """
    receipt = prefix / "uv-receipt.toml"
    if receipt.exists():
        others = [f"--with {name}" for name in _tool_requirements(receipt)]
        raise SetupError(
            f"{prefix} was made by `uv tool install`, which manages its packages",
            hint=f"run: {' '.join(['uv tool install promptvision', *others, '--with NAME'])}",
        )
    if (prefix / "pipx_metadata.json").exists():
        raise SetupError(
            f"{prefix} was made by pipx, which manages its packages",
            hint="run: pipx inject promptvision NAME",
        )
    is_system = sys.prefix == sys.base_prefix
    if is_system and Path(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED").exists():
        raise SetupError(
            f"{prefix} belongs to the operating system, which manages its packages",
            hint="install promptvision in an environment of its own: python3 -m venv ENV, "
            "then ENV/bin/pip install promptvision",
        )


def _tool_requirements(receipt: Path) -> list[str]:
    """Names of the further distributions in the environment of a uv tool."""
    try:
        found = tomllib.loads(receipt.read_text("utf-8"))["tool"]["requirements"]
        return [str(one["name"]) for one in found if one["name"] != "promptvision"]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _why(stderr: str) -> str:
    """The error in the output of pip or uv, in one line."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [number for number, line in enumerate(lines) if line.lower().startswith("error")]
    kept = lines[errors[0] :][:3] if errors else lines[-1:]
    return (
        re.sub(r"^error:\s*", "", " ".join(kept), flags=re.IGNORECASE)[:500] or "it failed without a message"
    )
