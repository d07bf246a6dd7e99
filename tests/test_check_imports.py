"""The check that plugins import only the public API."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[1] / "scripts"


@pytest.fixture
def member(tmp_path: Path) -> Path:
    """A plugin ``mine`` with a module, a test and a pyproject.toml."""
    folder = tmp_path / "plugins" / "mine"
    (folder / "src" / "promptvision_mine").mkdir(parents=True)
    (folder / "tests").mkdir()
    (folder / "pyproject.toml").touch()
    return folder


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch, member: Path) -> object:
    monkeypatch.syspath_prepend(SCRIPTS)
    sys.modules.pop("check_imports", None)
    import check_imports

    return lambda: [
        line
        for found in check_imports.members(member.parents[1])
        for line in check_imports.check_member(found)
    ]


ALLOWED = """
import promptvision
from promptvision import Image
from promptvision.plugin import tool
from promptvision_mine.paint import paint
import numpy
"""


def test_public_api_and_own_package_are_allowed(member: Path, check: object) -> None:
    (member / "src/promptvision_mine/plugin.py").write_text(ALLOWED)
    (member / "tests/test_mine.py").write_text(ALLOWED + "from promptvision.testing import run_tool\n")
    assert callable(check)
    assert check() == []


@pytest.mark.parametrize(
    ("statement", "module"),
    [
        ("from promptvision.tools.tool import Tool", "promptvision.tools.tool"),
        ("import promptvision.settings", "promptvision.settings"),
        ("from promptvision_other.paint import paint", "promptvision_other.paint"),
        ("from promptvision.testing import run_tool", "promptvision.testing"),
        ("def f():\n    from promptvision.agent import agent", "promptvision.agent"),
        ("import importlib\nimportlib.import_module('promptvision.agent')", "promptvision.agent"),
    ],
)
def test_deeper_imports_are_named_with_file_and_line(
    member: Path, check: object, statement: str, module: str
) -> None:
    (member / "src/promptvision_mine/plugin.py").write_text(statement)
    line = statement.count("\n") + 1
    assert callable(check)
    assert check() == [
        f"plugins/mine/src/promptvision_mine/plugin.py:{line}: imports {module}; "
        "use one of promptvision, promptvision.plugin"
    ]


def test_own_distributions_keep_to_the_public_api(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(SCRIPTS)
    sys.modules.pop("check_imports", None)
    import check_imports

    assert check_imports.main() == 0
