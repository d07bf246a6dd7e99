"""Adjustments, compared with Pillow's own results."""

from __future__ import annotations

from typing import Any

import pytest
from PIL import Image, ImageEnhance, ImageOps
from pydantic import ValidationError

from promptvision.testing import make_context, run_tool
from promptvision_basics.models import AdjustArgs
from promptvision_basics.plugin import promptvision_tools

ADJUST = next(tool for tool in promptvision_tools() if tool.name == "pillow_adjust")


def gradient(mode: str = "RGB") -> Image.Image:
    bands = [Image.linear_gradient("L").rotate(angle).resize((90, 60)) for angle in (0, 90, 180)]
    image = Image.merge("RGB", bands).convert(mode)
    if "A" in mode:
        image.putalpha(Image.radial_gradient("L").resize((90, 60)))
    return image


def adjusted(image: Image.Image, **args: Any) -> Image.Image:
    context = make_context()
    return context.open(run_tool(ADJUST, image, context=context, **args).adjusted_image_url)


@pytest.mark.parametrize(
    ("field", "enhancer"),
    [
        ("brightness", ImageEnhance.Brightness),
        ("contrast", ImageEnhance.Contrast),
        ("saturation", ImageEnhance.Color),
        ("sharpness", ImageEnhance.Sharpness),
    ],
)
@pytest.mark.parametrize("factor", [0.0, 0.7, 1.3])
def test_factors_equal_pillow(field: str, enhancer: Any, factor: float) -> None:
    image = gradient()
    assert adjusted(image, **{field: factor}).tobytes() == enhancer(image).enhance(factor).tobytes()


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_negative_twice_is_the_original_and_alpha_is_kept(mode: str) -> None:
    image = gradient(mode)
    once = adjusted(image, invert=True)
    assert once.mode == mode
    assert adjusted(once, invert=True).tobytes() == image.tobytes()
    if mode == "L":
        assert once.tobytes() == ImageOps.invert(image).tobytes()


def test_gamma_lightens_mid_tones_and_keeps_black_and_white() -> None:
    ramp = Image.linear_gradient("L")
    made = adjusted(ramp, gamma=2.0)
    assert [made.getpixel((0, row)) for row in (0, 64, 255)] == [0, 128, 255]


def test_sepia_uses_the_matrix_of_the_w3c() -> None:
    made = adjusted(Image.new("RGB", (2, 2), (100, 150, 200)), sepia=True)
    assert made.getpixel((0, 0)) == (192, 171, 134)


def test_arguments_without_adjustment_are_refused() -> None:
    with pytest.raises(ValidationError, match="say what to adjust"):
        AdjustArgs.model_validate({"image_url": "0" * 64, "brightness": 1.0})
