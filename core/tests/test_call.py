"""The call as data: what is sent to another process and what is refused there."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from promptvision.errors import ArgumentsError, SetupError, ToolFailed
from promptvision.runtime.call import PROTOCOL, Call, CallData, CallOutput, OutputData, image_ids_of
from promptvision.runtime.context import SavedImage
from promptvision.tools import operations
from promptvision.tools.tool import Tool
from promptvision.types import Box, ImageRef, MaskRef, Target

SEGMENT = Tool(name="cut", operation=operations.SEGMENT, run="nowhere:run").owned_by("test", "1.0")
DETECT = Tool(name="find", operation=operations.DETECT, run="nowhere:run").owned_by("test", "1.0")
TOOLS = {tool.name: tool for tool in (SEGMENT, DETECT)}
A, B = "a" * 64, "b" * 64


def make(tool: Tool = DETECT, **changes: Any) -> Call:
    args = operations.DetectArgs(image_url=ImageRef(A), prompt=Target("cat"))
    return Call(
        **{
            "tool": tool,
            "args": args,
            "seed": 7,
            "parent": A,
            "deadline": time.monotonic() + 5,
            **changes,
        }
    )


def cross(data: CallData) -> CallData:
    """Through JSON text, as between two processes."""
    return CallData.model_validate_json(data.model_dump_json())


@given(
    st.lists(st.tuples(st.floats(0, 1e4), st.floats(0, 1e4)), min_size=1, max_size=4), st.integers(0, 2**32)
)
def test_call_arrives_as_it_was_sent(corners: list[tuple[float, float]], seed: int) -> None:
    boxes = [Box(x, y, x + 10, y + 10) for x, y in corners]
    args = operations.SegmentArgs(image_url=ImageRef(A), bounding_boxes=boxes)
    call = make(SEGMENT, args=args, seed=seed)
    arrived = Call.from_data(cross(call.to_data("digest")), TOOLS, "digest")
    assert (arrived.tool, arrived.args, arrived.seed, arrived.parent) == (SEGMENT, args, seed, A)
    assert abs(arrived.deadline - call.deadline) < 1


def test_deadline_crosses_as_the_time_that_is_left() -> None:
    assert 4 < make().to_data().timeout_s <= 5
    assert make(deadline=time.monotonic() - 1).to_data().timeout_s > 0


def test_images_are_named_by_id_each_once() -> None:
    args = operations.InpaintArgs(image_url=ImageRef(A), mask_url=MaskRef(B), prompt="a hat")
    assert image_ids_of(args) == (A, B)
    result = operations.SegmentArgs(image_url=ImageRef(A), bounding_boxes=[Box(0, 0, 1, 1)])
    assert image_ids_of(result) == (A,)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"protocol": PROTOCOL + 1}, f"it speaks version {PROTOCOL} of the call protocol"),
        ({"tool": "saw"}, "it has no tool 'saw' of plugin 'test'"),
        ({"plugin": "other"}, "it has no tool 'find' of plugin 'other'"),
        ({"version": "1.1"}, "plugin 'test' has version 1.0 there, and the call was made for 1.1"),
        ({"settings": "of yesterday"}, "its settings differ"),
    ],
)
def test_call_of_another_version_is_refused(change: dict[str, Any], message: str) -> None:
    data = make().to_data("digest").model_copy(update=change)
    with pytest.raises(SetupError, match=message):
        Call.from_data(cross(data), TOOLS, "digest")


def test_arguments_that_do_not_fit_name_the_field() -> None:
    data = make().to_data().model_copy(update={"arguments": {"image_url": A, "prompt": "", "colour": 3}})
    with pytest.raises(ArgumentsError, match=r"prompt: .*colour: "):
        Call.from_data(data, TOOLS)


def test_unknown_fields_of_a_message_are_refused() -> None:
    with pytest.raises(ValidationError, match="hook"):
        CallData.model_validate({**make().to_data().model_dump(), "hook": "rm"})


def test_output_arrives_as_it_was_sent() -> None:
    result = operations.BwResult(original_image_url=ImageRef(A), bw_image_url=ImageRef(B), message="done")
    output = CallOutput(result, (SavedImage(B, "edit", A, 4, 3),), is_degraded=True)
    data = OutputData.model_validate_json(output.to_data().model_dump_json())
    tool = Tool(name="grey", operation=operations.CONVERT_TO_BW, run="nowhere:run")
    assert CallOutput.from_data(data, tool) == output


def test_arguments_that_the_tool_does_not_serve_are_left_to_the_next_tool() -> None:
    picky = replace(DETECT, accepts=lambda args: args.prompt != "cat", limits="No cats.")
    with pytest.raises(ToolFailed, match="test: tool 'find': No cats"):
        Call.from_data(make().to_data(), {"find": picky})
