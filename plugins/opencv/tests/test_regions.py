from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw

from promptvision_opencv.colours import Colour, colour_named
from promptvision_opencv.prompts import Shape
from promptvision_opencv.regions import find_regions, shape_fit


def _colour(name: str) -> Colour:
    colour = colour_named(name)
    assert colour is not None
    return colour


def _near(found: Sequence[float], true: Sequence[float], pixels: float = 4) -> bool:
    return max(abs(a - b) for a, b in zip(found, true, strict=True)) <= pixels


def test_shaded_ball_is_one_region_with_its_exact_box(ball: Any) -> None:
    regions = find_regions(ball.rgb, _colour("red"), Shape.ROUND)
    assert len(regions) == 1
    assert _near(regions[0].box, ball.box)
    assert regions[0].score > 0.6


def test_box_is_not_a_ball_and_ball_not_a_box(ball: Any, box: Any) -> None:
    assert find_regions(ball.rgb, _colour("red"), Shape.SQUARE) == []
    assert find_regions(box.rgb, _colour("blue"), Shape.ROUND) == []
    assert _near(find_regions(box.rgb, _colour("blue"), Shape.SQUARE)[0].box, box.box)


def test_absent_colour_gives_nothing(ball: Any) -> None:
    assert find_regions(ball.rgb, _colour("green")) == []


def test_big_image_gives_boxes_in_its_own_pixels(box: Any) -> None:
    big = box.image.resize((box.image.width * 5, box.image.height * 5))
    found = find_regions(np.array(big), _colour("blue"))[0].box
    assert _near(found, [side * 5 for side in box.box], 12)


def test_several_objects_are_sorted_best_first() -> None:
    image = Image.new("RGB", (640, 400), "white")
    draw = ImageDraw.Draw(image)
    draw.ellipse((40, 40, 180, 180), fill=(250, 210, 20))
    draw.ellipse((300, 60, 312, 72), fill=(250, 210, 20))
    regions = find_regions(np.array(image), _colour("yellow"))
    assert len(regions) == 2
    assert regions[0].score > regions[1].score
    assert regions[0].box.area > regions[1].box.area


def test_background_scores_less_than_an_object_in_front(box: Any) -> None:
    image = Image.new("RGB", (300, 300), (200, 30, 30))
    assert find_regions(np.array(image), _colour("red"))[0].score <= 0.5


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (50, 1), (3, 3)])
def test_smallest_images(size: tuple[int, int]) -> None:
    for region in find_regions(np.full((*size, 3), (200, 30, 30), np.uint8), _colour("red")):
        assert 0 <= region.box.x1 < region.box.x2 <= size[1]
        assert 0 <= region.box.y1 < region.box.y2 <= size[0]


@pytest.mark.parametrize(
    ("shape", "points"),
    [
        (Shape.ROUND, cv2.ellipse2Poly((200, 200), (100, 100), 0, 0, 360, 3)),
        (Shape.SQUARE, np.array([(100, 140), (260, 100), (300, 260), (140, 300)])),
        (Shape.TRIANGLE, np.array([(200, 60), (300, 300), (100, 280)])),
    ],
)
def test_each_shape_fits_itself_best(shape: Shape, points: np.ndarray) -> None:
    contour = points.astype(np.int32).reshape(-1, 1, 2)
    fits = {each: shape_fit(contour, each) for each in Shape}
    assert fits[shape] > 0.95
    assert max(fit for each, fit in fits.items() if each is not shape) < 0.85
