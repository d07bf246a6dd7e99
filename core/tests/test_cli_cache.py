"""``promptvision cache``: the table of stages, JSON, and clearing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from promptvision.cli.cache import cache
from promptvision.runtime.stage_files import Count, StageFiles

Run = Callable[..., Result]


@pytest.fixture
def files(tmp_path: Path) -> StageFiles:
    """A cache of two stages in the folder that the settings name."""
    files = StageFiles(tmp_path / "cache" / "stages", 10**7)
    for stage in ("sam/embedding", "sdxl_inpaint/text"):
        files.write(stage.replace("/", "-"), stage, {"a": np.zeros(1_000_000, np.uint8)}, 2.0)
        files.count({stage: Count(hits=3, misses=1, saved_s=6.0)})
    return files


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command with a home folder of this test."""
    monkeypatch.setenv("PROMPTVISION_HOME", str(tmp_path))
    return lambda *args: CliRunner().invoke(cache, args, catch_exceptions=False)


def test_table_has_a_row_for_each_stage(run: Run, files: StageFiles) -> None:
    lines = run().stdout.splitlines()
    assert lines[0].split() == ["STAGE", "ENTRIES", "SIZE", "HITS", "MISSES", "SAVED"]
    assert lines[1].split() == ["sam/embedding", "1", "1.0", "MB", "3", "1", "6.0", "s"]
    assert lines[3] == f"2.0 MB in {files.folder}"


def test_json_has_the_same_figures(run: Run, files: StageFiles) -> None:
    first, second = json.loads(run("--json").stdout)
    assert first["stage"] == "sam/embedding"
    assert {name: second[name] for name in ("entries", "hits", "misses", "saved_s")} == {
        "entries": 1,
        "hits": 3,
        "misses": 1,
        "saved_s": 6.0,
    }


def test_clear_deletes_one_stage_then_all(run: Run, files: StageFiles) -> None:
    assert run("clear", "sam/embedding").stdout == "1.0 MB freed\n"
    assert [use.stage for use in files.use()] == ["sdxl_inpaint/text"]
    run("clear")
    assert files.use() == []


def test_unknown_stage_is_named_with_the_known_ones(run: Run, files: StageFiles) -> None:
    result = run("clear", "sam/text")
    assert result.exit_code == 2
    assert "'sam/text' is not cached; cached: sam/embedding, sdxl_inpaint/text" in result.stderr


def test_empty_cache_is_shown_and_cleared(run: Run) -> None:
    assert run().stdout.splitlines()[-1].startswith("0.0 MB in ")
    assert run("clear").stdout == "0.0 MB freed\n"
