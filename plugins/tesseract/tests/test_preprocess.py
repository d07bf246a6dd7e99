from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from promptvision_tesseract import preprocess
from promptvision_tesseract.preprocess import Grey, Page

DrawPage: TypeAlias = Callable[..., Grey]
Damage: TypeAlias = Callable[[Grey], Grey]


def as_page(grey: Grey) -> Page:
    return Page(grey, np.eye(3))


def wrong_pixels(grey: Grey, right: Grey) -> int:
    return int(np.sum(np.abs(grey.astype(int) - right) > preprocess.OUTLIER_STEP))


def tilt(grey: Grey, clockwise: float) -> Grey:
    return np.asarray(Image.fromarray(grey).rotate(-clockwise, Image.Resampling.BICUBIC, fillcolor=250))


@pytest.mark.parametrize(("ink", "paper"), [(0, 255), (255, 0)])
def test_transparent_parts_become_white_or_black_for_contrast(ink: int, paper: int) -> None:
    image = Image.new("LA", (20, 20), (ink, 0))
    image.paste((ink, 255), (5, 5, 15, 15))
    grey = preprocess.to_grey(image)
    assert (grey[0, 0], grey[10, 10]) == (paper, ink)


def test_opaque_image_is_pillows_grey() -> None:
    image = Image.new("RGB", (3, 2), (200, 100, 0))
    assert np.array_equal(preprocess.to_grey(image), np.asarray(image.convert("L")))


@pytest.mark.parametrize(("ink", "paper"), [(240, 15), (250, 150), (90, 40)])
def test_light_ink_is_inverted(draw_page: DrawPage, ink: int, paper: int) -> None:
    page = draw_page(ink=ink, paper=paper)
    assert np.array_equal(preprocess.invert_dark(page), 255 - page)


@pytest.mark.parametrize(("ink", "paper"), [(20, 250), (110, 140), (10, 60)])
def test_dark_ink_is_not_inverted_even_on_dark_paper(draw_page: DrawPage, ink: int, paper: int) -> None:
    page = draw_page(ink=ink, paper=paper)
    assert preprocess.invert_dark(page) is page


def test_specks_are_removed(draw_page: DrawPage, add_specks: Damage) -> None:
    page = draw_page()
    margin = np.s_[:, :36]
    noisy = add_specks(page)
    cleaned = preprocess.remove_outliers(noisy)
    assert wrong_pixels(cleaned[margin], page[margin]) < 0.02 * wrong_pixels(noisy[margin], page[margin])
    assert wrong_pixels(cleaned, page) < 0.33 * wrong_pixels(noisy, page)


@pytest.mark.parametrize("px", [11, 12, 28])
def test_letters_are_not_specks(draw_page: DrawPage, px: int) -> None:
    page = draw_page(px=px)
    assert preprocess.remove_outliers(page) is page


def test_shadow_is_flattened_and_ink_stays(draw_page: DrawPage, shade: Damage) -> None:
    page = draw_page()
    flat = preprocess.flatten_paper(shade(page))
    assert flat[page == 250].min() > 180
    assert flat[page == 20].max() < 60


def test_even_paper_keeps_its_ink(draw_page: DrawPage) -> None:
    page = draw_page()
    flat = preprocess.flatten_paper(page).astype(int)
    assert np.abs(flat - page).max() <= 10


def test_low_contrast_is_stretched(draw_page: DrawPage) -> None:
    stretched = preprocess.stretch_contrast(draw_page(ink=110, paper=140))
    assert (stretched.min(), stretched.max()) == (0, 255)


def test_blank_paper_is_not_stretched() -> None:
    blank = np.random.default_rng(1).integers(200, 206, (50, 50)).astype(np.uint8)
    assert preprocess.stretch_contrast(blank) is blank


@pytest.mark.parametrize("sigma", [4, 10, 25])
def test_noise_is_measured_in_spite_of_letters(
    draw_page: DrawPage, make_noisy: Callable[[Grey, float], Grey], sigma: float
) -> None:
    page = make_noisy(draw_page(ink=60, paper=160), sigma)
    assert preprocess.noise_sigma(page) == pytest.approx(sigma, rel=0.25)


def test_strong_noise_is_reduced(draw_page: DrawPage, make_noisy: Callable[[Grey, float], Grey]) -> None:
    page = draw_page(ink=60, paper=160)
    noisy = make_noisy(page, 25)
    cleaned = preprocess.denoise(noisy)
    blank = page == 160
    assert np.std(cleaned[blank]) < 0.5 * np.std(noisy[blank])


@pytest.mark.parametrize("sigma", [0, 5])
def test_weak_noise_is_kept(
    draw_page: DrawPage, make_noisy: Callable[[Grey, float], Grey], sigma: float
) -> None:
    page = make_noisy(draw_page(ink=60, paper=160), sigma)
    assert preprocess.denoise(page) is page


@pytest.mark.parametrize(("px", "lowest", "highest"), [(12, 24, 36), (200, 30, 50)])
def test_letters_are_scaled_to_a_readable_height(
    draw_page: DrawPage, px: int, lowest: int, highest: int
) -> None:
    page = as_page(draw_page(("Harbour", "Ledger"), px=px, size=(1000, 760)))
    scaled = preprocess.scale_letters(page)
    height = preprocess.glyph_height(scaled.grey)
    assert height is not None
    assert lowest <= height <= highest


@pytest.mark.parametrize("px", [32, 60])
def test_readable_letters_keep_their_size(draw_page: DrawPage, px: int) -> None:
    page = as_page(draw_page(px=px, size=(1400, 700)))
    assert preprocess.scale_letters(page) is page


def test_page_without_letters_keeps_its_size() -> None:
    page = as_page(np.full((40, 40), 255, np.uint8))
    assert preprocess.scale_letters(page) is page


def test_scaled_page_maps_its_corners_to_those_of_the_original(draw_page: DrawPage) -> None:
    page = as_page(draw_page(px=12, size=(501, 203)))
    scaled = preprocess.scale_letters(page)
    height, width = scaled.grey.shape
    assert scaled.to_original @ [width, height, 1] == pytest.approx([501, 203, 1])


@pytest.mark.parametrize("clockwise", [-14.0, -3.0, 1.0, 7.5, 18.0])
def test_skew_is_found_to_a_third_of_a_degree(draw_page: DrawPage, clockwise: float) -> None:
    assert preprocess.skew_angle(tilt(draw_page(), clockwise)) == pytest.approx(-clockwise, abs=0.33)


def test_tilted_page_is_levelled(draw_page: DrawPage) -> None:
    levelled = preprocess.deskew(as_page(tilt(draw_page(), 9)))
    assert abs(preprocess.skew_angle(levelled.grey)) <= 0.3


def test_level_page_is_not_turned(draw_page: DrawPage) -> None:
    page = as_page(draw_page())
    assert preprocess.deskew(page) is page


def test_blank_page_is_not_turned() -> None:
    page = as_page(np.full((100, 80), 200, np.uint8))
    assert preprocess.deskew(page) is page


def test_border_has_the_colour_of_the_paper(draw_page: DrawPage) -> None:
    page = preprocess.add_border(as_page(draw_page(paper=140, size=(300, 100))))
    assert page.grey.shape == (140, 340)
    assert (page.grey[:20] == 140).all()
    assert page.to_original @ [20, 20, 1] == pytest.approx([0, 0, 1])


@pytest.mark.parametrize(("degrees", "quarters"), [(90, -1), (180, 2), (270, 1)])
def test_quarter_turns_move_pixels_without_mixing_them(degrees: int, quarters: int) -> None:
    grey = np.random.default_rng(3).integers(0, 256, (13, 22)).astype(np.uint8)
    assert np.array_equal(preprocess.rotate(as_page(grey), degrees).grey, np.rot90(grey, quarters))


@settings(max_examples=50, deadline=None)
@given(
    degrees=st.floats(-360, 360),
    width=st.integers(60, 200),
    height=st.integers(60, 200),
    x=st.floats(0.1, 0.9),
    y=st.floats(0.1, 0.9),
)
def test_transform_to_the_original_is_exact(
    degrees: float, width: int, height: int, x: float, y: float
) -> None:
    grey = np.full((height, width), 255, np.uint8)
    left, top = int(x * (width - 6)), int(y * (height - 6))
    grey[top : top + 6, left : left + 6] = 0
    turned = preprocess.rotate(as_page(grey), degrees)
    rows, columns = np.nonzero(turned.grey < 128)
    spot = turned.to_original @ [columns.mean() + 0.5, rows.mean() + 0.5, 1]
    assert spot[:2] == pytest.approx([left + 3, top + 3], abs=0.6)


@settings(max_examples=30, deadline=None)
@given(width=st.integers(1, 40), height=st.integers(1, 40), seed=st.integers(0, 99))
def test_any_small_image_passes_every_step(width: int, height: int, seed: int) -> None:
    grey = np.random.default_rng(seed).integers(0, 256, (height, width)).astype(np.uint8)
    for step in (
        preprocess.invert_dark,
        preprocess.remove_outliers,
        preprocess.flatten_paper,
        preprocess.stretch_contrast,
        preprocess.denoise,
    ):
        grey = step(grey)
        assert grey.shape == (height, width)
        assert grey.dtype == np.uint8
    page = preprocess.add_border(preprocess.deskew(preprocess.scale_letters(as_page(grey))))
    assert page.grey.dtype == np.uint8


@pytest.mark.parametrize("shape", [(1, 16384), (1, 2000), (2000, 1), (8, 16384), (1, 1)])
def test_lines_of_few_pixels_are_prepared(shape: tuple[int, int]) -> None:
    assert preprocess._shrink(np.full(shape, 200, np.uint8), 1000).size > 0
