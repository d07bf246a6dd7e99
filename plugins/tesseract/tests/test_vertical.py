from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from promptvision_tesseract.engine import Engine, Reading, Token
from promptvision_tesseract.preprocess import Grey, Page
from promptvision_tesseract.vertical import is_vertical, read_stacked, reread_vertical, unstack


def token(text: str, width: float, height: float) -> Token:
    return Token(text, (0, 0, width, height), 95, (1, 1, 1))


def draw_stack(letters: str, px: int = 48, step: int = 70) -> Grey:
    page = Image.new("L", (120, 40 + step * len(letters)), 255)
    pen = ImageDraw.Draw(page)
    for number, letter in enumerate(letters):
        place = (60, 50 + number * step)
        pen.text(place, letter, font=ImageFont.load_default(px), fill=0, anchor="mm")
    return np.asarray(page)


@pytest.mark.parametrize(
    ("text", "width", "height", "expected"),
    [
        ("Room", 20, 80, True),
        ("Room", 80, 20, False),
        ("I", 5, 30, False),
        ("Ill", 18, 30, False),
        ("12", 20, 50, False),
    ],
)
def test_long_and_narrow_lines_are_vertical(text: str, width: float, height: float, expected: bool) -> None:
    assert is_vertical([token(text, width, height)]) is expected


@pytest.mark.parametrize("degrees", [90, 270])
def test_uncertain_vertical_line_is_read_in_both_directions(
    draw_page: Callable[..., Grey], degrees: int
) -> None:
    label = Image.fromarray(draw_page(("Harbour",), size=(200, 110))).rotate(degrees, expand=True)
    page = Image.new("L", (400, 220), 250)
    page.paste(label, (150, 10))
    box = (150.0, 20.0, 250.0, 200.0)
    doubtful = Reading((Token("Jnoq", (175.0, 25.0, 235.0, 185.0), 40, (1, 1, 7)),))
    found = reread_vertical(Page(np.asarray(page), np.eye(3)), doubtful, Engine(["eng"]))
    (word,) = found.tokens
    assert (word.text, word.line) == ("Harbour", (1, 1, 7))
    assert box[0] < word.box[0] < word.box[2] < box[2]
    assert word.box[3] - word.box[1] > 2 * (word.box[2] - word.box[0])


def test_certain_and_horizontal_lines_are_not_changed() -> None:
    reading = Reading(
        (Token("Room", (0, 0, 20, 80), 95, (1, 1, 1)), Token("a", (30, 0, 90, 20), 40, (1, 1, 2)))
    )
    blank = Page(np.full((100, 100), 255, np.uint8), np.eye(3))
    assert reread_vertical(blank, reading, Engine(["eng"])) == reading


@pytest.mark.parametrize("degrees", [90, 270])
def test_vertical_line_that_was_cut_off_is_read_whole(draw_page: Callable[..., Grey], degrees: int) -> None:
    label = Image.fromarray(draw_page(("TOP",), px=40, size=(180, 130))).rotate(degrees, expand=True)
    page = np.asarray(label)
    rows, columns = np.nonzero(page < 140)
    left, top, right, bottom = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    third = (bottom - top) // 3
    box = (left, top + third, right, bottom) if degrees == 90 else (left, top, right, bottom - third)
    cut = Reading((Token("TO", tuple(map(float, box)), 96, (1, 1, 3)),))  # type: ignore[arg-type]  # four
    (word,) = reread_vertical(Page(page, np.eye(3)), cut, Engine(["eng"])).tokens
    assert (word.text, word.line) == ("TOP", (1, 1, 3))


def test_vertical_lines_of_a_texture_are_not_read_again() -> None:
    lines = tuple(Token("ilil", (30.0 * n, 0, 30.0 * n + 9, 80), 30, (1, 1, n)) for n in range(5))
    blank = Page(np.full((100, 200), 255, np.uint8), np.eye(3))
    assert reread_vertical(blank, Reading(lines), Engine(["eng"])) == Reading(lines)


def test_stacked_letters_are_one_word() -> None:
    (word,) = read_stacked(draw_stack("EXIT"), Engine(["eng"])).tokens
    assert word.text == "EXIT"
    left, top, right, bottom = word.box
    assert 30 < left < right < 90
    assert 20 < top < 60
    assert 250 < bottom < 300


def test_stack_becomes_a_row_of_its_letters() -> None:
    row = unstack(draw_stack("EXIT"))
    assert row is not None
    assert row.shape[1] > row.shape[0]


@pytest.mark.parametrize("page", ["lines", "two", "blank", "uneven"])
def test_anything_else_is_not_a_stack(draw_page: Callable[..., Grey], page: str) -> None:
    uneven = draw_stack("EXIT").copy()
    uneven[-20:, 10:110] = 0
    pages = {
        "lines": draw_page(("Harbour", "Ledger", "Garden")),
        "two": draw_stack("EX"),
        "blank": np.full((90, 90), 255, np.uint8),
        "uneven": uneven,
    }
    assert unstack(pages[page]) is None
    assert read_stacked(pages[page], Engine(["eng"])) == Reading()
