"""Boxes in every format that planners write."""

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
from promptvision.testing.boxes import BOX, BOXES, NO_BOXES, SIZE
from promptvision.tools.boxes import box_fields, read_boxes
from promptvision.tools.operations import CaptionArgs, SegmentArgs
from promptvision.types import Box


@pytest.mark.parametrize("spelling", [name for name, case in BOXES.items() if not case.note])
def test_spelling_that_means_pixels_needs_no_note(spelling: str) -> None:
    assert read_boxes(BOXES[spelling].written, SIZE) == ([BOX], [])


@pytest.mark.parametrize("spelling", [name for name, case in BOXES.items() if case.note])
def test_spelling_that_means_something_else_is_converted_with_a_note(spelling: str) -> None:
    boxes, notes = read_boxes(BOXES[spelling].written, SIZE)
    assert boxes == [pytest.approx(BOX, abs=0.6)]
    assert BOXES[spelling].note in " ".join(notes)


@pytest.mark.parametrize("value", NO_BOXES.values(), ids=NO_BOXES.keys())
def test_what_cannot_be_read_gets_the_form_and_the_size(value: Any) -> None:
    with pytest.raises(ArgumentsError, match=r"\[x1, y1, x2, y2\] in pixels.*640 x 360"):
        read_boxes(value, SIZE)


def test_box_over_the_edge_is_clipped() -> None:
    assert read_boxes([[600, 300, 650, 365]], SIZE) == ([Box(600, 300, 640, 360)], [])
    assert read_boxes([[-20, -3, 100, 100]], SIZE) == ([Box(0, 0, 100, 100)], [])


def test_whole_image_as_fractions() -> None:
    assert read_boxes([0, 0, 1, 1], SIZE)[0] == [Box(0, 0, 640, 360)]


def test_several_boxes_share_their_unit() -> None:
    boxes, _ = read_boxes([[100, 100, 200, 200], [375, 389, 531, 667]], SIZE)
    assert boxes[0] == pytest.approx(Box(64, 36, 128, 72))
    assert boxes[1] == pytest.approx(BOX, abs=0.6)


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


@pytest.mark.parametrize("spelling", BOXES)
def test_tool_gets_pixels_and_the_answer_says_what_was_changed(spelling: str, still: bytes) -> None:
    agent = make_agent(make_tools())
    values = {"image_url": still, "bounding_boxes": BOXES[spelling].written}
    reply = asyncio.run(agent.call_tool("segment_objects", values))
    assert reply.status == "done", reply.text_response
    mask = agent.open(reply.steps[-1].result["merged_mask_url"])  # type: ignore[index]  # it is done
    assert mask.getbbox() == pytest.approx((240, 140, 340, 240), abs=1)
    assert BOXES[spelling].note in reply.text_response


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
