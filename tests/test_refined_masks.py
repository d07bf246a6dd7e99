"""promptvision-sam and promptvision-opencv refine masks alike, since edits accept the masks of both."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from promptvision_opencv import refine as opencv
from promptvision_sam import refine as sam

BLOCKS = arrays.arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12)))


@settings(max_examples=50)
@given(BLOCKS, st.integers(1, 8))
def test_refined_masks_are_equal(blocks: np.ndarray, side: int) -> None:
    mask = np.kron(blocks, np.ones((side, side), np.uint8))
    assert np.array_equal(sam.refine(mask), opencv.refine(mask))


def test_smallest_regions_are_equal() -> None:
    assert sam.SMALLEST_REGION == opencv.SMALLEST_REGION
