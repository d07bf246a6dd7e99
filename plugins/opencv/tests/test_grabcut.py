from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from promptvision.plugin import Box
from promptvision_opencv.grabcut import cut_out
from promptvision_opencv.refine import refine


def _iou(mask: np.ndarray, true: np.ndarray) -> float:
    return float(((mask > 0) & true).sum() / ((mask > 0) | true).sum())


@pytest.mark.parametrize("slack", [2, 30])
def test_ball_is_cut_out_and_not_its_box(ball: Any, slack: int) -> None:
    x1, y1, x2, y2 = ball.box
    mask, is_separated = cut_out(ball.rgb, Box(x1 - slack, y1 - slack, x2 + slack, y2 + slack), seed=0)
    assert is_separated
    assert _iou(mask, ball.inside) > 0.95
    assert _iou(refine(mask), ball.inside) > 0.93


def test_box_keeps_its_corners(box: Any) -> None:
    x1, y1, x2, y2 = box.box
    mask, _ = cut_out(box.rgb, Box(x1 - 10, y1 - 10, x2 + 10, y2 + 10), seed=0)
    assert _iou(mask, box.inside) > 0.97


def test_large_image_is_cut_at_its_own_size(ball: Any) -> None:
    big = np.array(ball.image.resize((2400, 1800)))
    mask, _ = cut_out(big, Box(*(side * 4 for side in ball.box)), seed=0)
    assert mask.shape == (1800, 2400)
    assert _iou(mask, np.array(ball.mask.resize((2400, 1800))) > 127) > 0.95


def test_same_seed_gives_the_same_mask(ball: Any) -> None:
    first, second = (cut_out(ball.rgb, ball.box, seed=7)[0] for _ in range(2))
    assert (first == second).all()


def test_nothing_outside_the_box(ball: Any) -> None:
    mask, _ = cut_out(ball.rgb, Box(180, 110, 290, 330), seed=0)
    assert not mask[:, 290:].any()


def test_box_of_the_whole_image_still_cuts(ball: Any) -> None:
    mask, is_separated = cut_out(ball.rgb, Box(0, 0, 600, 450), seed=0)
    assert is_separated
    assert _iou(mask, ball.inside) > 0.9


def test_plain_surface_gives_the_whole_box_and_says_so() -> None:
    mask, is_separated = cut_out(np.full((100, 100, 3), 128, np.uint8), Box(20, 30, 60, 80), seed=0)
    assert not is_separated
    assert int((mask > 0).sum()) == 40 * 50


@pytest.mark.parametrize("size", [1, 2, 5])
def test_smallest_images(size: int) -> None:
    mask, _ = cut_out(np.zeros((size, size, 3), np.uint8), Box(0, 0, size, size), seed=0)
    assert mask.shape == (size, size)
    assert mask.any()
