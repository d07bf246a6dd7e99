"""The plan of one image: when it is used for others, and what happens if a call fails."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptvision import Image, tool
from promptvision.batches.plan import ImageSpecific, Plan, PlannedCall, plan_of
from promptvision.conversations.turn import Turn
from promptvision.llm.messages import ChatReply, ToolCall
from promptvision.testing.agents import make_agent
from promptvision.testing.planner import ScriptedPlanner
from promptvision.testing.tools import make_tools


@tool
def turn_round(image: Image, degrees: float = 90, width: int | None = None, note: str = "") -> Image:
    """Rotate an image."""
    return image.rotate(degrees)


def calls(*made: tuple[str, dict[str, Any]]) -> ChatReply:
    named = tuple(ToolCall(id=f"c{n}", name=name, arguments=args) for n, (name, args) in enumerate(made))
    return ChatReply(tool_calls=named, finish_reason="tool_calls")


def turn_with(prompt: str, *replies: ChatReply, scene_png: bytes) -> Turn:
    """The stored turn of a planner that gives these replies."""
    planner = ScriptedPlanner([*replies, ChatReply(text="There.")])
    agent = make_agent([*make_tools(), turn_round], planner=planner)

    async def run() -> Turn:
        async with agent:
            reply = await agent.run(prompt, image=scene_png)
            turn = await agent.services.conversations.turn("local", reply.turn_id)
            assert turn is not None
            return turn

    return asyncio.run(run())


def test_handles_of_the_image_and_of_the_newest_edit_are_usable(scene_png: bytes) -> None:
    turn = turn_with(
        "make it grey, turn it, and turn the original",
        calls(("convert_to_bw", {"image_url": "img_1"})),
        calls(("turn_round", {"image": "img_2", "degrees": 90})),
        calls(("turn_round", {"image": "img_1", "degrees": 45})),
        scene_png=scene_png,
    )
    assert plan_of(turn).calls == (
        PlannedCall("convert_to_bw", {}),
        PlannedCall("turn_round", {"degrees": 90}),
        PlannedCall("turn_round", {"image": "img_1", "degrees": 45}),
    )


def test_a_failed_call_is_not_part_of_the_plan(scene_png: bytes) -> None:
    turn = turn_with(
        "turn it",
        calls(("turn_round", {"degrees": "far"})),
        calls(("turn_round", {"degrees": 90})),
        scene_png=scene_png,
    )
    assert plan_of(turn) == Plan((PlannedCall("turn_round", {"degrees": 90}),))


@pytest.mark.parametrize(
    ("prompt", "first", "second", "why"),
    [
        (
            "cut out the red thing",
            ("detect_objects", {"prompt": "red"}),
            ("segment_objects", {"bounding_boxes": [[10, 10, 30, 30]]}),
            "coordinates",
        ),
        (
            "cut out the red thing",
            ("detect_objects", {"prompt": "red"}),
            ("segment_objects", {"bounding_boxes": "[[10, 10, 30, 30]]"}),
            "coordinates",
        ),
        ("turn it", ("turn_round", {}), ("turn_round", {"width": 60}), "position or size"),
        (
            "mark the red thing, then turn that",
            ("detect_objects", {"prompt": "red"}),
            ("turn_round", {"image": "img_2"}),
            "img_2",
        ),
        (
            "describe it, then write that on the back",
            ("caption_image", {}),
            ("turn_round", {"note": "nothing that has a name"}),
            "repeats what an earlier call found",
        ),
    ],
)
def test_what_depends_on_the_image_is_not_used_again(
    prompt: str,
    first: tuple[str, dict[str, Any]],
    second: tuple[str, dict[str, Any]],
    why: str,
    scene_png: bytes,
) -> None:
    turn = turn_with(prompt, calls(first), calls(second), scene_png=scene_png)
    with pytest.raises(ImageSpecific, match=why):
        plan_of(turn)


def test_words_and_sizes_of_the_prompt_are_usable(scene_png: bytes) -> None:
    turn = turn_with(
        "find the red thing and make it 60 wide",
        calls(("detect_objects", {"prompt": "red thing"})),
        calls(("turn_round", {"width": 60, "note": "red thing"})),
        scene_png=scene_png,
    )
    assert [call.name for call in plan_of(turn).calls] == ["detect_objects", "turn_round"]


def test_an_answer_without_a_call_is_not_a_plan(scene_png: bytes) -> None:
    with pytest.raises(ImageSpecific, match="without a call"):
        plan_of(turn_with("hello", scene_png=scene_png))


@given(
    st.lists(
        st.builds(
            PlannedCall,
            st.text(max_size=9),
            st.dictionaries(st.text(max_size=9), st.none() | st.booleans() | st.integers() | st.text()),
        ),
        max_size=4,
    )
)
def test_stored_plan_reads_back(made: list[PlannedCall]) -> None:
    plan = Plan(tuple(made))
    assert Plan.from_stored(plan.stored()) == plan
