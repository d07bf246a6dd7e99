from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from promptvision.plugin import Point
from promptvision_opencv.point_cut import cut_at


def _iou(mask: np.ndarray, true: np.ndarray) -> float:
    return float(((mask > 0) & true).sum() / ((mask > 0) | true).sum())


@pytest.mark.parametrize("point", [(300, 230), (230, 250), (330, 180), (300, 310)])
def test_shaded_ball_is_cut_out_wherever_it_is_clicked(ball: Any, point: tuple[int, int]) -> None:
    assert _iou(cut_at(ball.rgb, Point(*point), [], seed=0), ball.inside) > 0.9


def test_box_keeps_its_corners(box: Any) -> None:
    assert _iou(cut_at(box.rgb, Point(*box.box.centroid), [], seed=0), box.inside) > 0.95


def test_large_image_is_cut_at_its_own_size(ball: Any) -> None:
    big = np.array(ball.image.resize((2400, 1800)))
    mask = cut_at(big, Point(1200, 920), [], seed=0)
    assert mask.shape == (1800, 2400)
    assert _iou(mask, np.array(ball.mask.resize((2400, 1800))) > 127) > 0.9


def test_only_the_clicked_one_of_two_alike_things_is_cut() -> None:
    image = Image.new("RGB", (300, 150), (220, 220, 216))
    draw = ImageDraw.Draw(image)
    for left in (30, 180):
        draw.ellipse((left, 40, left + 70, 110), fill=(30, 140, 60))
    mask = cut_at(np.array(image), Point(65, 75), [], seed=0) > 0
    assert mask[75, 65]
    assert not mask[:, 130:].any()


def test_background_point_parts_things_that_touch() -> None:
    image = Image.new("RGB", (300, 150), (235, 235, 230))
    draw = ImageDraw.Draw(image)
    draw.rectangle((40, 40, 149, 110), fill=(200, 60, 50))
    draw.rectangle((150, 40, 260, 110), fill=(176, 66, 60))
    mask = cut_at(np.array(image), Point(90, 75), [Point(220, 75)], seed=0) > 0
    assert mask[75, 90]
    assert not mask[75, 220]
    assert mask[45:106, 170:].mean() < 0.2


def test_same_seed_gives_the_same_mask(ball: Any) -> None:
    first, second = (cut_at(ball.rgb, Point(300, 230), [], seed=7) for _ in range(2))
    assert (first == second).all()


@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_mask_holds_its_point_in_any_image(data: st.DataObject) -> None:
    width, height = data.draw(st.integers(1, 40)), data.draw(st.integers(1, 40))
    x, y = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    levels = data.draw(st.integers(1, 255))
    noise = np.random.default_rng(data.draw(st.integers(0, 99)))
    rgb = noise.integers(0, levels, (height, width, 3), dtype=np.uint8)
    mask = cut_at(rgb, Point(x, y), [], seed=0)
    assert mask.shape == (height, width)
    assert set(np.unique(mask)) <= {0, 255}
    assert mask[y, x] == 255
