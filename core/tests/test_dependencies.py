"""Unmet dependencies of an installed distribution."""

from __future__ import annotations

from pathlib import Path

import pytest

from promptvision.plugins.dependencies import unmet_requirements


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def install(site: Path, *requirements: str) -> None:
    info = site / "promptvision_needy-1.0.dist-info"
    info.mkdir()
    lines = ["Metadata-Version: 2.1", "Name: promptvision-needy", "Version: 1.0"]
    lines += [f"Requires-Dist: {requirement}" for requirement in requirements]
    (info / "METADATA").write_text("\n".join(lines) + "\n")


def test_missing_and_wrong_versions_are_named(site: Path) -> None:
    install(
        site,
        "pydantic>=2",
        "no-such-distribution>=3",
        "pluggy<0.1",
        "other-missing; extra == 'more'",
        "windows-only; sys_platform == 'nowhere'",
        "!!",
    )
    missing, old, broken = unmet_requirements("promptvision-needy")
    assert missing == "no-such-distribution>=3 (not installed)"
    assert old.startswith("pluggy<0.1 (")
    assert old.endswith(" is installed)")
    assert broken == "!! (not a valid requirement)"


def test_distribution_without_requirements_or_metadata_has_none(site: Path) -> None:
    install(site)
    assert unmet_requirements("promptvision-needy") == []
    assert unmet_requirements("unknown") == []
