from __future__ import annotations

import numpy as np
import pytest

from promptvision_opencv.colours import COLOURS, Colour, colour_named, fitness, hsv, name_pixels


@pytest.mark.parametrize("colour", COLOURS, ids=lambda colour: colour.name)
def test_typical_value_of_a_colour_has_its_name(colour: Colour) -> None:
    pixels = hsv(np.full((2, 2, 3), colour.rgb, np.uint8))
    assert COLOURS[name_pixels(pixels)[0, 0]] is colour
    assert fitness(pixels, colour).min() == pytest.approx(1)


@pytest.mark.parametrize("name", ["red", "green", "blue", "purple", "turquoise"])
def test_shade_keeps_the_name(name: str) -> None:
    colour = colour_named(name)
    assert colour is not None
    shades = np.array([[np.multiply(colour.rgb, light) for light in (1, 0.8, 0.6, 0.4)]])
    assert {COLOURS[n].name for n in name_pixels(hsv(shades.astype(np.uint8))).ravel()} == {name}


def test_relaxed_colour_reaches_into_the_dark() -> None:
    red = colour_named("red")
    assert red is not None
    dark = hsv(np.full((1, 1, 3), (38, 5, 6), np.uint8))
    assert fitness(dark, red.relaxed())[0, 0] > 0.6 > fitness(dark, red)[0, 0]


def test_red_goes_through_the_end_of_the_circle() -> None:
    red = colour_named("crimson")
    assert red is not None
    both = np.array([[(210, 20, 50), (210, 50, 20)]], np.uint8)
    assert (fitness(hsv(both), red) > 0.9).all()


def test_unknown_word() -> None:
    assert colour_named("lion") is None
