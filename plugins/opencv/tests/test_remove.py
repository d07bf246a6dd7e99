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
def test_object_on_a_smooth_ground_is_removed(radius: int) -> None:
    ground = _gradient()
    mask_image = Image.new("L", (300, 200))
    ImageDraw.Draw(mask_image).ellipse((150 - radius, 100 - radius, 150 + radius, 100 + radius), fill=255)
    mask = np.array(mask_image)
    scene = ground.astype(np.uint8)
    scene[mask > 0] = (200, 20, 20)
    filled = remove(scene, mask)
    assert np.abs(filled.astype(int) - ground).max() < 20


def test_outside_is_bit_identical_and_nothing_red_is_left(ball: Any) -> None:
    mask = np.array(ball.mask)
    filled = remove(ball.rgb, mask)
    assert (filled[mask == 0] == ball.rgb[mask == 0]).all()
    red, green = filled[mask > 0][:, 0].astype(int), filled[mask > 0][:, 1].astype(int)
    assert (red - green).max() < 60


def test_same_arguments_give_the_same_image(ball: Any) -> None:
    mask = np.array(ball.mask)
    assert (remove(ball.rgb, mask) == remove(ball.rgb, mask)).all()


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (40, 40)])
def test_mask_of_the_whole_image(size: tuple[int, int]) -> None:
    assert remove(np.full((*size, 3), 99, np.uint8), np.full(size, 255, np.uint8)).shape == (*size, 3)


def test_edge_between_two_grounds_continues_behind_the_object() -> None:
    noise = np.random.default_rng(4).integers(-12, 12, (240, 320, 1))
    ground = np.where(np.arange(240)[:, None, None] < 120, (225, 215, 195), (120, 80, 45)) + noise
    mask = np.zeros((240, 320), np.uint8)
    mask[70:170, 110:210] = 255
    scene = ground.astype(np.uint8)
    scene[mask > 0] = (20, 40, 200)
    filled = remove(scene, mask).astype(np.int64)
    far_above, far_below = (
        filled[75:112, 115:205].mean(axis=(0, 1)),
        filled[128:165, 115:205].mean(axis=(0, 1)),
    )
    assert np.abs(far_above - (225, 215, 195)).max() < 12
    assert np.abs(far_below - (120, 80, 45)).max() < 12
    assert filled[80:110, 120:200, 0].std() > 4, "the grain of the ground is kept"


def test_stops_when_check_raises() -> None:
    def stop() -> None:
        raise InterruptedError

    mask = np.zeros((200, 200), np.uint8)
    mask[60:140, 60:140] = 255
    with pytest.raises(InterruptedError):
        remove(np.full((200, 200, 3), 90, np.uint8), mask, stop)
