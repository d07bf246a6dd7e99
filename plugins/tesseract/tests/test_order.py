from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from promptvision_tesseract.engine import Token
from promptvision_tesseract.order import arrange


def word(text: str, box: tuple[float, float, float, float], line: int) -> Token:
    return Token(text, box, 95, (1, 1, line))


LABEL = [word("Room", (10, 80, 30, 140), 1), word("12", (10, 40, 30, 70), 1)]
LINES = [
    word("Keep", (60, 20, 120, 40), 2),
    word("left", (130, 20, 170, 40), 2),
    word("here", (60, 45, 120, 65), 3),
]


def test_vertical_label_on_the_left_comes_first() -> None:
    assert [token.text for token in arrange([*LABEL, *LINES])] == ["Room", "12", "Keep", "left", "here"]


def test_vertical_label_on_the_right_comes_last() -> None:
    label = [word(token.text, (200, token.box[1], 220, token.box[3]), 1) for token in LABEL]
    found = arrange([*label, *LINES])
    assert [token.text for token in found] == ["Keep", "left", "here", "Room", "12"]
    assert len({token.line[0] for token in found[-2:]}) == 1


def test_only_vertical_lines_keep_their_order() -> None:
    assert [token.text for token in arrange(LABEL)] == ["Room", "12"]
    assert arrange([]) == []


def test_lines_are_numbered_from_one() -> None:
    assert [token.line for token in arrange(LINES)] == [(1, 1, 1), (1, 1, 1), (1, 1, 2)]


BOXES = st.tuples(st.integers(0, 90), st.integers(0, 90), st.integers(1, 60), st.integers(1, 60))


@given(st.lists(st.tuples(st.text("abc", min_size=1, max_size=6), BOXES, st.integers(1, 4))))
def test_no_word_is_lost_or_added(words: list[tuple[str, tuple[int, int, int, int], int]]) -> None:
    tokens = [word(text, (x, y, x + width, y + height), line) for text, (x, y, width, height), line in words]
    found = arrange(tokens)
    assert sorted((token.text, token.box) for token in found) == sorted(
        (token.text, token.box) for token in tokens
    )
    assert [token.line for token in found] == sorted(token.line for token in found)
