from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter

from promptvision.testing import run_tool, still_life
from promptvision_opencv.caption import describe, measure
from promptvision_opencv.plugin import CAPTION_TOOL


def test_still_life_in_full() -> None:
    result = run_tool(CAPTION_TOOL, still_life())
    assert "landscape" in result.caption
    assert "960 x 640 pixels" in result.caption
    assert "no face or person" in result.caption
    for place in ("a red area at the left", "a blue area in the middle", "a green area at the right"):
        assert place in result.caption
    assert result.message is None  # the core states its limits once per conversation


def test_portrait_has_a_face_and_a_person(portrait: np.ndarray) -> None:
    caption = run_tool(CAPTION_TOOL, Image.fromarray(portrait), detail="brief").caption
    assert caption.startswith("A square image")
    assert "one person and one face" in caption
    assert caption.count(".") == 1


def test_detail_sets_the_length() -> None:
    measured = measure(np.array(still_life()))
    lengths = [len(describe(measured, detail)) for detail in ("brief", "detailed", "more_detailed")]
    assert lengths == sorted(set(lengths))


def test_shares_add_up_to_the_image() -> None:
    rgb = np.zeros((100, 100, 3), np.uint8)
    rgb[:, :25] = (208, 28, 32)
    rgb[:, 25:] = (246, 246, 244)
    assert measure(rgb).shares == (("white", 0.75), ("red", 0.25))


def test_grey_dark_and_blurred_images_are_distinguished(cat: np.ndarray) -> None:
    photo = Image.fromarray(cat)
    plain = measure(np.array(photo))
    odd = measure(np.array(photo.convert("L").filter(ImageFilter.GaussianBlur(6)).convert("RGB")) // 6)
    assert (plain.is_grey, odd.is_grey) == (False, True)
    assert "very dark, and its finest detail is blurred" in describe(odd, "detailed")
    assert "of medium brightness, and its finest detail is sharp" in describe(plain, "detailed")


@pytest.mark.parametrize("size", [(1, 1), (2000, 3), (3, 2000)])
@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_any_image_gets_a_caption(size: tuple[int, int], mode: str) -> None:
    assert run_tool(CAPTION_TOOL, Image.new(mode, size)).caption
