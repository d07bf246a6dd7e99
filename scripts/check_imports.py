"""Check that plugins, backends and frontends import only the public API and their own package."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KINDS = ("plugins", "backends", "frontends")
PUBLIC = ("promptvision", "promptvision.plugin")
TESTING = "promptvision.testing"
TEST_SERVERS = (
    "backends/cloudinary/src/promptvision_cloudinary/fake.py",
    "backends/s3/src/promptvision_s3/testing.py",
    "backends/supabase/src/promptvision_supabase/testing.py",
)
"""Modules that tests use and wheels exclude."""


def main() -> int:
    """Print one line per import that is not allowed; return 1 when there is any."""
    found = [line for member in members(ROOT) for line in check_member(member)]
    for line in found:
        print(line)
    return 1 if found else 0


def members(root: Path) -> list[Path]:
    """Folders of all distributions but the core."""
    return sorted(path.parent for kind in KINDS for path in (root / kind).glob("*/pyproject.toml"))


def check_member(member: Path) -> Iterator[str]:
    """One line per import of a distribution that is not allowed."""
    packages = {path.name for path in (member / "src").iterdir() if path.is_dir()}
    for folder, allowed in (("src", PUBLIC), ("tests", (*PUBLIC, TESTING))):
        for path in sorted((member / folder).rglob("*.py")):
            where = path.relative_to(member.parent.parent).as_posix()
            known = (*allowed, TESTING) if where in TEST_SERVERS else allowed
            for line, module in imports(ast.parse(path.read_text("utf-8"))):
                package = module.partition(".")[0]
                is_ours = package == "promptvision" or package.startswith("promptvision_")
                if is_ours and module not in known and package not in packages:
                    yield f"{where}:{line}: imports {module}; use one of {', '.join(known)}"


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and name of each module that is imported by a statement, a string of ``importlib`` included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module
        elif isinstance(node, ast.Call) and _called(node) in ("import_module", "__import__"):
            for argument in node.args[:1]:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield node.lineno, argument.value


def _called(call: ast.Call) -> str:
    return str(getattr(call.func, "attr", None) or getattr(call.func, "id", ""))


if __name__ == "__main__":
    sys.exit(main())
