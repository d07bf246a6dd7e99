"""Data of the tests, and a separate home folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from promptvision.testing import load_module

for name in ("eval_data", "tiny_networks"):
    load_module(Path(__file__).with_name(f"{name}.py"))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``PROMPTVISION_HOME``, where predictions are logged."""
    monkeypatch.setenv("PROMPTVISION_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PROMPTVISION_PLANNER", "offline")
    return tmp_path / "home"
