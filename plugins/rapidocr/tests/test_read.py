"""The whole tool with its real models; each call takes about half a second."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from promptvision.plugin import Cancelled, ExtractTextResult
from promptvision.testing import CancelToken, make_context, run_tool, street_sign
from promptvision_rapidocr.plugin import RAPIDOCR
from promptvision_rapidocr.read import fit, main_angle, to_bgr

DrawPage: TypeAlias = Callable[..., Image.Image]


def extract(image: Image.Image, **args: Any) -> ExtractTextResult:
    result = run_tool(RAPIDOCR, image, **args)
    assert isinstance(result, ExtractTextResult)
    return result


def test_page_is_read_line_by_line_with_words_and_confidences(draw_page: DrawPage) -> None:
    result = extract(draw_page())
    assert result.extracted_text.split("\n") == [
        "Every harbour keeps a ledger of ships",
        "The gardener waters the roses at noon",
        "Bring a good map",
    ]
    assert [word.text for word in result.words] == result.extracted_text.split()
    assert all(90 < word.confidence <= 100 for word in result.words)
    assert result.message is None


def test_sign_is_read() -> None:
    assert extract(street_sign()).extracted_text == "NO PARKING\nVIOLATORS WILL\nBE TOWED"


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_every_mode_of_the_image_store_is_read(draw_page: DrawPage, mode: str) -> None:
    assert extract(draw_page(("Open daily",)).convert(mode)).extracted_text == "Open daily"


@pytest.mark.parametrize("ink", ["white", "black"])
def test_ink_on_transparent_ground_is_read(ink: str) -> None:
    label = Image.new("RGBA", (500, 120), (0, 0, 0, 0))
    ImageDraw.Draw(label).text((30, 30), "Fresh bread daily", font=ImageFont.load_default(40), fill=ink)
    assert extract(label).extracted_text == "Fresh bread daily"


@pytest.mark.parametrize("degrees", [0, 90, 180, 270, 12, -30, 45])
def test_boxes_match_the_words_of_the_original_image(draw_page: DrawPage, degrees: int) -> None:
    upright = draw_page()
    image = upright.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor="white")
    (word,) = [word for word in extract(image).words if word.text == "roses"]
    font = ImageFont.load_default(28)
    left, top, right, bottom = ImageDraw.Draw(upright).textbbox((0, 0), "roses", font=font)
    x = 40 + font.getlength("The gardener waters the ") + (left + right) / 2 - upright.width / 2
    y = 40 + 28 * 1.6 + (top + bottom) / 2 - upright.height / 2
    angle = np.radians(degrees)
    expected = (
        image.width / 2 + x * np.cos(angle) + y * np.sin(angle),
        image.height / 2 - x * np.sin(angle) + y * np.cos(angle),
    )
    assert word.box.centroid == pytest.approx(expected, abs=8)


def test_large_image_gives_boxes_in_its_own_pixels(draw_page: DrawPage) -> None:
    image = draw_page(("Platform nine",), px=160, size=(4000, 900), at=(400, 300))
    result = extract(image)
    assert result.extracted_text == "Platform nine"
    assert result.words[0].box.x1 == pytest.approx(400, abs=30)
    assert 270 < result.words[0].box.y1 < result.words[0].box.y2 < 530


def test_columns_are_read_one_after_the_other(draw_page: DrawPage) -> None:
    page = draw_page(("The ferry leaves at noon", "and returns at dusk"), size=(900, 160))
    right = draw_page(("Rain had washed the wall", "and all the drawings"), size=(450, 160), at=(0, 40))
    page.paste(right, (450, 0))
    columns = "The ferry leaves at noon and returns at dusk Rain had washed the wall and all the drawings"
    assert " ".join(extract(page).extracted_text.split()) == columns


@pytest.mark.parametrize("size", [(300, 200), (1, 1), (2, 90), (16384, 1), (1, 3000), (2000, 40)])
def test_no_text_is_success_with_a_message(size: tuple[int, int]) -> None:
    result = extract(Image.new("RGB", size, "white"))
    assert result.success
    assert (result.extracted_text, result.words) == ("", [])
    assert result.message == "No text was found in the image."


def test_long_strip_is_read(draw_page: DrawPage) -> None:
    strip = draw_page(("Now at platform nine",), size=(3000, 60), at=(1200, 12))
    assert extract(strip).extracted_text == "Now at platform nine"


def test_fit_shrinks_and_pads_and_returns_the_factor() -> None:
    fitted, factor = fit(np.zeros((100, 5120, 3), np.uint8))
    assert factor == 2
    assert fitted.shape == (16 + 2560 // 6 + 16, 2560 + 32, 3)


def test_main_angle_is_that_of_the_longest_lines() -> None:
    level = np.array([[0, 0], [300, 0], [300, 20], [0, 20]], np.float32)
    upright = np.array([[0, 0], [0, 80], [-20, 80], [-20, 0]], np.float32)
    assert main_angle([level, upright, level + 40]) == pytest.approx(0)
    assert main_angle([upright]) == pytest.approx(90)


def test_transparent_pixels_become_white_or_black_for_contrast() -> None:
    image = Image.new("RGBA", (4, 4), (200, 10, 10, 0))
    image.putpixel((0, 0), (200, 10, 10, 255))
    bgr = to_bgr(image)
    assert bgr[0, 0].tolist() == [10, 10, 200]
    assert bgr[3, 3].tolist() == [255, 255, 255]


def test_progress_is_reported_and_cancelling_stops(draw_page: DrawPage) -> None:
    token = CancelToken()
    messages: list[str] = []

    def on_progress(done: float, total: float, message: str) -> None:
        messages.append(message)
        if done == 1:
            token.cancel()

    context = make_context(cancel=token, on_progress=on_progress)
    with pytest.raises(Cancelled):
        run_tool(RAPIDOCR, draw_page(), context=context)
    assert messages == ["loading the models", "reading with RapidOCR"]
