"""Facts about images and names of colours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageColor

from promptvision.testing import make_context, run_tool
from promptvision_basics.colours import colour_name, read_colour
from promptvision_basics.info import main_colours
from promptvision_basics.plugin import promptvision_tools

INFO = next(tool for tool in promptvision_tools() if tool.name == "pillow_info")


def test_facts_of_a_two_coloured_image() -> None:
    image = Image.new("RGBA", (400, 100), (255, 0, 0, 255))
    image.paste((0, 0, 255, 255), (0, 0, 100, 100))
    context = make_context()
    result = run_tool(INFO, image, context=context)
    assert (result.width, result.height, result.megapixels, result.mode) == (400, 100, 0.04, "RGBA")
    assert result.format == "image/png"
    assert result.file_bytes > 0
    assert not result.has_transparency
    assert [(colour.name, colour.hex, colour.share) for colour in result.colours] == [
        ("red", "#ff0000", 0.75),
        ("blue", "#0000ff", 0.25),
    ]
    assert "400 x 100" in result.summary()


def test_transparent_pixels_have_no_colour() -> None:
    assert main_colours(Image.new("RGBA", (20, 20), (9, 9, 9, 0))) == []
    image = Image.new("LA", (20, 20), (255, 255))
    image.putpixel((0, 0), (0, 0))
    context = make_context()
    assert run_tool(INFO, image, context=context).has_transparency


@given(st.tuples(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255)))
def test_every_colour_has_a_name_that_pillow_knows(rgb: tuple[int, int, int]) -> None:
    assert colour_name(rgb) in ImageColor.colormap


@pytest.mark.parametrize(
    ("text", "rgb"), [("Navy", (0, 0, 128)), ("light blue", (173, 216, 230)), ("#1e90ff", (30, 144, 255))]
)
def test_common_spellings_of_colours_are_read(text: str, rgb: tuple[int, int, int]) -> None:
    assert read_colour("color", text) == rgb
