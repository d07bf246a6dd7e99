"""Tests of choosing windows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from promptvision.images.windows import MAX_WINDOWS, choose_window, split_mask

WORK_PIXELS = 1024 * 1024
PHOTO = (4000, 3000)


def mask_of(size: tuple[int, int], *boxes: tuple[int, int, int, int]) -> Image.Image:
    mask = Image.new("L", size)
    for box in boxes:
        mask.paste(255, box)
    return mask


def pixels(mask: Image.Image) -> NDArray[np.int_]:
    return np.asarray(mask, np.int_) // 255


def test_two_small_distant_regions_of_a_photo_have_windows_of_their_own() -> None:
    parts = split_mask(mask_of(PHOTO, (200, 200, 260, 260), (3700, 2700, 3760, 2760)), WORK_PIXELS)
    windows = sorted(choose_window(part) for part in parts)
    assert windows == [(0, 0, 512, 512), (3474, 2474, 3986, 2986)]


@pytest.mark.parametrize(
    "boxes",
    [
        [(200, 200, 260, 260), (500, 300, 560, 360)],  # both in one window at full resolution
        [(100, 100, 2000, 2900), (2100, 100, 3900, 2900)],  # one window is as good as two
        [(0, 0, 4000, 3000)],
    ],
)
def test_regions_that_lose_nothing_together_share_a_window(boxes: list[tuple[int, int, int, int]]) -> None:
    assert len(split_mask(mask_of(PHOTO, *boxes), WORK_PIXELS)) == 1


def test_many_regions_share_a_few_windows() -> None:
    corners = [(x, y) for x in (100, 500, 3400, 3900) for y in (100, 2900)]
    boxes = [(x, y, x + 40, y + 40) for x, y in corners]
    parts = split_mask(mask_of(PHOTO, *boxes), WORK_PIXELS)
    assert 1 < len(parts) <= MAX_WINDOWS
    sprinkled = mask_of(
        PHOTO, *((x, y, x + 1, y + 1) for x in range(0, 4000, 100) for y in range(0, 3000, 100))
    )
    assert len(split_mask(sprinkled, WORK_PIXELS)) == 1


@given(
    boxes=st.lists(
        st.tuples(st.integers(0, 699), st.integers(0, 499), st.integers(1, 300), st.integers(1, 300)),
        min_size=1,
        max_size=6,
    ),
    work_pixels=st.sampled_from([64 * 64, 256 * 256, WORK_PIXELS]),
)
@settings(max_examples=40, deadline=None)
def test_parts_are_disjoint_and_together_the_mask(
    boxes: list[tuple[int, int, int, int]], work_pixels: int
) -> None:
    mask = mask_of((700, 500), *((x, y, x + width, y + height) for x, y, width, height in boxes))
    parts = split_mask(mask, work_pixels)
    assert 1 <= len(parts) <= MAX_WINDOWS
    assert np.array_equal(sum(map(pixels, parts)), pixels(mask))


def test_window_has_margin_and_keeps_within_the_image() -> None:
    assert choose_window(mask_of((3000, 2000), (1000, 500, 2000, 1500))) == (500, 0, 2500, 2000)
    corner = mask_of((3000, 2000), (2999, 1999, 3000, 2000))
    assert choose_window(corner) == (3000 - 512, 2000 - 512, 3000, 2000)


def test_empty_mask_has_no_window() -> None:
    with pytest.raises(ValueError, match="the mask is empty"):
        choose_window(mask_of((30, 20)))
