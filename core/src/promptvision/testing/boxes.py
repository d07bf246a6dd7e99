"""Boxes as language models and programs write them, each with what it selects.

For the tests of every tool that takes boxes. All mean the box :data:`BOX` of an image of :data:`SIZE`. The
cases are described in ``docs/masks.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from promptvision.types import Box

__all__ = ["BOX", "BOXES", "NO_BOXES", "SIZE", "BoxCase"]

SIZE = (640, 360)
"""Width and height of the image that the boxes are for."""
BOX = Box(240, 140, 340, 240)


@dataclass(frozen=True)
class BoxCase:
    """One spelling of a box.

    Args:
        written: the value of the argument.
        note: words that the message must hold where the meaning was changed; empty where pixels are meant.
    """

    written: Any
    note: str = ""


_SHARES = [0.375, 140 / 360, 0.53125, 240 / 360]

BOXES: dict[str, BoxCase] = {
    "a list of lists": BoxCase([[240, 140, 340, 240]]),
    "a flat list": BoxCase([240, 140, 340, 240]),
    "a tuple": BoxCase((240, 140, 340, 240)),
    "floats": BoxCase([[240.0, 140.0, 340.0, 240.0]]),
    "numbers as text": BoxCase([["240", "140", "340", "240"]]),
    "text with commas": BoxCase("240,140,340,240"),
    "text with spaces": BoxCase("240 140 340 240"),
    "JSON text": BoxCase("[[240, 140, 340, 240]]"),
    "JSON text of an object": BoxCase('{"x1": 240, "y1": 140, "x2": 340, "y2": 240}'),
    "text in a list": BoxCase(["240, 140, 340, 240"]),
    "text in brackets": BoxCase("(240, 140) (340, 240)"),
    "text with names": BoxCase("x1=240, y1=140, x2=340, y2=240"),
    "pixels with their unit": BoxCase(["240px", "140px", "340px", "240px"]),
    "x1 to y2": BoxCase({"x1": 240, "y1": 140, "x2": 340, "y2": 240}),
    "a list of objects": BoxCase([{"x1": 240, "y1": 140, "x2": 340, "y2": 240}]),
    "xmin to ymax": BoxCase({"xmin": 240, "ymin": 140, "xmax": 340, "ymax": 240}),
    "x_min to y_max": BoxCase({"x_min": 240, "y_min": 140, "x_max": 340, "y_max": 240}),
    "left to bottom": BoxCase({"left": 240, "top": 140, "right": 340, "bottom": 240}),
    "x, y, width, height by name": BoxCase({"x": 240, "y": 140, "width": 100, "height": 100}),
    "x, y, w, h by name": BoxCase([{"x": 240, "y": 140, "w": 100, "h": 100}]),
    "a box in an object": BoxCase({"box": [240, 140, 340, 240]}),
    "a labelled box": BoxCase([{"label": "box", "bbox": [240, 140, 340, 240]}]),
    "boxes in an object": BoxCase({"bounding_boxes": [[240, 140, 340, 240]]}),
    "two corner points": BoxCase([[240, 140], [340, 240]]),
    "two points by name": BoxCase({"top_left": {"x": 240, "y": 140}, "bottom_right": {"x": 340, "y": 240}}),
    "four corner points": BoxCase([[240, 140], [340, 140], [340, 240], [240, 240]]),
    "a box": BoxCase([BOX]),
    "shares": BoxCase([_SHARES], "shares of the image"),
    "a flat list of shares": BoxCase(_SHARES, "shares of the image"),
    "per cent": BoxCase(["37.5%", "38.889%", "53.125%", "66.667%"], "per cent"),
    "thousandths": BoxCase([[375, 389, 531, 667]], "thousandths"),
    "box_2d": BoxCase({"box_2d": [389, 375, 667, 531]}, "[y1, x1, y2, x2]"),
    "x, y, width, height": BoxCase([[240, 140, 100, 100]], "[x, y, width, height]"),
    "text with width and height": BoxCase("x=240 y=140 w=100 h=100", "[x, y, width, height]"),
    "swapped corners": BoxCase([[340, 240, 240, 140]], "swapped"),
    "swapped left and right": BoxCase([[340, 140, 240, 240]], "swapped"),
}

NO_BOXES: dict[str, Any] = {
    "three numbers": [[240, 140, 340]],
    "five numbers": [1, 2, 3, 4, 5],
    "words": "the blue box",
    "words among numbers": "240, 140, about 340, 240",
    "other names": {"centre": [1, 2]},
    "null": [[None, 1, 2, 3]],
    "true": [[True, 1, 20, 30]],
    "an empty list": [],
    "an empty text": "",
    "one number": 7,
    "3 pixels": [[240, 140, 243, 143]],
    "no height": [[240, 140, 240.5, 240]],
    "no area": [[240, 140, 240, 240]],
    "right of the image": [[700, 20, 1400, 200]],
    "left of the image": [[-50, -50, -10, -10]],
    "far too large": [[0, 0, 1e12, 5]],
    "not a number": [["nan", 1, 2, 3]],
    "too many": [[10, 10, 20, 20]] * 101,
}
"""Values that mean no box; the error names the form that is wanted and the size of the image."""
