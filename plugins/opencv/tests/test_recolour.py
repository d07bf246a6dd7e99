from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from skimage.color import rgb2lab

from promptvision_opencv.colours import COLOURS, Colour, hsv, name_pixels
from promptvision_opencv.recolour import recolour


def _names(rgb: np.ndarray, inside: np.ndarray) -> dict[str, float]:
    names = name_pixels(hsv(rgb))[inside]
    return {colour.name: float((names == n).mean()) for n, colour in enumerate(COLOURS)}


@pytest.mark.parametrize("colour", COLOURS, ids=lambda colour: colour.name)
def test_ball_takes_the_colour_and_the_rest_stays(ball: Any, colour: Colour) -> None:
    mask = np.array(ball.mask)
    painted = recolour(ball.rgb, mask, colour.rgb)
    assert (painted[~ball.inside] == ball.rgb[~ball.inside]).all()
    core = ball.inside & np.roll(ball.inside, 12, axis=0) & np.roll(ball.inside, -12, axis=0)
    shares = _names(painted, core)
    assert shares["red"] < 0.1 or colour.name == "red"
    # The shaded side of a light colour has a darker colour's name: white is grey there, orange brown.
    darker = {
        "white": "grey",
        "grey": "black",
        "orange": "brown",
        "beige": "brown",
        "yellow": "brown",
        "pink": "purple",
    }
    assert shares[colour.name] + shares.get(darker.get(colour.name, ""), 0) > 0.6


@pytest.mark.parametrize("rgb", [(32, 86, 204), (246, 246, 244), (40, 152, 66)])
def test_shading_stays(ball: Any, rgb: tuple[int, int, int]) -> None:
    mask = np.array(ball.mask)
    # The highlight is left out: on white it lies on the upper end of the scale.
    inside = ball.inside & (ball.rgb.min(axis=2) < 60)
    before = rgb2lab(ball.rgb)[..., 0][inside]
    after = rgb2lab(recolour(ball.rgb, mask, rgb))[..., 0][inside]
    assert np.corrcoef(before, after)[0, 1] > 0.95


def test_highlight_stays_bright(ball: Any) -> None:
    painted = recolour(ball.rgb, np.array(ball.mask), (26, 26, 28))
    assert painted[170, 240].min() > 150
    assert painted[250, 300].max() < 60


@pytest.mark.parametrize("grey", [30, 120, 235])
def test_object_without_colour_is_painted(grey: int) -> None:
    rgb = np.full((120, 120, 3), 90, np.uint8)
    rgb[30:90, 30:90] = grey
    mask = np.zeros((120, 120), np.uint8)
    mask[30:90, 30:90] = 255
    painted = recolour(rgb, mask, (208, 28, 32))
    red, green, blue = painted[60, 60].astype(int)
    assert red > 2 * max(green, blue)


def test_edge_of_a_wide_mask_does_not_stain_the_background(ball: Any) -> None:
    wide = ball.inside.copy()
    for axis, step in ((0, 2), (0, -2), (1, 2), (1, -2)):
        wide |= np.roll(ball.inside, step, axis=axis)
    painted = recolour(ball.rgb, np.where(wide, 255, 0).astype(np.uint8), (32, 86, 204))
    ring = wide & ~ball.inside
    change = np.abs(painted[ring].astype(int) - ball.rgb[ring]).mean()
    assert change < 25


@pytest.mark.parametrize("side", [1, 2, 9])
def test_smallest_masks(side: int) -> None:
    rgb = np.full((20, 20, 3), (200, 40, 40), np.uint8)
    mask = np.zeros((20, 20), np.uint8)
    mask[5 : 5 + side, 5 : 5 + side] = 255
    painted = recolour(rgb, mask, (32, 86, 204))
    assert (painted[mask == 0] == rgb[mask == 0]).all()


def test_mask_of_the_whole_image() -> None:
    painted = recolour(
        np.full((20, 20, 3), (200, 40, 40), np.uint8), np.full((20, 20), 255, np.uint8), (32, 86, 204)
    )
    red, _, blue = painted[10, 10].astype(int)
    assert blue > 2 * red
