"""Predicted seconds of placements."""

from __future__ import annotations

from dataclasses import replace

import pytest

from promptvision.models.placement import Placement
from promptvision.models.prediction import StageCost, predict_seconds

TEXT = StageCost(weights={"text": 200}, passes=1, gpu_pass_s=1, cpu_pass_s=10)
PAINT = StageCost(weights={"unet": 1000, "vae": 100}, passes=10, gpu_pass_s=2, cpu_pass_s=60)
DECODE = StageCost(weights={"vae": 100}, passes=1, gpu_pass_s=3, cpu_pass_s=30)
PIPELINE = (TEXT, PAINT, DECODE)
SPEED = 100.0


@pytest.mark.parametrize(
    ("placement", "expected"),
    [
        (Placement.RESIDENT, 1 + 20 + 3),
        (Placement.COMPONENT, 1 + 20 + 3 + 13),  # the VAE stays for the decoder
        (Placement.GROUP, 2 + 10 * 11 + 3),  # the longer of copies and computation, in each pass
        (Placement.SEQUENTIAL, 1 + 2 / 0.35 + 10 * (2 + 11 / 0.35) + 3 + 1 / 0.35),
        (Placement.CPU, 10 + 600 + 30),
    ],
)
def test_seconds_are_copies_and_computation(placement: Placement, expected: float) -> None:
    assert predict_seconds(PIPELINE, placement, SPEED) == pytest.approx(expected)


def test_one_pass_is_not_streamed_if_the_weights_can_stay() -> None:
    """Streaming hides the copies of a single pass, but they come again with each call."""
    seconds = {each: predict_seconds([TEXT], each, SPEED) for each in Placement}
    assert min(seconds, key=lambda each: seconds[each]) is Placement.RESIDENT


def test_measured_seconds_replace_the_prediction() -> None:
    measured = replace(PAINT, measured={Placement.GROUP: 5.0})
    assert predict_seconds([measured], Placement.GROUP, SPEED) == 50


@pytest.mark.parametrize("placement", Placement)
def test_nothing_takes_no_time(placement: Placement) -> None:
    assert predict_seconds([], placement, SPEED) == 0
