from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptvision_tesseract.engine import Token
from promptvision_tesseract.placement import place
from promptvision_tesseract.preprocess import Page, rotate


def test_box_is_mapped_to_the_original_and_its_line_is_kept() -> None:
    enlarged = np.diag([0.5, 0.5, 1.0])
    word = place(Token("Exit\x07", (20, 40, 60, 50), 91, (2, 1, 3)), enlarged, 100, 100)
    assert word == Token("Exit", (10, 20, 30, 25), 91, (2, 1, 3))


def test_box_of_a_turned_page_is_the_upright_one_around_the_corners() -> None:
    turned = rotate(Page(np.full((60, 100), 255, np.uint8), np.eye(3)), 90)
    word = place(Token("Exit", (10, 20, 30, 70), 91, (1, 1, 1)), turned.to_original, 100, 60)
    assert word is not None
    assert word.box == pytest.approx((20, 30, 70, 50), abs=0.2)


@pytest.mark.parametrize(
    "token", [Token("x", (-9, 2, -3, 8), 90, (1, 1, 1)), Token("\u200b", (2, 2, 8, 8), 90, (1, 1, 1))]
)
def test_word_outside_the_image_or_without_text_is_none(token: Token) -> None:
    assert place(token, np.eye(3), 50, 50) is None


@given(st.tuples(*[st.floats(-200, 200)] * 4), st.floats(-180, 180))
def test_boxes_have_an_area_inside_the_image(box: tuple[float, float, float, float], degrees: float) -> None:
    page = rotate(Page(np.full((40, 70), 255, np.uint8), np.eye(3)), degrees)
    word = place(Token("x", box, 90, (1, 1, 1)), page.to_original, 70, 40)
    if word is not None:
        left, top, right, bottom = word.box
        assert 0 <= left < right <= 70
        assert 0 <= top < bottom <= 40
