"""Check rules without a linter: the layout of tests and members, and files that must not be committed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MEMBERS = [
    "core",
    *(
        f"{kind}/{path.name}"
        for kind in ("plugins", "backends", "frontends")
        for path in (ROOT / kind).iterdir()
    ),
]
HOSTS = re.compile(
    r"https?://(?:[\w.-]*\.)?(?:py" + r"pi\.org|pythonhosted\.org|npm" + r"js\.org|debian\.org)"
)
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:home|root|Users)/\w+/")


def main() -> int:
    """Print one line per finding; return 1 when there is any."""
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    found = [*_forbidden_files(tracked), *_members(), *_texts(tracked)]
    for line in found:
        print(line)
    return 1 if found else 0


def _forbidden_files(tracked: list[str]) -> list[str]:
    found = []
    for name in tracked:
        if re.search(r"(^|/)tests/(.*/)?__init__\.py$", name):
            found.append(
                f"{name}: a tests folder must hold no __init__.py, or files run under each other's names"
            )
        if re.search(r"(\.lock|package-lock\.json)$", name):
            found.append(f"{name}: lock files name hosts and are not kept")
        if re.search(r"\.(safetensors|pt|ckpt|bin|onnx)$", name):
            found.append(f"{name}: weights are not kept")
    return found


def _members() -> list[str]:
    found = []
    for member in MEMBERS:
        folder = ROOT / member
        packages = [
            path
            for path in (folder / "src").iterdir()
            if path.is_dir() and path.name.startswith("promptvision")
        ]
        if len(packages) != 1:
            found.append(f"{member}: one import package is expected in src, not {len(packages)}")
        licence = folder / "LICENSE"
        if not licence.is_file() or licence.read_bytes() != (ROOT / "LICENSE").read_bytes():
            found.append(f"{member}: LICENSE is not a copy of the root's, which builds cannot reach")
        found.extend(
            f"{member}: {missing} is missing"
            for missing in (
                "README.md",
                "pyproject.toml",
                *(f"src/{package.name}/py.typed" for package in packages),
            )
            if not (folder / missing).exists()
        )
        if not list((folder / "tests").glob("test_*.py")):
            found.append(f"{member}: it has no tests")
    return found


def _texts(tracked: list[str]) -> list[str]:
    found = []
    for name in tracked:
        path = ROOT / name
        if not path.is_file() or path.suffix in (".png", ".jpg", ".webp", ".gif"):
            continue
        text = path.read_text("utf-8", "replace")
        for pattern, what in (
            (HOSTS, "a package registry's host"),
            (MACHINE_PATH, "an absolute path of a machine"),
        ):
            if hit := pattern.search(text):
                found.append(f"{name}: it names {what}: {hit[0]}")
    return found


if __name__ == "__main__":
    sys.exit(main())
