"""Reading the arguments of a call: the current image, handles, boxes in pixels, and masks."""

from __future__ import annotations

from typing import Any

import pytest

from promptvision.agent.calls.arguments import ArgumentReader, is_empty
from promptvision.agent.calls.request import OperationRequest
from promptvision.errors import ArgumentsError
from promptvision.images.handles import ImageTable
from promptvision.tools import operations
from promptvision.tools.operations import SegmentArgs
from promptvision.tools.tool import Tool
from promptvision.types import Box, ImageRef, MaskRef

ONE, EDITED, MASK = "1" * 64, "2" * 64, "3" * 64
SEGMENT = Tool(name="cut", operation=operations.SEGMENT, run="nowhere:run")
PAINT = Tool(name="paint", operation=operations.INPAINT, run="nowhere:run")


def reader() -> ArgumentReader:
    table = ImageTable()
    table.add(ONE, "input", None, "", 200, 100, 1)
    table.add(EDITED, "edit", ONE, "inpaint_image", 200, 100, 1)
    table.add(MASK, "mask", ONE, "segment_objects", 200, 100, 1)
    return ArgumentReader(table)


def request(**values: Any) -> OperationRequest:
    return OperationRequest(operation="any", values=values)


def test_the_current_image_is_used_where_none_is_named() -> None:
    values, image = reader().read(SEGMENT, request(image_url=None))
    assert (values["image_url"], image) == (ImageRef(EDITED), EDITED)


def test_a_handle_is_resolved_and_boxes_become_pixels() -> None:
    asked = request(image_url="img_1", bounding_boxes=[[0.1, 0.1, 0.5, 0.5]])
    values, image = reader().read(SEGMENT, asked)
    assert image == ONE
    assert values["bounding_boxes"] == [Box(20, 10, 100, 50)]
    assert asked.messages, "the change of unit is reported"
    args = reader().validate(SEGMENT, {**values, "unknown": 1})
    assert isinstance(args, SegmentArgs)
    assert args.image_url == ImageRef(ONE)


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"image_url": "img_9"}, "image: 'img_9' is not an image of this conversation"),
        ({"image_url": "img_1", "bounding_boxes": "nowhere"}, "bounding_boxes"),
    ],
)
def test_what_cannot_be_read_is_named(values: dict[str, Any], problem: str) -> None:
    with pytest.raises(ArgumentsError, match=problem):
        reader().read(SEGMENT, request(**values))


def test_an_empty_conversation_has_no_current_image() -> None:
    with pytest.raises(ArgumentsError, match="no image in this conversation"):
        ArgumentReader(ImageTable()).read(SEGMENT, request())


def test_an_edit_is_not_a_mask() -> None:
    values = {"image_url": "img_1", "prompt": "blue"}
    args = reader().validate(PAINT, {**values, "mask_url": "img_3"})
    assert getattr(args, "mask_url", None) == MaskRef(MASK)
    with pytest.raises(ArgumentsError, match="mask_url: img_2 is not a mask"):
        reader().validate(PAINT, {**values, "mask_url": "img_2"})


@pytest.mark.parametrize("value", [None, "", []])
def test_empty_values_count_as_not_given(value: object) -> None:
    assert is_empty(value)
    assert not is_empty(0)
    assert not is_empty(False)
