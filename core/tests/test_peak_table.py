"""Measured peaks on disk."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from promptvision.models.peak_table import PeakTable, percentile_95, shape_class


def test_three_samples_make_an_estimate_of_the_95th_percentile_plus_a_tenth() -> None:
    table = PeakTable(None)
    table.add("k", 100)
    table.add("k", 300)
    assert table.estimate("k") is None
    table.add("k", 200)
    assert (table.estimate("k"), table.samples("k")) == (330, 3)


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=60))
def test_at_most_a_twentieth_of_the_values_is_above_the_percentile(values: list[int]) -> None:
    limit = percentile_95(values)
    assert limit in values
    assert sum(value > limit for value in values) <= 0.05 * len(values)


def test_running_out_of_memory_is_a_lower_bound_until_a_larger_run_succeeds() -> None:
    table = PeakTable(None)
    table.exceeded("k", 500)
    table.exceeded("k", 400)
    assert table.more_than("k") == 500
    for _ in range(3):
        table.add("k", 100)
    assert table.estimate("k") == 501
    table.add("k", 600)
    assert table.more_than("k") == 0
    assert table.estimate("k") == 660


def test_the_table_is_read_again_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "home" / "peaks.json"
    table = PeakTable(path)
    for peak in (10, 20, 30):
        table.add("k", peak)
    table.exceeded("other", 7)
    again = PeakTable(path)
    assert again.rows() == table.rows() == {"k": (33, 3, 0), "other": (None, 0, 7)}
    assert list(path.parent.iterdir()) == [path]  # no temporary file is left


def test_small_changes_wait_for_the_end(tmp_path: Path) -> None:
    path = tmp_path / "peaks.json"
    table = PeakTable(path)
    for _ in range(4):
        table.add("k", 1000)
    assert PeakTable(path).samples("k") == 3
    table.close()
    assert PeakTable(path).samples("k") == 4


@pytest.mark.parametrize(
    "text", ["", "[]", '{"k": 3}', '{"k": {"samples": ["x"]}}', '{"k": {"more": 1}}', "\xff"]
)
def test_a_damaged_file_is_measured_again(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "peaks.json"
    path.write_text(text, "latin-1")
    with caplog.at_level(logging.WARNING):
        assert PeakTable(path).rows() == {}
    assert "measured again" in caplog.text


def test_a_folder_that_cannot_be_written_is_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    table = PeakTable(tmp_path / "file" / "peaks.json")
    with caplog.at_level(logging.WARNING):
        table.exceeded("k", 1)
    assert "cannot be stored" in caplog.text
    assert table.more_than("k") == 1


def test_rows_and_samples_are_bounded(tmp_path: Path) -> None:
    path = tmp_path / "peaks.json"
    table = PeakTable(path)
    for index in range(600):
        table.add(str(index), 5)
    for _ in range(50):
        table.add("599", 5)
    table.save()
    rows = json.loads(path.read_text())
    assert len(rows) == 500
    assert list(rows)[-1] == "599"
    assert len(rows["599"]["samples"]) == 20


@hypothesis_settings(max_examples=50)
@given(st.lists(st.integers(1, 5000), min_size=1, max_size=3))
def test_shapes_of_one_class_differ_little_in_size(shape: list[int]) -> None:
    doubled = [2 * shape[0], *shape[1:]]
    assert int(shape_class(doubled)) == int(shape_class(shape)) + 2


def test_no_shape_is_a_class_of_its_own() -> None:
    assert shape_class(()) == "-"
    assert shape_class((1024, 1024)) == shape_class((1216, 832)) == "40"
