"""The table of first-party plugins agrees with the workspace."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from promptvision.plugins.first_party import FIRST_PARTY

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(not (ROOT / "plugins").is_dir(), reason="not in the repository")
def test_table_has_each_member_with_its_description() -> None:
    members = [
        tomllib.loads(path.read_text("utf-8"))["project"]
        for kind in ("plugins", "backends", "frontends")
        for path in (ROOT / kind).glob("*/pyproject.toml")
    ]
    assert {one["name"]: one["description"] for one in members}.items() <= dict(FIRST_PARTY).items()
