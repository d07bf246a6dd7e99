"""Blur, pixelate and solid remove the region's content and keep the rest bit-identical."""

from __future__ import annotations

from typing import Any

import pytest
from PIL import Image, ImageChops, ImageDraw
from pydantic import ValidationError

from promptvision.plugin import ToolFailed
from promptvision.testing import CallContext, make_context, run_tool
from promptvision_basics.blur import obscure
from promptvision_basics.models import BlurArgs
from promptvision_basics.plugin import promptvision_tools

BLUR = next(tool for tool in promptvision_tools() if tool.name == "pillow_blur")
BOX = (30, 20, 70, 60)


def stripes(mode: str = "RGB") -> Image.Image:
    image = Image.new("RGB", (120, 80), "white")
    for x in range(0, 120, 4):
        ImageDraw.Draw(image).line((x, 0, x, 79), fill=(x, 0, 255 - x), width=2)
    image = image.convert(mode)
    if "A" in mode:
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image


def blurred(image: Image.Image, context: CallContext | None = None, **args: Any) -> Image.Image:
    context = context or make_context()
    return context.open(run_tool(BLUR, image, context=context, **args).blurred_image_url)


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
@pytest.mark.parametrize("style", ["blur", "pixelate", "solid"])
def test_boxes_change_and_the_rest_is_bit_identical(mode: str, style: str) -> None:
    image = stripes(mode)
    made = blurred(image, target="sign", bounding_boxes=[BOX], style=style)
    assert made.mode == mode
    changed = ImageChops.difference(made.convert("RGBA"), image.convert("RGBA")).getbbox(alpha_only=False)
    assert changed is not None
    left, top, right, bottom = changed
    room = 0.08 * 40 + 1
    assert left >= BOX[0] - room
    assert top >= BOX[1] - room
    assert right <= BOX[2] + room
    assert bottom <= BOX[3] + room


def test_pixelated_region_keeps_no_detail() -> None:
    part = blurred(stripes(), target="sign", bounding_boxes=[BOX], style="pixelate", strength=1.0).crop(BOX)
    assert len(part.getcolors(10_000) or []) <= 36


def test_solid_region_is_black() -> None:
    made = blurred(stripes(), target="sign", bounding_boxes=[BOX], style="solid")
    assert made.crop(BOX).getcolors() == [(1600, (0, 0, 0))]


def test_mask_can_be_kept_instead() -> None:
    context = make_context()
    mask = Image.new("L", (120, 80))
    mask.paste(255, BOX)
    ref = context.save_mask(mask)
    image = stripes()
    made = blurred(image, context, target="sign", keep_target=True, mask_url=ref)
    assert made.crop(BOX).tobytes() == image.crop(BOX).tobytes()
    assert made.crop((0, 0, 25, 80)).tobytes() != image.crop((0, 0, 25, 80)).tobytes()


def test_whole_image_is_blurred_without_a_target() -> None:
    image = stripes()
    assert blurred(image).tobytes() == obscure(image, "blur", 0.5).tobytes()


def test_plain_region_fails_with_a_message() -> None:
    with pytest.raises(ToolFailed, match="changed no pixel"):
        blurred(Image.new("RGB", (40, 40), "red"))


@pytest.mark.parametrize(
    ("values", "missing"),
    [({"target": "face"}, "bounding_boxes"), ({"target": "face", "keep_target": True}, "mask_url")],
)
def test_missing_argument_of_a_target_is_named(values: dict[str, Any], missing: str) -> None:
    with pytest.raises(ValidationError, match=missing):
        BlurArgs.model_validate({"image_url": "0" * 64, **values})
