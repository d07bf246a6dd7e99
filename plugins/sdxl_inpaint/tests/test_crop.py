"""Tests of cutting out and pasting back."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from promptvision_sdxl_inpaint.crop import FEATHER, LATENT, choose_window, feather, make_crop, paste

Mask = NDArray[np.bool_]


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
    picture = noise(mask.shape[::-1], mode)
    crop = make_crop(picture, mask, work_pixels=64 * 64)
    result = paste(picture, mask, crop, noise(crop.picture.size, "RGB", seed=1))
    assert result.size == picture.size
    assert result.mode == picture.mode
    assert np.array_equal(np.asarray(result)[~mask], np.asarray(picture)[~mask])


@given(mask=masks())
@settings(max_examples=80, deadline=None)
def test_crop_holds_the_mask_at_sides_of_multiples_of_8(mask: Mask) -> None:
    picture = noise(mask.shape[::-1], "RGB")
    crop = make_crop(picture, mask, work_pixels=128 * 128)
    left, top, right, bottom = crop.window
    assert mask[top:bottom, left:right].sum() == mask.sum()
    assert crop.picture.width % LATENT == crop.picture.height % LATENT == 0
    assert crop.mask.shape == crop.picture.size[::-1]
    touched = Image.fromarray(mask[top:bottom, left:right]).convert("L")
    scaled = np.asarray(touched.resize(crop.picture.size, Image.Resampling.BOX)) > 0
    assert crop.mask[scaled].all()


@given(mask=masks())
@settings(max_examples=80, deadline=None)
def test_feather_is_nothing_outside_and_full_deep_inside(mask: Mask) -> None:
    share = feather(mask)
    assert (share[~mask] == 0).all()
    assert (share[mask] > 0).all()
    assert share.max() == 1


def test_feather_rises_inside_the_edge() -> None:
    mask = np.zeros((40, 40), bool)
    mask[10:30, 10:30] = True
    row = feather(mask)[20, 8:20]
    steps = [(step + 1) / (FEATHER + 1) for step in range(FEATHER + 1)]
    assert row.tolist() == pytest.approx([0, 0, *steps, *[1] * (10 - len(steps))])


def test_feather_does_not_fade_at_the_image_border_nor_in_thin_parts() -> None:
    assert (feather(np.ones((30, 30), bool)) == 1).all()
    line = np.zeros((30, 30), bool)
    line[15, 3:27] = True
    assert (feather(line)[line] == 1).all()


@pytest.mark.parametrize("size", [(3000, 2000), (2000, 3000), (5000, 600)])
def test_crop_is_about_a_megapixel_and_not_squashed(size: tuple[int, int]) -> None:
    mask = np.zeros(size[::-1], bool)
    mask[200:420, 700:1300] = True
    crop = make_crop(Image.new("RGB", size), mask)
    left, top, right, bottom = crop.window
    assert crop.picture.width * crop.picture.height == pytest.approx(1024 * 1024, rel=0.02)
    scale_x, scale_y = crop.picture.width / (right - left), crop.picture.height / (bottom - top)
    assert scale_x == pytest.approx(scale_y, rel=0.02)


def test_window_has_margin_and_keeps_within_the_image() -> None:
    mask = np.zeros((2000, 3000), bool)
    mask[500:1500, 1000:2000] = True
    assert choose_window(mask) == (500, 0, 2500, 2000)
    corner = np.zeros((2000, 3000), bool)
    corner[-1, -1] = True
    assert choose_window(corner) == (3000 - 512, 2000 - 512, 3000, 2000)


def test_one_pixel_is_still_painted(noise_image: Callable[..., Image.Image]) -> None:
    mask = np.zeros((1000, 1000), bool)
    mask[300, 400] = True
    crop = make_crop(noise_image((1000, 1000)), mask)
    assert crop.latents.sum() >= 9


def test_painting_makes_a_transparent_image_opaque_where_it_paints() -> None:
    picture = Image.new("RGBA", (60, 60), (10, 20, 30, 0))
    mask = np.zeros((60, 60), bool)
    mask[10:50, 10:50] = True
    crop = make_crop(picture, mask, work_pixels=64 * 64)
    result = paste(picture, mask, crop, Image.new("RGB", crop.picture.size, (200, 100, 50)))
    assert result.getpixel((30, 30)) == (200, 100, 50, 255)
    assert result.getpixel((5, 5)) == (10, 20, 30, 0)
