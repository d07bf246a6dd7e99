"""Everyday requests whose words are in none of the declared phrases in this order."""

from __future__ import annotations

from typing import Any

import pytest

from promptvision.testing import make_registry, read_request
from promptvision_basics.plugin import promptvision_tools

FUNCTIONS = make_registry(promptvision_tools()).functions()


@pytest.mark.parametrize(
    ("words", "name", "arguments"),
    [
        (
            'label it "Rome, 1999" in red, top left',
            "draw_text",
            {"text": "Rome, 1999", "place": "top left", "color": "red"},
        ),
        (
            "Write Anna's Garden at the bottom in gold",
            "draw_text",
            {"text": "Anna's Garden", "color": "gold"},
        ),
        ("the printer only takes pictures 1200x800", "resize_image", {"width": "1200", "height": "800"}),
        ("chop the top half away", "crop_image", {"part": "bottom half"}),
        ("make a 21:9 panorama crop", "crop_image", {"aspect": "21:9"}),
        ("trim it down to just the kite", "crop_image", {"target": "kite"}),
        ("bring back some contrast", "adjust_image", {"contrast": 1.4}),
        ("set the brightness to 130%", "adjust_image", {"brightness": 1.3}),
        ("number plates must not be legible", "blur_image", {"target": "number plates"}),
        ("straighten it by two degrees to the left", "rotate_image", {"direction": "counterclockwise"}),
        ("mirror the page vertically", "flip_image", {"direction": "vertical"}),
        ("the photo turned out really dark, can you fix it", "adjust_image", {"brightness": 1.3}),
        ("it's a little dim", "adjust_image", {"brightness": 1.3}),
        ("dull colours, liven them up", "adjust_image", {"saturation": 1.5}),
        ("contrast is too strong", "adjust_image", {"contrast": 0.7}),
        ("crop it so you only see the car", "crop_image", {"target": "car"}),
        ("can this be 16:9 for my channel", "crop_image", {"aspect": "16:9"}),
        ("make him face the other direction", "flip_image", {"direction": "horizontal"}),
        ("scale it up by 2", "resize_image", {"percent": 200}),
        ("set width to 1024", "resize_image", {"width": "1024"}),
        ("those colours hurt my eyes", "adjust_image", {"saturation": 0.5}),
        ("get the blur out", "adjust_image", {"sharpness": 2.0}),
        ("I don't want my address to be visible", "blur_image", {"target": "address"}),
        ("convert png to jpg", "convert_format", {"format": "jpg"}),
        ("das Bild ist viel zu dunkel", "adjust_image", {"brightness": 1.3}),
        ("c'est trop sombre", "adjust_image", {"brightness": 1.3}),
        ("太暗了", "adjust_image", {"brightness": 1.3}),
        ("change file type to webp", "convert_format", {"format": "webp"}),
        ("keep the dog sharp and blur everything else", "blur_image", {"target": "dog", "keep_target": True}),
    ],
)
def test_everyday_words(words: str, name: str, arguments: dict[str, Any]) -> None:
    (match,) = read_request(words, FUNCTIONS).matches
    assert match.function.name == name
    assert arguments.items() <= dict(match.arguments).items()
