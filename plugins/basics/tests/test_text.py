"""Text on images."""

from __future__ import annotations

from typing import Any

import pytest
from PIL import Image, ImageChops

from promptvision.plugin import ArgumentsError, ToolFailed
from promptvision.testing import make_context, run_tool
from promptvision_basics.plugin import promptvision_tools

TEXT = next(tool for tool in promptvision_tools() if tool.name == "pillow_text")


def written(image: Image.Image, **args: Any) -> tuple[Image.Image, Any]:
    context = make_context()
    result = run_tool(TEXT, image, context=context, **args)
    return context.open(result.text_image_url), result


@pytest.mark.parametrize(
    ("place", "inside"),
    [("top left", (0, 0, 200, 100)), ("bottom right", (200, 100, 400, 200)), ("center", (100, 50, 300, 150))],
)
def test_text_changes_only_its_box(place: str, inside: tuple[int, int, int, int]) -> None:
    image = Image.new("RGB", (400, 200), "navy")
    made, result = written(image, text="Hello", place=place, size=24)
    changed = ImageChops.difference(made, image).getbbox()
    assert changed is not None
    assert changed[0] >= inside[0]
    assert changed[1] >= inside[1]
    assert changed[2] <= inside[2]
    assert changed[3] <= inside[3]
    assert changed[0] >= result.box.x1 - 1
    assert changed[2] <= result.box.x2 + 1


def test_long_text_is_made_to_fit() -> None:
    _, result = written(Image.new("RGB", (300, 200)), text="A rather long line of text for this image")
    assert result.box.x2 - result.box.x1 <= 300


def test_text_that_does_not_fit_is_refused_with_both_sizes() -> None:
    with pytest.raises(ToolFailed, match="the image has 50 x 20"):
        written(Image.new("RGB", (50, 20)), text="Much too long", size=40)


def test_unknown_colour_is_named() -> None:
    with pytest.raises(ArgumentsError, match="'reddish' is not a colour"):
        written(Image.new("RGB", (300, 200)), text="Hi", color="reddish")


def test_outline_contrasts_with_the_text() -> None:
    made, _ = written(Image.new("RGB", (300, 200), "grey"), text="Hi", color="white")
    assert (0, 0, 0) in {colour for _, colour in made.getcolors(60_000) or []}
