"""The settings page is generated, and every variable that the code names is on it."""

from __future__ import annotations

import re
from importlib.metadata import entry_points
from pathlib import Path

from promptvision.plugins.registry import Registry
from promptvision.plugins.variables import known_variables
from promptvision.settings import Settings

ROOT = Path(__file__).parents[1]
PARTS = {
    "PROMPTVISION_",
    "PROMPTVISION_ENV_",
    "PROMPTVISION_LLM_",
    "PROMPTVISION_MODEL_",
    "PROMPTVISION_MODEL",
    "PROMPTVISION_FLORENCE_2_LARGE",
}
"""Prefixes, and examples in error messages."""
TEST_ONLY = {"PROMPTVISION_CHECK", "PROMPTVISION_POSTGREST"}


def test_every_variable_in_the_sources_is_known() -> None:
    registry = Registry.load(Settings(strict_plugins=True), entry_points(group="promptvision"))
    known = known_variables(registry) | PARTS | TEST_ONLY
    unknown = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in ROOT.glob("[cpbf]*/**/src/**/*.py")
        for name in re.findall(r"(?<![A-Z_])PROMPTVISION_[A-Z0-9_]*", path.read_text("utf-8"))
        if name not in known and not name.startswith("PROMPTVISION_MODEL_")
    }
    assert unknown == set()


def test_every_variable_of_this_project_is_documented() -> None:
    page = (ROOT / "docs" / "settings.md").read_text("utf-8")
    for name in Settings.model_fields:
        assert f"`PROMPTVISION_{name.upper()}`" in page
