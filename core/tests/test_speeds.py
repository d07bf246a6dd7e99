"""Moving averages of measured speeds, and priors before them."""

from __future__ import annotations

import pytest

from promptvision.models.speeds import COMPUTE_BYTES_PER_S, COPY_BYTES_PER_S, Speeds


def test_the_first_copy_replaces_the_prior_and_later_ones_move_it() -> None:
    speeds = Speeds()
    assert speeds.copy_bytes_per_s == COPY_BYTES_PER_S
    speeds.add_copy(1000, 1.0)
    assert speeds.copy_bytes_per_s == 1000
    speeds.add_copy(2000, 1.0)
    assert speeds.copy_bytes_per_s == pytest.approx(1300)
    speeds.add_copy(0, 0.0)
    assert speeds.copied_bytes == 3000
    assert speeds.copy_bytes_per_s == pytest.approx(1300)


def test_passes_are_known_by_their_row_and_estimated_by_weights_before() -> None:
    speeds = Speeds()
    assert speeds.measured_pass_s("row") is None
    assert speeds.pass_s("cpu", "row", 600) == 600 / COMPUTE_BYTES_PER_S["cpu"]
    assert speeds.pass_s("cpu", "row", 600, at_least=9.0) == 9
    speeds.add_pass("row", 2.0)
    speeds.add_pass("row", 3.0)
    assert speeds.pass_s("cpu", "row", 600, at_least=9.0) == pytest.approx(2.3)


def test_the_table_of_passes_is_bounded() -> None:
    speeds = Speeds()
    for index in range(300):
        speeds.add_pass(str(index), 1.0)
    assert speeds.measured_pass_s("0") is None
    assert speeds.measured_pass_s("299") == 1
