"""Pasting generated pixels: nothing outside the mask changes, and the edge is blended inside it."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from promptvision.images.paste import feather, paste_inside
from promptvision.images.windows import choose_window


@st.composite
def masks(draw: st.DrawFn) -> Image.Image:
    """Masks of one to three rectangles, some at the border, some a pixel small."""
    mask = Image.new("L", (draw(st.integers(1, 120)), draw(st.integers(1, 120))))
    for _ in range(draw(st.integers(1, 3))):
        left, top = draw(st.integers(0, mask.width - 1)), draw(st.integers(0, mask.height - 1))
        mask.paste(255, (left, top, left + draw(st.integers(1, 120)), top + draw(st.integers(1, 120))))
    return mask


def noise(size: tuple[int, int], mode: str, seed: int = 0) -> Image.Image:
    values = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 4), dtype=np.uint8)
    image = Image.fromarray(values)
    return image if mode == "RGBA" else image.convert(mode)


def levels(image: Image.Image) -> NDArray[np.uint8]:
    return np.asarray(image)


@given(mask=masks(), mode=st.sampled_from(["L", "LA", "RGB", "RGBA"]), scale=st.sampled_from([1, 2]))
@settings(max_examples=80, deadline=None)
def test_pasting_changes_no_pixel_outside_the_mask(mask: Image.Image, mode: str, scale: int) -> None:
    image = noise(mask.size, mode)
    window = choose_window(mask)
    painted = noise(((window[2] - window[0]) * scale, (window[3] - window[1]) * scale), "RGB", seed=1)
    result = paste_inside(image, mask, painted, window)
    outside = levels(mask) == 0
    assert (result.size, result.mode) == (image.size, image.mode)
    assert np.array_equal(levels(result)[outside], levels(image)[outside])


def test_inside_is_what_was_painted() -> None:
    image, painted = noise((60, 40), "RGB"), noise((60, 40), "RGB", seed=1)
    mask = Image.new("L", image.size)
    mask.paste(255, (10, 10, 30, 30))
    result = levels(paste_inside(image, mask, painted))
    assert np.array_equal(result[11:29, 11:29], levels(painted)[11:29, 11:29])
    mean = (levels(image)[10, 12].astype(int) + levels(painted)[10, 12]) / 2
    assert np.abs(result[10, 12] - mean).max() <= 1, "the outermost pixels are half of each"


def test_transparent_image_becomes_opaque_where_it_is_painted() -> None:
    image = Image.new("RGBA", (20, 20), (1, 2, 3, 0))
    mask = Image.new("L", image.size, 255)
    assert paste_inside(image, mask, Image.new("RGB", (20, 20), "red")).getpixel((9, 9)) == (255, 0, 0, 255)


@given(mask=masks())
@settings(max_examples=80, deadline=None)
def test_feather_is_nothing_outside_and_full_deep_inside(mask: Image.Image) -> None:
    share, inside = levels(feather(mask)), levels(mask) > 0
    assert (share[~inside] == 0).all()
    assert (share[inside] > 0).all()
    assert share.max() == 255


def test_feather_rises_inside_the_edge() -> None:
    mask = Image.new("L", (40, 40))
    mask.paste(255, (10, 10, 30, 30))
    assert levels(feather(mask))[20, 8:20].tolist() == [0, 0, 128, *[255] * 9]


def test_feather_does_not_fade_at_the_image_border_nor_in_thin_parts() -> None:
    assert (levels(feather(Image.new("L", (30, 30), 255))) == 255).all()
    line = Image.new("L", (30, 30))
    line.paste(255, (3, 15, 27, 16))
    assert np.array_equal(levels(feather(line)), levels(line))
