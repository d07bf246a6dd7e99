from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from promptvision.plugin import Box
from promptvision_opencv.background import find_background, find_borders
from promptvision_opencv.colours import Colour, colour_named


def _colour(name: str) -> Colour:
    colour = colour_named(name)
    assert colour is not None
    return colour


def _ball_on(ground: tuple[int, int, int], noise: int = 0) -> np.ndarray:
    image = Image.new("RGB", (300, 200), ground)
    ImageDraw.Draw(image).ellipse((100, 50, 200, 150), fill=(208, 28, 32))
    rgb = np.array(image).astype(int)
    rgb += np.random.default_rng(3).integers(-noise, noise + 1, rgb.shape)
    return rgb.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("ground", [(255, 255, 255), (0, 0, 0), (20, 200, 40), (206, 200, 189)])
@pytest.mark.parametrize("noise", [0, 8])
def test_background_is_everything_except_the_ball(ground: tuple[int, int, int], noise: int) -> None:
    rgb = _ball_on(ground, noise)
    background = find_background(rgb)
    assert background is not None
    y, x = np.mgrid[:200, :300]
    distance = np.hypot(x - 150, y - 100)
    assert not background[distance < 48].any()
    assert background[distance > 55].mean() > 0.97


def test_background_must_have_the_requested_colour() -> None:
    rgb = _ball_on((20, 200, 40))
    assert find_background(rgb, _colour("green")) is not None
    assert find_background(rgb, _colour("blue")) is None


def test_photograph_without_a_plain_edge_has_no_background(portrait: np.ndarray, cat: np.ndarray) -> None:
    assert find_background(portrait) is None


def test_enclosed_patch_of_the_same_colour_is_not_background() -> None:
    image = Image.new("RGB", (200, 200), "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((50, 50, 150, 150), fill="red")
    draw.rectangle((80, 80, 120, 120), fill="white")
    background = find_background(np.array(image))
    assert background is not None
    assert not background[100, 100]
    assert background[10, 10]


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (4, 4)])
def test_smallest_images(size: tuple[int, int]) -> None:
    background = find_background(np.full((*size, 3), 90, np.uint8))
    assert background is not None
    assert background.all()


def _photo() -> np.ndarray:
    return np.random.default_rng(0).integers(60, 250, (200, 300, 3)).astype(np.uint8)


def test_borders_above_and_below() -> None:
    rgb = _photo()
    rgb[:30], rgb[-20:] = 0, 0
    assert find_borders(rgb, _colour("black")) == [Box(0, 0, 300, 30), Box(0, 180, 300, 200)]
    assert find_borders(rgb, _colour("white")) == []


def test_borders_all_around() -> None:
    rgb = _photo()
    rgb[:10], rgb[-10:], rgb[:, :10], rgb[:, -10:] = (255,) * 4
    assert find_borders(rgb, _colour("white")) == [
        Box(0, 0, 300, 10),
        Box(0, 190, 300, 200),
        Box(0, 10, 10, 190),
        Box(290, 10, 300, 190),
    ]


def test_image_of_one_colour_has_no_border() -> None:
    assert find_borders(np.zeros((50, 50, 3), np.uint8), _colour("black")) == []
