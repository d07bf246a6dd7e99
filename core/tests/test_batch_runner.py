"""Running the turns of a batch: planned once, planned again if a call fails, and cleaned up."""

from __future__ import annotations

import asyncio
from typing import Any

from PIL import Image as PillowImage
from PIL import ImageDraw

from promptvision.agent.reply import Reply
from promptvision.batches.runner import BatchRunner
from promptvision.images.codec import encode_png
from promptvision.llm.messages import ChatReply, ToolCall
from promptvision.testing.agents import make_agent
from promptvision.testing.planner import ScriptedPlanner
from promptvision.testing.tools import make_tools


def calls(*made: tuple[str, dict[str, Any]]) -> ChatReply:
    named = tuple(ToolCall(id=f"c{n}", name=name, arguments=args) for n, (name, args) in enumerate(made))
    return ChatReply(tool_calls=named, finish_reason="tool_calls")


def scenes(count: int) -> list[bytes]:
    """Different images with a red square."""
    made = []
    for number in range(count):
        image = PillowImage.new("RGB", (60, 40), "white")
        ImageDraw.Draw(image).rectangle((10, 10, 20 + number, 29), fill="red")
        made.append(encode_png(image))
    return made


async def run_all(runner: BatchRunner, images: list[bytes]) -> list[Reply]:
    return await asyncio.gather(*(runner.run(number, image) for number, image in enumerate(images, 1)))


def test_planner_is_asked_for_the_first_image_only() -> None:
    planner = ScriptedPlanner([calls(("detect_objects", {"prompt": "red"})), ChatReply(text="Found.")])
    agent = make_agent(make_tools(), planner=planner)

    async def run() -> list[Reply]:
        async with agent:
            return await run_all(BatchRunner(agent, "find red", batch_id="b"), scenes(5))

    replies = asyncio.run(run())
    planner.assert_used_up()
    assert [reply.status for reply in replies] == ["done"] * 5
    widths = [reply.fields["bounding_boxes"][0][2] for reply in replies]
    assert widths == [21, 22, 23, 24, 25], "each result is that of its own image"


def test_planner_is_asked_after_a_call_of_the_plan_fails(scene_png: bytes) -> None:
    white = encode_png(PillowImage.new("RGB", (60, 40), "white"))
    segment = ("segment_objects", {"target": "red"})
    planner = ScriptedPlanner(
        [calls(segment), ChatReply(text="Cut."), ChatReply(text="There is no red in this one.", failed=True)]
    )
    agent = make_agent(make_tools(), planner=planner)

    async def run() -> list[Reply]:
        async with agent:
            return await run_all(BatchRunner(agent, "cut out red", batch_id="b"), [scene_png, white])

    replies = asyncio.run(run())
    planner.assert_used_up()
    assert [(reply.status, reply.text_response) for reply in replies] == [
        ("done", "Cut."),
        ("failed", "There is no red in this one."),
    ]


def test_image_specific_instruction_is_planned_for_each_image() -> None:
    replies = [calls(("segment_objects", {"bounding_boxes": [[5, 5, 15, 15]]})), ChatReply(text="Cut.")]
    planner = ScriptedPlanner(replies * 3)
    agent = make_agent(make_tools(), planner=planner)

    async def run() -> BatchRunner:
        async with agent:
            runner = BatchRunner(agent, "cut out the corner", batch_id="b")
            for number, image in enumerate(scenes(3), 1):
                assert (await runner.run(number, image)).status == "done"
            return runner

    runner = asyncio.run(run())
    planner.assert_used_up()
    assert runner.plan is None
    assert "coordinates" in runner.reason


def test_images_are_removed_even_if_turns_overlap(scene_png: bytes) -> None:
    agent = make_agent(make_tools())
    images = [*scenes(12), scene_png, scene_png]

    async def run() -> None:
        async with agent:
            runner = BatchRunner(agent, "make it black and white", batch_id="b")
            left = iter(enumerate(images, 1))

            async def work() -> None:
                for number, image in left:
                    assert (await runner.run(number, image)).status == "done"
                    await runner.delete_conversation(number)

            await asyncio.gather(*(work() for _ in range(3)))
            assert agent.images.ids() == []
            assert agent.conversations.conversations("local") == []

    asyncio.run(run())
