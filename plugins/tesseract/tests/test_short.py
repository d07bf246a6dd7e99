from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from promptvision_tesseract.engine import Engine, Reading
from promptvision_tesseract.placement import place
from promptvision_tesseract.preprocess import Grey, Page
from promptvision_tesseract.short import crop_line, read_line, read_line_or_turned, read_upside_down


def draw_token(text: str) -> Grey:
    page = Image.new("L", (240, 110), 255)
    ImageDraw.Draw(page).text((120, 55), text, font=ImageFont.load_default(40), fill=0, anchor="mm")
    return np.asarray(page)


def draw_shape(name: str) -> Grey:
    page = Image.new("L", (200, 150), 255)
    pen = ImageDraw.Draw(page)
    if name == "disc":
        pen.ellipse((60, 35, 140, 115), fill=0)
    elif name == "bar":
        pen.rectangle((20, 60, 180, 90), fill=0)
    elif name == "tick":
        pen.line([(60, 80), (85, 105), (140, 45)], fill=0, width=8)
    elif name == "house":
        pen.polygon([(50, 80), (100, 30), (150, 80)], outline=0, width=4)
        pen.rectangle((65, 80, 135, 130), outline=0, width=4)
    elif name == "plus":
        pen.line((60, 75, 140, 75), fill=0, width=10)
        pen.line((100, 35, 100, 115), fill=0, width=10)
    return np.asarray(page)


@pytest.mark.parametrize("text", ["7", "B", "9", "-1", "-8", "42", "3.5"])
def test_single_characters_and_numbers_are_read(text: str) -> None:
    page, reading = read_line(draw_token(text), Engine(["eng"]))
    (word,) = reading.tokens
    assert word.text == text
    assert 50 <= word.confidence <= 100
    assert np.array_equal(page.to_original, np.eye(3))
    left, top, right, bottom = word.box
    assert 60 < left < 120 < right < 180
    assert 20 < top < 60 < bottom < 90


@pytest.mark.parametrize(("text", "quarters"), [("PUSH", 0), ("PUSH", 2), ("-1", 0), ("No", 0), ("3.5", 0)])
def test_line_is_turned_only_if_it_is_surer_then(text: str, quarters: int) -> None:
    bare = np.ascontiguousarray(np.rot90(draw_token(text), quarters))
    page, reading = read_line_or_turned(bare, Engine(["eng"]))
    (word,) = reading.tokens
    assert word.text == text
    placed = place(word, page.to_original, *bare.shape[::-1])
    assert placed is not None
    rows, columns = np.nonzero(bare < 128)
    assert placed.box == pytest.approx((columns.min(), rows.min(), columns.max(), rows.max()), abs=4)


@pytest.mark.parametrize("shape", ["disc", "bar", "tick", "house", "plus", "blank"])
def test_drawings_are_not_read_as_characters(shape: str) -> None:
    assert read_line(draw_shape(shape), Engine(["eng"]))[1] == Reading()


def test_line_is_cut_out_with_its_place() -> None:
    page = np.full((100, 200), 255, np.uint8)
    page[40:60, 50:54] = 0
    page[40:60, 60:64] = 0
    line = crop_line(page)
    assert line is not None
    assert line.grey.shape == (20, 14)
    assert line.to_original[:2, 2].tolist() == [50, 40]


def test_several_lines_are_not_one(draw_page: Callable[..., Grey]) -> None:
    assert crop_line(draw_page()) is None
    assert crop_line(np.concatenate([draw_token("7"), draw_token("8")])) is None


@pytest.mark.parametrize("turned", [False, True])
def test_short_word_is_read_in_either_direction(turned: bool) -> None:
    bare = np.rot90(draw_token("PUSH"), 2 if turned else 0)
    nothing = Page(bare, np.eye(3))
    _, reading = read_upside_down(np.ascontiguousarray(bare), nothing, Reading(), Engine(["eng"]))
    assert [token.text for token in reading.tokens] == ["PUSH"]
