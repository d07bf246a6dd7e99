"""The mirror tool, through the test kit and called as a plain function."""

from __future__ import annotations

from PIL import Image
from promptvision_mirror.plugin import mirror

from promptvision.testing import make_context, run_tool


def corner() -> Image.Image:
    """Two pixels, the left one red."""
    image = Image.new("RGB", (2, 1), "white")
    image.putpixel((0, 0), (255, 0, 0))
    return image


def test_left_becomes_right() -> None:
    context = make_context()
    result = run_tool(mirror, corner(), context=context)
    assert context.open(result.mirror_image_url).getpixel((1, 0)) == (255, 0, 0)


def test_decorated_function_stays_callable() -> None:
    assert mirror(corner()).getpixel((1, 0)) == (255, 0, 0)
