"""Print the pinned versions of the workspace as a constraints file for pip and uv."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Print one requirement per line."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    for line in settings["tool"]["uv"]["constraint-dependencies"]:
        print(line)


if __name__ == "__main__":
    main()
