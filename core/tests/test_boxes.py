"""Boxes in every spelling, for the blue box of a 640 x 360 image."""

from __future__ import annotations

import asyncio
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from promptvision.errors import ArgumentsError
from promptvision.testing import make_agent, make_tools
from promptvision.tools.boxes import box_fields, read_boxes
from promptvision.tools.operations import CaptionArgs, SegmentArgs
from promptvision.types import Box

SIZE = (640, 360)
BLUE = Box(240, 140, 340, 240)

PLAIN: dict[str, Any] = {
    "a list of lists": [[240, 140, 340, 240]],
    "a flat list": [240, 140, 340, 240],
    "a tuple": (240, 140, 340, 240),
    "floats": [[240.0, 140.0, 340.0, 240.0]],
    "numbers as text": [["240", "140", "340", "240"]],
    "text with commas": "240,140,340,240",
    "text with spaces": "240 140 340 240",
    "JSON text": "[[240, 140, 340, 240]]",
    "JSON text of an object": '{"x1": 240, "y1": 140, "x2": 340, "y2": 240}',
    "text in a list": ["240, 140, 340, 240"],
    "text in brackets": "(240, 140) (340, 240)",
    "text with names": "x1=240, y1=140, x2=340, y2=240",
    "pixels with their unit": ["240px", "140px", "340px", "240px"],
    "x1 to y2": {"x1": 240, "y1": 140, "x2": 340, "y2": 240},
    "a list of objects": [{"x1": 240, "y1": 140, "x2": 340, "y2": 240}],
    "xmin to ymax": {"xmin": 240, "ymin": 140, "xmax": 340, "ymax": 240},
    "x_min to y_max": {"x_min": 240, "y_min": 140, "x_max": 340, "y_max": 240},
    "left to bottom": {"left": 240, "top": 140, "right": 340, "bottom": 240},
    "x, y, width, height by name": {"x": 240, "y": 140, "width": 100, "height": 100},
    "x, y, w, h by name": [{"x": 240, "y": 140, "w": 100, "h": 100}],
    "a box in an object": {"box": [240, 140, 340, 240]},
    "a labelled box": [{"label": "box", "bbox": [240, 140, 340, 240]}],
    "boxes in an object": {"bounding_boxes": [[240, 140, 340, 240]]},
    "two corner points": [[240, 140], [340, 240]],
    "two points by name": {"top_left": {"x": 240, "y": 140}, "bottom_right": {"x": 340, "y": 240}},
    "four corner points": [[240, 140], [340, 140], [340, 240], [240, 240]],
    "a box": [BLUE],
}
CHANGED: dict[str, tuple[Any, str]] = {
    "shares": ([[0.375, 140 / 360, 0.53125, 240 / 360]], "shares of the image"),
    "a flat list of shares": ([0.375, 140 / 360, 0.53125, 240 / 360], "shares of the image"),
    "per cent": (["37.5%", "38.889%", "53.125%", "66.667%"], "per cent"),
    "thousandths": ([[375, 389, 531, 667]], "thousandths"),
    "box_2d": ({"box_2d": [389, 375, 667, 531]}, "[y1, x1, y2, x2]"),
    "x, y, width, height": ([[240, 140, 100, 100]], "[x, y, width, height]"),
    "text with width and height": ("x=240 y=140 w=100 h=100", "[x, y, width, height]"),
    "swapped corners": ([[340, 240, 240, 140]], "swapped"),
    "swapped left and right": ([[340, 140, 240, 240]], "swapped"),
}


@pytest.mark.parametrize("spelling", PLAIN)
def test_spelling_that_means_pixels_needs_no_note(spelling: str) -> None:
    assert read_boxes(PLAIN[spelling], SIZE) == ([BLUE], [])


@pytest.mark.parametrize("spelling", CHANGED)
def test_spelling_that_means_something_else_is_converted_with_a_note(spelling: str) -> None:
    value, note = CHANGED[spelling]
    boxes, notes = read_boxes(value, SIZE)
    assert boxes == [pytest.approx(BLUE, abs=0.6)]
    assert note in " ".join(notes)


@pytest.mark.parametrize(
    "value",
    [
        [[240, 140, 340]],
        [1, 2, 3, 4, 5],
        "the blue box",
        "240, 140, about 340, 240",
        {"centre": [1, 2]},
        [[None, 1, 2, 3]],
        [[True, 1, 20, 30]],
        [],
        "",
        7,
        [[240, 140, 243, 143]],
        [[240, 140, 240.5, 240]],
        [[240, 140, 240, 240]],
        [[700, 20, 1400, 200]],
        [[-50, -50, -10, -10]],
        [[0, 0, 1e12, 5]],
        [["nan", 1, 2, 3]],
        [[10, 10, 20, 20]] * 101,
    ],
)
def test_what_cannot_be_read_gets_the_form_and_the_size(value: Any) -> None:
    with pytest.raises(ArgumentsError, match=r"\[x1, y1, x2, y2\] in pixels.*640 x 360"):
        read_boxes(value, SIZE)


def test_box_over_the_edge_is_clipped() -> None:
    assert read_boxes([[600, 300, 650, 365]], SIZE) == ([Box(600, 300, 640, 360)], [])
    assert read_boxes([[-20, -3, 100, 100]], SIZE) == ([Box(0, 0, 100, 100)], [])


def test_whole_image_as_shares() -> None:
    assert read_boxes([0, 0, 1, 1], SIZE)[0] == [Box(0, 0, 640, 360)]


def test_several_boxes_share_their_unit() -> None:
    boxes, _ = read_boxes([[100, 100, 200, 200], [375, 389, 531, 667]], SIZE)
    assert boxes[0] == pytest.approx(Box(64, 36, 128, 72))
    assert boxes[1] == pytest.approx(BLUE, abs=0.6)


def test_thin_boxes_and_boxes_of_small_images_stay() -> None:
    assert read_boxes([[10, 100, 600, 103]], SIZE) == ([Box(10, 100, 600, 103)], [])
    assert read_boxes([[2, 2, 5, 5]], (16, 16)) == ([Box(2, 2, 5, 5)], [])


@given(st.recursive(st.none() | st.floats() | st.text(max_size=20) | st.integers(), st.lists, max_leaves=12))
def test_anything_is_boxes_within_the_image_or_an_arguments_error(value: Any) -> None:
    try:
        boxes, _ = read_boxes(value, SIZE)
    except ArgumentsError:
        return
    assert all(0 <= box.x1 < box.x2 <= 640 and 0 <= box.y1 < box.y2 <= 360 for box in boxes)


@given(st.tuples(st.integers(0, 600), st.integers(0, 320), st.integers(6, 40), st.integers(6, 40)))
def test_json_text_reads_as_the_list_in_it(four: tuple[int, int, int, int]) -> None:
    x, y, width, height = four
    value = [[x, y, x + width, y + height]]
    assert read_boxes(json.dumps(value), SIZE) == read_boxes(value, SIZE) == ([Box(*value[0])], [])


def test_box_fields_are_found_by_type() -> None:
    assert box_fields(SegmentArgs) == {"bounding_boxes": True}
    assert box_fields(CaptionArgs) == {}


@pytest.mark.parametrize("spelling", [*PLAIN, *CHANGED])
def test_tool_gets_pixels_and_the_answer_says_what_was_changed(spelling: str, still: bytes) -> None:
    value, note = (PLAIN[spelling], "") if spelling in PLAIN else CHANGED[spelling]
    agent = make_agent(make_tools())
    values = {"image_url": still, "bounding_boxes": value}
    reply = asyncio.run(agent.call_tool("segment_objects", values))
    assert reply.status == "done", reply.text_response
    mask = agent.open(reply.steps[-1].result["merged_mask_url"])  # type: ignore[index]  # it is done
    assert mask.getbbox() == pytest.approx((240, 140, 340, 240), abs=1)
    assert note in reply.text_response


def test_box_that_cannot_be_read_fails_with_the_size(still: bytes) -> None:
    agent = make_agent(make_tools())
    with pytest.raises(ArgumentsError, match="640 x 360"):
        asyncio.run(
            agent.call_tool("segment_objects", {"image_url": still, "bounding_boxes": [[1, 2, 3, 4]]})
        )


@pytest.fixture
def still() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", SIZE, "white").save(out, "PNG")
    return out.getvalue()
