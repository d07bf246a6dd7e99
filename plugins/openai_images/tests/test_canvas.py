"""Placing an image on a canvas and extracting it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from promptvision_openai_images.canvas import SIZES, make_canvas


@given(width=st.integers(1, 4000), height=st.integers(1, 4000))
@settings(max_examples=100, deadline=None)
def test_content_lies_on_the_canvas_and_keeps_its_aspect(width: int, height: int) -> None:
    canvas = make_canvas((width, height))
    left, top, right, bottom = canvas.content
    assert canvas.size in SIZES.values()
    assert 0 <= left < right <= canvas.size[0]
    assert 0 <= top < bottom <= canvas.size[1]
    assert right - left == canvas.size[0] or bottom - top == canvas.size[1]
    assert abs((right - left) * height - (bottom - top) * width) <= max(width, height)


@pytest.mark.parametrize(
    ("size", "name"), [((100, 100), "square"), ((300, 200), "landscape"), ((200, 300), "portrait")]
)
def test_format_is_that_of_the_image(size: tuple[int, int], name: str) -> None:
    assert make_canvas(size).size == SIZES[name]


@pytest.mark.parametrize("size", [(160, 120), (90, 300), (1, 1)])
def test_placed_image_is_extracted(size: tuple[int, int]) -> None:
    image = Image.radial_gradient("L").resize(size).convert("RGB")
    canvas = make_canvas(size)
    placed = canvas.place(image)
    assert placed.size == canvas.size
    back = np.asarray(canvas.take(placed), int)
    assert np.abs(back - np.asarray(image, int)).mean() < 2
    smaller = canvas.take(placed.resize((canvas.size[0] // 2, canvas.size[1] // 2)))
    assert smaller.size == size


def test_free_part_repeats_the_edge() -> None:
    image = Image.new("RGB", (100, 10), "red")
    assert make_canvas(image.size).place(image).getcolors() == [(1536 * 1024, (255, 0, 0))]


def test_mask_is_transparent_where_the_image_may_change() -> None:
    mask = Image.new("L", (1536, 1024))
    mask.paste(255, (100, 200, 300, 400))
    alpha = make_canvas(mask.size).place_mask(mask).getchannel("A")
    assert alpha.getpixel((200, 300)) == 0
    assert alpha.getpixel((99, 300)) == 255
    assert sum(alpha.histogram()[1:255]) == 0
