"""Tests of cutting out and pasting back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from promptvision.images.crops import CELL, MAX_ASPECT, Crop, make_crop
from promptvision.images.windows import choose_window

Mask = NDArray[np.bool_]
WORK_PIXELS = 1024 * 1024


def mask_image(mask: Mask) -> Image.Image:
    return Image.fromarray(mask).convert("L")


def crop_of(image: Image.Image, mask: Mask, work_pixels: int = WORK_PIXELS, part: Mask | None = None) -> Crop:
    return make_crop(image, mask_image(mask), work_pixels, None if part is None else mask_image(part))


def painted_cells(crop: Crop) -> Mask:
    """The crop's mask at the size of its image."""
    return np.asarray(crop.mask) > 0


@st.composite
def masks(draw: st.DrawFn) -> Mask:
    """Masks of one to three rectangles, some at the border, some a pixel small."""
    height, width = draw(st.integers(1, 120)), draw(st.integers(1, 120))
    mask = np.zeros((height, width), bool)
    for _ in range(draw(st.integers(1, 3))):
        top, left = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
        mask[top : top + draw(st.integers(1, height)), left : left + draw(st.integers(1, width))] = True
    return mask


def noise(size: tuple[int, int], mode: str, seed: int = 0) -> Image.Image:
    values = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 4), dtype=np.uint8)
    image = Image.fromarray(values)
    return image if mode == "RGBA" else image.convert(mode)


@given(mask=masks(), mode=st.sampled_from(["L", "LA", "RGB", "RGBA"]))
@settings(max_examples=80, deadline=None)
def test_pasting_changes_no_pixel_outside_the_mask(mask: Mask, mode: str) -> None:
    image = noise(mask.shape[::-1], mode)
    crop = crop_of(image, mask, work_pixels=64 * 64)
    result = crop.paste(image, mask_image(mask), noise(crop.image.size, "RGB", seed=1))
    assert result.size == image.size
    assert result.mode == image.mode
    assert np.array_equal(np.asarray(result)[~mask], np.asarray(image)[~mask])


@given(mask=masks())
@settings(max_examples=80, deadline=None)
def test_crop_holds_the_mask_at_sides_of_multiples_of_8(mask: Mask) -> None:
    image = noise(mask.shape[::-1], "RGB")
    crop = crop_of(image, mask, work_pixels=128 * 128)
    left, top, right, bottom = crop.window
    assert mask[top:bottom, left:right].sum() == mask.sum()
    assert crop.image.width % CELL == crop.image.height % CELL == 0
    assert crop.mask.size == crop.image.size
    touched = Image.fromarray(mask[top:bottom, left:right]).convert("L")
    _, _, *size = crop.content
    scaled = np.asarray(touched.resize((size[0], size[1]), Image.Resampling.BOX)) > 0
    assert painted_cells(crop)[: size[1], : size[0]][scaled].all()
    assert not painted_cells(crop)[size[1] :].any()
    assert not painted_cells(crop)[:, size[0] :].any()


@pytest.mark.parametrize("size", [(3000, 2000), (2000, 3000), (5000, 600)])
def test_crop_is_about_a_megapixel_and_not_squashed(size: tuple[int, int]) -> None:
    mask = np.zeros(size[::-1], bool)
    mask[200:420, 700:1300] = True
    crop = crop_of(Image.new("RGB", size), mask)
    left, top, right, bottom = crop.window
    assert crop.image.width * crop.image.height == pytest.approx(1024 * 1024, rel=0.02)
    scale_x, scale_y = crop.image.width / (right - left), crop.image.height / (bottom - top)
    assert scale_x == pytest.approx(scale_y, rel=0.02)


def test_one_pixel_is_still_painted() -> None:
    mask = np.zeros((1000, 1000), bool)
    mask[300, 400] = True
    crop = crop_of(noise((1000, 1000), "RGB"), mask)
    assert (np.asarray(crop.cells) > 0).sum() >= 9


def test_painting_makes_a_transparent_image_opaque_where_it_paints() -> None:
    image = Image.new("RGBA", (60, 60), (10, 20, 30, 0))
    mask = np.zeros((60, 60), bool)
    mask[10:50, 10:50] = True
    crop = crop_of(image, mask, work_pixels=64 * 64)
    result = crop.paste(image, mask_image(mask), Image.new("RGB", crop.image.size, (200, 100, 50)))
    assert result.getpixel((30, 30)) == (200, 100, 50, 255)
    assert result.getpixel((5, 5)) == (10, 20, 30, 0)


@pytest.mark.parametrize("size", [(16384, 1), (1, 5000), (2000, 3), (700, 90)])
def test_elongated_windows_are_padded_to_what_the_model_was_trained_on(size: tuple[int, int]) -> None:
    mask = np.ones(size[::-1], bool)
    crop = crop_of(noise(size, "RGB"), mask)
    sides = sorted(crop.image.size)
    assert sides[1] <= 1.05 * MAX_ASPECT * sides[0]
    assert crop.image.width * crop.image.height == pytest.approx(WORK_PIXELS, rel=0.05)
    result = crop.paste(Image.new("RGB", size), mask_image(mask), Image.new("RGB", crop.image.size, "red"))
    assert result.getcolors() == [(size[0] * size[1], (255, 0, 0))]


def test_a_part_has_a_window_of_its_own_but_no_pixel_of_the_mask_is_left_unpainted_in_it() -> None:
    mask = np.zeros((1000, 1000), bool)
    mask[100:150, 100:150] = mask[300:350, 300:350] = True
    part = mask.copy()
    part[300:] = False
    crop = crop_of(noise((1000, 1000), "RGB"), mask, part=part)
    assert crop.window == choose_window(Image.fromarray(part).convert("L"))
    scale = crop.image.width / (crop.window[2] - crop.window[0])
    assert painted_cells(crop)[int(320 * scale), int(320 * scale)]


@pytest.mark.parametrize("wider", [1, 2, 4])
def test_a_removed_thing_leaves_no_outline(wider: int) -> None:
    """A perfect painter, and masks that are a pixel or more wider than the thing, as segmenters make them."""
    rows, columns = np.ogrid[:300, :300]
    distance = np.hypot(rows - 150, columns - 150)
    thing = Image.fromarray(np.where(distance <= 60, 255, 0).astype(np.uint8)).convert("RGB")
    mask = np.asarray(distance <= 60 + wider)
    crop = crop_of(thing, mask)
    result = np.asarray(crop.paste(thing, mask_image(mask), Image.new("RGB", crop.image.size)))
    assert result.max() == 0
