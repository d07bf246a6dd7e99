"""The whole tool with the real Tesseract; each call takes half a second to two seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import Levenshtein
import numpy as np
import pytest
import skimage
from PIL import Image, ImageDraw, ImageFont

from promptvision.plugin import ArgumentsError, Cancelled, ExtractTextResult, SetupError, ToolFailed
from promptvision.testing import CancelToken, make_context, run_tool, street_sign
from promptvision_tesseract import read as read_module
from promptvision_tesseract.engine import Engine, Reading, Token
from promptvision_tesseract.plugin import TESSERACT
from promptvision_tesseract.preprocess import Grey
from promptvision_tesseract.read import is_plain_better, place

DrawPage: TypeAlias = Callable[..., Grey]
TEXT = (
    "Every harbour keeps a ledger of ships",
    "The gardener waters the roses at noon",
    "Please return the blue folder on Friday",
    "A lantern hung above the narrow door",
    "Seven bottles stood on the wooden shelf",
    "Bring warm clothes and a good map",
)


def extract(source: Grey | Image.Image, **args: Any) -> ExtractTextResult:
    image = source if isinstance(source, Image.Image) else Image.fromarray(source)
    result = run_tool(TESSERACT, image, **args)
    assert isinstance(result, ExtractTextResult)
    return result


def accuracy(result: ExtractTextResult, text: str) -> float:
    read, written = " ".join(result.extracted_text.split()), " ".join(text.split())
    return 1 - Levenshtein.distance(read, written) / len(written)


def reading(*words: tuple[str, float]) -> Reading:
    return Reading(tuple(Token(text, (0, 0, 1, 1), confidence, (1, 1, 1)) for text, confidence in words))


@pytest.mark.parametrize("preprocess", [True, False])
def test_clean_page_is_read_line_by_line(draw_page: DrawPage, text: str, preprocess: bool) -> None:
    result = extract(draw_page(), preprocess=preprocess)
    assert result.extracted_text == text
    assert [word.text for word in result.words] == text.split()
    assert result.success
    assert result.message is None


@pytest.mark.parametrize(
    "damage",
    [
        "add_specks",
        "shade",
        "noise",
        "tilt",
        "upside down",
        "quarter turn",
        "inverted",
        "faint and noisy",
        "small",
    ],
)
def test_damaged_page_is_read(
    request: pytest.FixtureRequest, draw_page: DrawPage, text: str, damage: str
) -> None:
    noisy: Callable[[Grey, float], Grey] = request.getfixturevalue("make_noisy")
    page = Image.fromarray(draw_page())
    damaged: dict[str, Callable[[], Grey | Image.Image]] = {
        "add_specks": lambda: request.getfixturevalue("add_specks")(draw_page()),
        "shade": lambda: request.getfixturevalue("shade")(draw_page()),
        "noise": lambda: noisy(draw_page(), 45),
        "tilt": lambda: page.rotate(13, Image.Resampling.BICUBIC, expand=True, fillcolor=250),
        "upside down": lambda: page.transpose(Image.Transpose.ROTATE_180),
        "quarter turn": lambda: page.transpose(Image.Transpose.ROTATE_90),
        "inverted": lambda: draw_page(ink=235, paper=30),
        "faint and noisy": lambda: noisy(draw_page(ink=110, paper=140), 8),
        "small": lambda: draw_page(px=12, size=(300, 170)),
    }
    assert accuracy(extract(damaged[damage]()), text) >= 0.97


def test_text_that_plain_tesseract_drops_is_returned(
    draw_page: DrawPage, shade: Callable[[Grey], Grey], text: str
) -> None:
    shaded = shade(draw_page())
    plain = Engine(["eng"]).read(shaded)
    assert plain.confidence > 85
    assert plain.characters < 0.8 * len("".join(text.split()))
    result = extract(shaded)
    assert len(result.words) == len(text.split())
    assert accuracy(result, text) >= 0.98


def test_one_large_word_is_read() -> None:
    sign = Image.new("RGB", (1600, 700), (180, 30, 30))
    ImageDraw.Draw(sign).text((300, 100), "STOP", font=ImageFont.load_default(380), fill="white")
    assert extract(sign).extracted_text == "STOP"


def test_ink_on_transparent_ground_is_read() -> None:
    label = Image.new("RGBA", (500, 120), (255, 255, 255, 0))
    ImageDraw.Draw(label).text((30, 30), "Fresh bread daily", font=ImageFont.load_default(40), fill="white")
    assert extract(label).extracted_text == "Fresh bread daily"


@pytest.mark.parametrize("size", [(300, 200), (1, 1), (2, 90), (16384, 1), (2000, 20)])
def test_no_text_is_success_with_a_message(size: tuple[int, int]) -> None:
    result = extract(Image.new("RGB", size, "white"))
    assert result.success
    assert (result.extracted_text, result.words) == ("", [])
    assert result.message == "No text was found in the image."


@pytest.mark.parametrize("degrees", [0, 90, 180, 270, 10, -14])
def test_boxes_match_the_words_of_the_original_image(draw_page: DrawPage, degrees: int) -> None:
    upright = Image.fromarray(draw_page(px=14, size=(380, 190)))
    image = upright.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=250)
    (word,) = [word for word in extract(image).words if word.text == "narrow"]
    x, y = where_word_stands(upright, line=3, before="A lantern hung above the ", word="narrow", px=14)
    angle = np.radians(degrees)
    dx, dy = x - upright.width / 2, y - upright.height / 2
    expected = (
        image.width / 2 + dx * np.cos(angle) + dy * np.sin(angle),
        image.height / 2 - dx * np.sin(angle) + dy * np.cos(angle),
    )
    assert word.box.centroid == pytest.approx(expected, abs=3)


def where_word_stands(
    page: Image.Image, *, line: int, before: str, word: str, px: int
) -> tuple[float, float]:
    font = ImageFont.load_default(px)
    left, top, right, bottom = ImageDraw.Draw(page).textbbox((0, 0), word, font=font)
    y = 40 + line * px * 1.6
    return 40 + font.getlength(before) + (left + right) / 2, y + (top + bottom) / 2


def test_boxes_stay_inside_the_image(draw_page: DrawPage) -> None:
    for word in extract(draw_page(px=12, size=(260, 140))).words:
        assert word.box.x1 >= 0
        assert word.box.y1 >= 0
        assert word.box.x2 <= 260
        assert word.box.y2 <= 140


def test_word_outside_the_image_or_without_text_is_dropped() -> None:
    assert place(Token("x", (-9, 2, -3, 8), 90, (1, 1, 1)), np.eye(3), 50, 50) is None
    assert place(Token("\u200b\x07", (2, 2, 8, 8), 90, (1, 1, 1)), np.eye(3), 50, 50) is None


def test_plain_reading_wins_only_when_surer_and_not_shorter() -> None:
    prepared = reading(("harbour", 90), ("ledger", 90))
    assert is_plain_better(reading(("harbour", 92), ("ledge", 92)), prepared)
    assert not is_plain_better(reading(("harbour", 91), ("ledger", 91)), prepared)
    assert not is_plain_better(reading(("harbour", 99)), prepared)
    assert not is_plain_better(Reading(), Reading())


def test_long_text_is_cut_with_a_message(
    draw_page: DrawPage, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_module, "MAX_CHARACTERS", 40)
    result = extract(draw_page(), preprocess=False)
    assert len(result.extracted_text) <= 40
    assert " ".join(word.text for word in result.words) == " ".join(result.extracted_text.split())
    kept, found = len(result.words), len(text.split())
    assert result.message == f"There is more text: the first {kept} of {found} words are returned."


def test_missing_program_is_a_setup_error(
    draw_page: DrawPage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match="apt-get install tesseract-ocr"):
        extract(draw_page())


def test_missing_language_is_a_setup_error_naming_the_package(draw_page: DrawPage) -> None:
    with pytest.raises(SetupError, match="apt-get install tesseract-ocr-tlh"):
        extract(draw_page(), languages=["eng", "tlh"])


def test_invalid_language_is_an_arguments_error(draw_page: DrawPage) -> None:
    with pytest.raises(ArgumentsError, match="eng"):
        extract(draw_page(), languages=["English"])


def test_call_ends_at_its_deadline(draw_page: DrawPage) -> None:
    context = make_context(deadline=time.monotonic())
    with pytest.raises(ToolFailed, match="not read within 0 s"):
        run_tool(TESSERACT, Image.fromarray(draw_page()), context=context)


def test_progress_is_reported_and_cancelling_stops_between_the_passes(draw_page: DrawPage) -> None:
    token = CancelToken()
    messages: list[str] = []

    def on_progress(done: float, total: float, message: str) -> None:
        messages.append(message)
        if done == 1:
            token.cancel()

    context = make_context(cancel=token, on_progress=on_progress)
    with pytest.raises(Cancelled):
        run_tool(TESSERACT, Image.fromarray(draw_page()), context=context)
    assert messages == ["reading the image as it is", "preparing the image"]


def test_frame_of_a_sign_is_not_read_as_text() -> None:
    result = extract(street_sign())
    assert result.extracted_text.split("\n") == ["NO PARKING", "VIOLATORS WILL", "BE TOWED"]
    assert [word.text for word in result.words] == ["NO", "PARKING", "VIOLATORS", "WILL", "BE", "TOWED"]


def test_plain_mode_returns_the_output_of_tesseract() -> None:
    assert "|" in extract(street_sign(), preprocess=False).extracted_text


def test_light_and_dark_parts_of_one_page_are_read(draw_page: DrawPage) -> None:
    page = draw_page(size=(700, 340))
    page = np.concatenate([255 - page[:80], page[80:]])
    assert accuracy(extract(page), "\n".join(TEXT)) >= 0.97


def test_text_as_bright_as_its_paper_is_read() -> None:
    sign = Image.new("RGB", (640, 120), (70, 90, 230))
    ImageDraw.Draw(sign).text(
        (30, 30), "Fresh bread daily", font=ImageFont.load_default(40), fill=(150, 86, 20)
    )
    assert extract(sign).extracted_text == "Fresh bread daily"


def test_cells_of_a_ruled_table_are_read_row_by_row() -> None:
    page = Image.new("RGB", (620, 220), "white")
    pen = ImageDraw.Draw(page)
    rows = (("Item", "Price", "Shelf"), ("Apples", "3.40", "North"), ("Plums", "8.95", "South"))
    for y, row in enumerate(rows):
        for x, cell in enumerate(row):
            box = (20 + x * 190, 20 + y * 56, 210 + x * 190, 76 + y * 56)
            pen.rectangle(box, outline=(60, 60, 60), width=2)
            pen.text((box[0] + 14, box[1] + 14), cell, font=ImageFont.load_default(24), fill="black")
    assert extract(page).extracted_text.split() == [cell for row in rows for cell in row]


def test_columns_are_read_one_after_the_other(draw_page: DrawPage) -> None:
    left, right = draw_page(TEXT[:3], size=(590, 200)), draw_page(TEXT[3:], size=(600, 200))
    result = extract(np.concatenate([left, right], axis=1))
    assert " ".join(result.extracted_text.split()) == " ".join(TEXT)


@pytest.mark.parametrize("degrees", [30, 45, -38])
def test_steep_text_is_read(draw_page: DrawPage, text: str, degrees: int) -> None:
    page = Image.fromarray(draw_page())
    steep = page.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=250)
    assert accuracy(extract(steep), text) >= 0.97


def test_short_word_upside_down_is_read() -> None:
    page = Image.new("RGB", (320, 110), "white")
    ImageDraw.Draw(page).text((60, 25), "Room 12", font=ImageFont.load_default(44), fill="black")
    assert extract(page.rotate(180)).extracted_text == "Room 12"


@pytest.mark.parametrize("name", ["chelsea.png", "grass.png"])
def test_photograph_without_text_stays_empty(name: str) -> None:
    with Image.open(Path(skimage.__file__).parent / "data" / name) as photograph:
        result = extract(photograph.convert("RGB"))
    assert (result.extracted_text, result.words) == ("", [])


@pytest.mark.parametrize("text", ["7", "B", "-1", "3.5"])
def test_single_characters_and_numbers_are_read(text: str) -> None:
    page = Image.new("RGB", (200, 110), "white")
    ImageDraw.Draw(page).text((100, 55), text, font=ImageFont.load_default(40), fill="black", anchor="mm")
    assert extract(page).extracted_text == text


def test_letters_below_each_other_are_a_word() -> None:
    page = Image.new("RGB", (120, 320), "white")
    for number, letter in enumerate("EXIT"):
        place = (60, 50 + number * 70)
        ImageDraw.Draw(page).text(place, letter, font=ImageFont.load_default(48), fill="black", anchor="mm")
    assert extract(page).extracted_text == "EXIT"


@pytest.mark.parametrize("degrees", [90, 270])
@pytest.mark.parametrize("words", ["Gate 4", "AXIS Y"])
def test_vertical_label_is_read_before_the_text_beside_it(
    draw_page: DrawPage, words: str, degrees: int
) -> None:
    page = Image.new("L", (800, 200), 250)
    page.paste(Image.fromarray(draw_page(TEXT[:3], size=(700, 200))), (100, 0))
    label = Image.fromarray(draw_page((words,), size=(180, 120)))
    page.paste(label.rotate(degrees, expand=True), (5, 10))
    assert " ".join(extract(page).extracted_text.split()) == " ".join([words, *TEXT[:3]])


@pytest.mark.parametrize("shape", ["tick", "disc", "arrow"])
def test_drawing_without_text_stays_empty(shape: str) -> None:
    page = Image.new("RGB", (200, 150), "white")
    pen = ImageDraw.Draw(page)
    if shape == "tick":
        pen.line([(60, 80), (85, 105), (140, 45)], fill="black", width=8)
    elif shape == "disc":
        pen.ellipse((70, 45, 130, 105), fill="black")
    else:
        pen.line([(40, 75), (150, 75)], fill="black", width=8)
        pen.line([(120, 45), (150, 75), (120, 105)], fill="black", width=8)
    assert extract(page).extracted_text == ""
