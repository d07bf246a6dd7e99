from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from promptvision.tools.text_layout import Piece, reading_order
from promptvision.types import Box


def piece(index: int, x: float, y: float, width: float = 200, words: int = 5, height: float = 20) -> Piece:
    return Piece(index, Box(x, y, x + width, y + height), words)


def flat(blocks: list[list[list[int]]]) -> list[int]:
    return [index for block in blocks for line in block for index in line]


def test_nothing_is_in_no_order() -> None:
    assert reading_order([]) == []


def test_lines_are_read_from_top_to_bottom_and_their_pieces_from_left_to_right() -> None:
    pieces = [piece(0, 300, 52, words=1), piece(1, 0, 10), piece(2, 0, 50, words=1)]
    assert flat(reading_order(pieces)) == [1, 2, 0]


def test_columns_of_prose_are_read_one_after_the_other() -> None:
    pieces = [piece(0, 0, 0), piece(1, 240, 0), piece(2, 0, 30), piece(3, 240, 30), piece(4, 0, 60)]
    assert flat(reading_order(pieces)) == [0, 2, 4, 1, 3]


def test_columns_need_not_share_their_baselines() -> None:
    pieces = [piece(0, 0, 0), piece(1, 240, 13), piece(2, 0, 30), piece(3, 240, 43)]
    assert flat(reading_order(pieces)) == [0, 2, 1, 3]


def test_three_columns_are_read_from_the_left() -> None:
    pieces = [piece(row * 3 + column, column * 240, row * 30) for row in range(3) for column in range(3)]
    assert flat(reading_order(pieces)) == [0, 3, 6, 1, 4, 7, 2, 5, 8]


def test_heading_and_footer_stay_around_the_columns() -> None:
    pieces = [
        piece(0, 0, 0, width=440),
        *(piece(1 + row * 2 + side, side * 240, 30 + row * 30) for row in range(3) for side in range(2)),
        piece(7, 0, 120, width=440),
    ]
    assert flat(reading_order(pieces)) == [0, 1, 3, 5, 2, 4, 6, 7]


def test_table_is_read_row_by_row() -> None:
    pieces = [
        piece(row * 3 + cell, cell * 240, row * 40, 60, words=1) for row in range(3) for cell in range(3)
    ]
    assert [line for block in reading_order(pieces) for line in block] == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]


def test_wide_space_between_lines_starts_a_block() -> None:
    assert reading_order([piece(0, 0, 0), piece(1, 0, 28), piece(2, 0, 90)]) == [[[0], [1]], [[2]]]


BOXES = st.builds(
    lambda x, y, width, height: Box(x, y, x + width, y + height),
    st.floats(0, 900),
    st.floats(0, 900),
    st.floats(1, 300),
    st.floats(1, 60),
)


@given(st.lists(st.tuples(BOXES, st.integers(1, 6)), max_size=25))
def test_every_piece_is_read_once(found: list[tuple[Box, int]]) -> None:
    pieces = [Piece(index, box, words) for index, (box, words) in enumerate(found)]
    assert sorted(flat(reading_order(pieces))) == list(range(len(pieces)))
