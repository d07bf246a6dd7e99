from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from promptvision.plugin import Cancelled
from promptvision_rapidocr.engine import Quad, Read, load_engine
from promptvision_rapidocr.lines import (
    Line,
    cut_line,
    read_lines,
    restore_spaces,
    spans,
    unstack,
    vertical_chains,
)
from promptvision_rapidocr.read import to_bgr

DrawPage: TypeAlias = Callable[..., Image.Image]


def quad(left: float, top: float, width: float, height: float) -> Quad:
    right, bottom = left + width, top + height
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


def never() -> None:
    """Do not cancel."""


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_text_is_read_in_every_direction_and_runs_from_the_first_corner(
    draw_page: DrawPage, quarters: int
) -> None:
    page = draw_page(("Return the blue folder",), size=(420, 100), at=(20, 30))
    image = np.rot90(to_bgr(page), quarters).copy()
    (line,) = read_lines(image, load_engine(), never)
    assert line.read.text == "Return the blue folder"
    along = line.quad[1] - line.quad[0]
    angle = np.degrees(np.arctan2(along[1], along[0]))
    assert abs((angle + 90 * quarters + 180) % 360 - 180) < 5


def test_stacked_letters_are_one_word(draw_page: DrawPage) -> None:
    image = to_bgr(draw_page(tuple("HOTEL"), px=48, size=(140, 460)))
    (line,) = read_lines(image, load_engine(), never)
    (word,) = spans(line)
    assert word.text == "HOTEL"
    assert np.ptp(word.quad[:, 1]) > 300


@pytest.mark.parametrize("rows", [("12", "7", "30"), ("4", "13", "22"), ("8", "5", "2")])
def test_numbers_below_each_other_are_rows(draw_page: DrawPage, rows: tuple[str, ...]) -> None:
    lines = read_lines(to_bgr(draw_page(rows, size=(140, 200))), load_engine(), never)
    assert sorted(line.read.text for line in lines) == sorted(rows)


def test_stacked_letters_are_arranged_in_a_row(draw_page: DrawPage) -> None:
    column = to_bgr(draw_page(tuple("OPEN"), px=48, size=(100, 340), at=(30, 20)))
    row = unstack(column)
    assert row is not None
    assert row.shape[1] > 1.5 * row.shape[0]
    (read,) = load_engine().recognise([row], never)
    assert read.text == "OPEN"


def test_disc_and_square_are_not_letters() -> None:
    image = np.full((300, 500, 3), 230, np.uint8)
    image[60:200, 280:430] = (70, 40, 30)
    y, x = np.mgrid[:300, :500]
    image[(x - 130) ** 2 + (y - 150) ** 2 < 70**2] = (40, 40, 200)
    assert read_lines(image, load_engine(), never) == []


def test_cancelling_stops_after_the_detection(draw_page: DrawPage) -> None:
    def cancel() -> None:
        raise Cancelled("enough")

    with pytest.raises(Cancelled):
        read_lines(to_bgr(draw_page()), load_engine(), cancel)


def test_cut_starts_at_the_first_corner() -> None:
    image = np.arange(40 * 60 * 3, dtype=np.int64).reshape(40, 60, 3).astype(np.uint8)
    corners = quad(10, 5, 30, 20)
    assert np.array_equal(cut_line(image, corners)[2:-2, 2:-2], image[7:23, 12:38])
    assert cut_line(image, np.roll(corners, -1, axis=0)).shape == (30, 20, 3)


def test_column_of_narrow_pieces_is_a_chain_unless_it_has_a_neighbour() -> None:
    column = [quad(10, 10 + 40 * number, 30, 34) for number in range(3)]
    assert [len(chain) for chain in vertical_chains(column)] == [3]
    assert vertical_chains([*column, quad(46, 50, 200, 34)]) == []
    assert vertical_chains([quad(10, 10, 200, 30), quad(10, 50, 200, 30)]) == []


def test_page_without_gaps_is_not_unstacked() -> None:
    assert unstack(np.full((80, 30, 3), 255, np.uint8)) is None


@given(st.text("ab \u4e2d", max_size=12), st.floats(0.01, 0.99))
def test_words_lie_inside_their_line_in_order(text: str, place: float) -> None:
    centres = tuple(
        None if char == " " else (index + place) / max(len(text), 1) for index, char in enumerate(text)
    )
    line = Line(quad(5, 5, 200, 20), Read(text, 0.9, centres, (0.9,) * len(text)))
    found = spans(line)
    assert [span.text for span in found] == text.split()
    for span in found:
        assert span.quad[:, 0].min() >= 5 - 1e-3
        assert span.quad[:, 0].max() <= 205 + 1e-3
        assert span.confidence == pytest.approx(0.9)


def test_space_that_the_model_left_out_is_restored() -> None:
    cut = np.full((40, 200, 3), 255, np.uint8)
    for left in (5, 30, 90, 115, 140):
        cut[8:32, left : left + 20] = 0
    centres = (0.075, 0.2, 0.5, 0.625, 0.75)
    read = restore_spaces(Read("BETOW", 0.9, centres, (0.9,) * 5), cut)
    assert read.text == "BE TOW"
    assert read.centres == (0.075, 0.2, None, 0.5, 0.625, 0.75)
    assert restore_spaces(read, cut) == read
