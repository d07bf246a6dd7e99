from __future__ import annotations

from collections.abc import Callable

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from promptvision_tesseract.contrast import (
    contrast_page,
    count_pieces,
    has_unread_ink,
    remove_leaders,
    remove_rules,
)
from promptvision_tesseract.preprocess import Grey


def as_rgb(grey: Grey) -> Grey:
    return np.repeat(grey[..., None], 3, axis=2)


def test_light_and_dark_parts_get_one_polarity(draw_page: Callable[..., Grey]) -> None:
    page = draw_page(("Harbour", "Ledger"), size=(400, 300))
    mixed = np.concatenate([page[:150], 255 - page[150:]])
    bare = contrast_page(as_rgb(mixed))
    assert bare[60:140, 300:].min() > 200
    assert bare[200:, 300:].min() > 200
    assert bare[page < 60].mean() < 60


def test_colours_of_equal_brightness_are_distinguished() -> None:
    image = np.full((100, 200, 3), (70, 90, 230), np.uint8)
    image[45:55, 80:120] = (150, 86, 20)
    bare = contrast_page(image)
    assert bare[50, 100] < 20
    assert bare[10, 10] == 255


def test_blank_image_has_no_ink() -> None:
    assert (contrast_page(np.full((30, 40, 3), 90, np.uint8)) == 255).all()


def test_rules_are_removed_and_letters_stay(draw_page: Callable[..., Grey]) -> None:
    page = draw_page(("Harbour",), size=(400, 140)).copy()
    ruled = page.copy()
    ruled[100:103, 10:390] = 0
    ruled[5:135, 12:14] = 0
    cleared = remove_rules(ruled)
    assert cleared[95:110, 20:].min() > 200
    assert np.array_equal(cleared[40:90, 30:], page[40:90, 30:])


def test_leaders_are_removed_and_a_full_stop_stays(draw_page: Callable[..., Grey]) -> None:
    page = draw_page(("Apples....................7", "Ends here."), size=(500, 140))
    cleared = remove_leaders(page)
    changed = np.flatnonzero((cleared != page).any(axis=1))
    assert len(changed) > 0
    assert changed.max() < 40 + 28 * 1.5
    assert int((cleared < 140).sum()) > 0.6 * int((page < 140).sum())


def test_ink_outside_boxes_is_detected(draw_page: Callable[..., Grey]) -> None:
    page = draw_page(("Harbour", "Ledger"), size=(400, 140))
    assert has_unread_ink(page, [])
    assert has_unread_ink(page, [(30, 35, 380, 80)])
    assert not has_unread_ink(page, [(30, 35, 380, 80), (30, 80, 380, 135)])
    assert not has_unread_ink(np.full((50, 50), 255, np.uint8), [])


def test_pieces_of_ink_are_counted_without_specks(draw_page: Callable[..., Grey]) -> None:
    page = draw_page(("OPEN",), size=(400, 140)).copy()
    page[5, 5] = 0
    assert count_pieces(page) == 4
    assert count_pieces(np.full((50, 50), 255, np.uint8)) == 0


@settings(max_examples=25, deadline=None)
@given(width=st.integers(1, 40), height=st.integers(1, 40), seed=st.integers(0, 99))
def test_any_small_image_passes(width: int, height: int, seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)
    bare = remove_leaders(remove_rules(contrast_page(image)))
    assert bare.shape == (height, width)
    assert has_unread_ink(bare, [(0, 0, width, height)]) is False
