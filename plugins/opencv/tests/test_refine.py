from __future__ import annotations

import numpy as np
import pytest

from promptvision_opencv.refine import SMALLEST_REGION, merge, refine


def _square(left: int, top: int, side: int, size: int = 100) -> np.ndarray:
    mask = np.zeros((size, size), np.uint8)
    mask[top : top + side, left : left + side] = 255
    return mask


def test_merge_is_the_union() -> None:
    both = merge([_square(10, 10, 20), _square(50, 50, 30)])
    assert both.dtype == np.uint8
    assert int((both == 255).sum()) == 400 + 900


@pytest.mark.parametrize("masks", [[], [np.zeros((2, 2), np.uint8), np.zeros((3, 2), np.uint8)]])
def test_merge_needs_masks_of_one_size(masks: list[np.ndarray]) -> None:
    with pytest.raises(ValueError, match="one size"):
        merge(masks)


def test_refined_mask_is_slightly_wider_and_covers_the_original() -> None:
    mask = _square(30, 30, 40)
    refined = refine(mask)
    assert set(np.unique(refined)) == {0, 255}
    grown = int((refined > 0).sum()) - 1600
    assert 0 < grown < 40 * 4 * 2
    assert refined[32:68, 32:68].all()


def test_noise_and_specks_are_removed() -> None:
    mask = _square(30, 30, 40)
    mask[5, 5] = 255
    mask[80:84, 80:84] = 255
    assert SMALLEST_REGION > 16
    assert not refine(mask)[:20, :20].any()
    assert not refine(mask)[76:, 76:].any()


def test_region_of_twenty_pixels_and_more_stays() -> None:
    mask = np.zeros((60, 60), np.uint8)
    mask[20:26, 20:26] = 255
    assert refine(mask)[23, 23] == 255


def test_cracks_are_closed() -> None:
    mask = _square(30, 30, 40)
    mask[50, 30:70] = 0
    assert refine(mask)[50, 34:66].all()


def test_grey_values_are_cut_at_127() -> None:
    mask = np.full((40, 40), 127, np.uint8)
    assert not refine(mask).any()
    assert refine(mask + 1).all()


def test_mask_at_the_border_reaches_the_border() -> None:
    refined = refine(_square(0, 0, 40))
    assert refined[:30, 0].all()
    assert refined[0, :30].all()


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (2, 2)])
def test_smallest_masks(size: tuple[int, int]) -> None:
    assert refine(np.zeros(size, np.uint8)).shape == size
