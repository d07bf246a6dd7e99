from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from promptvision.plugin import Box
from promptvision_opencv.arrays import clip_box, rgb_array, shrink


def test_transparency_shows_white() -> None:
    image = Image.new("RGBA", (2, 1), (255, 0, 0, 0))
    image.putpixel((1, 0), (0, 0, 255, 255))
    assert rgb_array(image).tolist() == [[[255, 255, 255], [0, 0, 255]]]


@pytest.mark.parametrize(
    ("shape", "expected", "factor"),
    [((300, 200), (300, 200), 1.0), ((1000, 400), (500, 200), 2.0), ((4000, 1), (500, 1), 8.0)],
)
def test_shrink(shape: tuple[int, int], expected: tuple[int, int], factor: float) -> None:
    small, found = shrink(np.zeros((*shape, 3), np.uint8), 500)
    assert small.shape[:2] == expected
    assert found == factor


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        (Box(-5, -5, 10.2, 10), Box(0, 0, 11, 10)),
        (Box(5.5, 5.5, 5.9, 5.9), Box(5, 5, 6, 6)),
        (Box(100, 0, 200, 10), None),
        (Box(0, -20, 10, 0), None),
    ],
)
def test_clip_box(box: Box, expected: Box | None) -> None:
    assert clip_box(box, 100, 50) == expected
