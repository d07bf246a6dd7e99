from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from promptvision_opencv.remove import remove


def _gradient() -> np.ndarray:
    ramp = np.linspace(60, 200, 300)[None, :, None] * np.ones((200, 1, 3))
    return ramp.astype(np.uint8)


@pytest.mark.parametrize("radius", [3, 40])
def test_thing_on_a_smooth_ground_vanishes(radius: int) -> None:
    ground = _gradient()
    mask_image = Image.new("L", (300, 200))
    ImageDraw.Draw(mask_image).ellipse((150 - radius, 100 - radius, 150 + radius, 100 + radius), fill=255)
    mask = np.array(mask_image)
    scene = ground.copy()
    scene[mask > 0] = (200, 20, 20)
    filled = remove(scene, mask, seed=0)
    assert np.abs(filled.astype(int) - ground).max() < 20


def test_outside_is_bit_identical_and_nothing_red_is_left(ball: Any) -> None:
    mask = np.array(ball.mask)
    filled = remove(ball.rgb, mask, seed=0)
    assert (filled[mask == 0] == ball.rgb[mask == 0]).all()
    red, green = filled[mask > 0][:, 0].astype(int), filled[mask > 0][:, 1].astype(int)
    assert (red - green).max() < 60


def test_same_seed_gives_the_same_picture(ball: Any) -> None:
    mask = np.array(ball.mask)
    assert (remove(ball.rgb, mask, seed=3) == remove(ball.rgb, mask, seed=3)).all()


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (40, 40)])
def test_mask_of_the_whole_picture_does_not_break(size: tuple[int, int]) -> None:
    assert remove(np.full((*size, 3), 99, np.uint8), np.full(size, 255, np.uint8), seed=0).shape == (*size, 3)
