from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from promptvision.plugin import Box
from promptvision.testing import make_context, run_tool
from promptvision_opencv.colour_cut import cut_by_colour, share_of_colour, without_other_colours
from promptvision_opencv.colours import Colour, colour_named
from promptvision_opencv.plugin import SEGMENT_TOOL


def _colour(name: str) -> Colour:
    colour = colour_named(name)
    assert colour is not None
    return colour


@pytest.fixture
def disc_on_box() -> Image.Image:
    """A red disc on a blue rectangle on grey."""
    image = Image.new("RGB", (400, 300), (200, 195, 190))
    draw = ImageDraw.Draw(image)
    draw.rectangle((100, 60, 300, 240), fill=(40, 80, 200))
    draw.ellipse((150, 100, 250, 200), fill=(208, 28, 32))
    return image


def _iou(mask: np.ndarray, true: np.ndarray) -> float:
    return float(((mask > 0) & true).sum() / ((mask > 0) | true).sum())


def test_hole_of_another_colour_stays_a_hole(disc_on_box: Image.Image) -> None:
    rgb = np.array(disc_on_box)
    cut = cut_by_colour(rgb, Box(98, 58, 303, 243), _colour("blue"))
    assert cut is not None
    assert cut[100, 110] == 255
    assert cut[150, 200] == 0


@pytest.mark.parametrize("target", ["blue box", "red disc"])
def test_object_is_cut_for_any_seed(disc_on_box: Image.Image, target: str) -> None:
    rgb = np.array(disc_on_box).astype(int)
    is_blue, is_red = rgb[..., 2] > rgb[..., 0] + 60, rgb[..., 0] > rgb[..., 2] + 60
    true = is_blue if target == "blue box" else is_red
    box = [98, 58, 303, 243] if target == "blue box" else [148, 98, 253, 203]
    for seed in range(24):
        context = make_context(seed=seed)
        made = run_tool(SEGMENT_TOOL, disc_on_box, context=context, bounding_boxes=[box], target=target)
        assert _iou(np.array(context.open(made.merged_mask_url)), np.asarray(true)) > 0.93


def test_highlight_and_shaded_side_belong_to_the_ball(ball: Any) -> None:
    cut = cut_by_colour(ball.rgb, ball.box, _colour("red"))
    assert cut is not None
    assert _iou(cut, ball.inside) > 0.95
    assert cut[170, 240] == 255, "the highlight"


def test_box_without_the_colour_gives_nothing(ball: Any) -> None:
    assert cut_by_colour(ball.rgb, ball.box, _colour("green")) is None


def test_share_of_colour(disc_on_box: Image.Image) -> None:
    rgb = np.array(disc_on_box)
    mask = np.zeros(rgb.shape[:2], np.uint8)
    assert share_of_colour(rgb, mask, _colour("red")) == 0
    mask[140:160, 160:240] = 255
    assert share_of_colour(rgb, mask, _colour("red")) == 1
    assert share_of_colour(rgb, mask, _colour("blue")) == 0


def test_widened_mask_does_not_reach_into_a_neighbour_of_another_colour(disc_on_box: Image.Image) -> None:
    rgb = np.array(disc_on_box)
    cut = cut_by_colour(rgb, Box(148, 98, 253, 203), _colour("red"))
    assert cut is not None
    kept = without_other_colours(rgb, np.full_like(cut, 255), cut, _colour("red"))
    is_blue = rgb[..., 2].astype(int) > rgb[..., 0].astype(int) + 60
    assert not kept[is_blue].any()
    assert (kept[cut > 0] == 255).all()
