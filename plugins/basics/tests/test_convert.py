"""Formats: what is stored equals Pillow's own on the same call."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from pydantic import ValidationError

from promptvision.testing import CallContext, make_context, run_tool, still_life
from promptvision_basics.models import ConvertArgs
from promptvision_basics.plugin import promptvision_tools

(TOOL,) = [tool for tool in promptvision_tools() if tool.name == "pillow_convert"]
OPTIONS: dict[str, dict[str, Any]] = {
    "jpeg": {"quality": 60},
    "webp": {"quality": 60, "alpha_quality": 100, "use_sharp_yuv": True},
    "avif": {"quality": 60, "speed": 6},
    "tiff": {"compression": "tiff_adobe_deflate"},
}


def stored(context: CallContext, result: Any) -> bytes:
    return context._images.store.get(result.converted_image_url.id)


@pytest.mark.parametrize("format_", OPTIONS)
def test_file_equals_that_of_pillow(format_: str) -> None:
    held, image = make_context(), still_life()
    result = run_tool(TOOL, image, context=held, format=format_, quality=60)
    wanted = BytesIO()
    image.save(wanted, format_.upper(), **OPTIONS[format_])
    assert stored(held, result) == wanted.getvalue()
    assert (result.format, result.file_bytes) == (f"image/{format_}", len(wanted.getvalue()))
    decoded = held.open(result.converted_image_url)
    with Image.open(wanted) as again:
        assert decoded.tobytes() == again.convert("RGB").tobytes()


def test_png_keeps_every_pixel_and_says_that_quality_has_no_effect() -> None:
    held, image = make_context(), still_life()
    result = run_tool(TOOL, image, context=held, format="PNG", quality=10)
    assert held.open(result.converted_image_url).tobytes() == image.tobytes()
    assert result.summary().startswith("The image is stored as PNG now, ")
    assert result.summary().endswith("PNG is lossless, so the quality has no effect.")


@pytest.mark.parametrize("name", ["jpg", ".JPG", "jpeg", "JPEG"])
def test_transparent_parts_are_white_in_a_jpeg_and_the_message_says_so(name: str) -> None:
    held = make_context()
    result = run_tool(TOOL, Image.new("RGBA", (20, 20), (255, 0, 0, 0)), context=held, format=name)
    assert held.open(result.converted_image_url).getpixel((5, 5)) == (255, 255, 255)
    assert "JPEG has no transparency" in result.summary()


def test_transparency_is_kept_where_the_format_has_it() -> None:
    held = make_context()
    for format_ in ("webp", "avif", "tiff"):
        result = run_tool(TOOL, Image.new("RGBA", (20, 20), (255, 0, 0, 0)), context=held, format=format_)
        assert held.open(result.converted_image_url).mode == "RGBA"


@pytest.mark.parametrize("wrong", [{"format": "bmp"}, {"format": "jpeg", "quality": 0}, {"quality": 50}])
def test_other_formats_and_qualities_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ConvertArgs.model_validate({"image_url": "0" * 64, **wrong})
