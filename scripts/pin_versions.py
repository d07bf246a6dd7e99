"""Write the versions of all installed distributions into the root's ``constraint-dependencies``."""

from __future__ import annotations

import re
from importlib.metadata import distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Rewrite the list between its brackets."""
    found = {
        _normal(dist.name): dist.version
        for dist in distributions()
        if not dist.name.startswith("promptvision")
    }
    lines = "".join(f'  "{name}=={_public(found[name])}",\n' for name in sorted(found) if name != "pip")
    path = ROOT / "pyproject.toml"
    text = path.read_text("utf-8")
    made = re.sub(
        r"constraint-dependencies = \[.*?\]\n",
        f"constraint-dependencies = [\n{lines}]\n",
        text,
        flags=re.DOTALL,
    )
    path.write_text(made, "utf-8")


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _public(version: str) -> str:
    """A version without its local part, which names one build."""
    return version.partition("+")[0]


if __name__ == "__main__":
    main()
