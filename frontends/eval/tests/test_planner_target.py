"""The images that a planner gets with a labelled sentence: those of the conversation and of its calls."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from promptvision.plugin import ChatReply, PlanRequest, ToolCall, operations
from promptvision_eval.planner_target import MAX_CALLS, PlannerTarget

KNOWN = (operations.DETECT, operations.SEGMENT, operations.INPAINT, operations.CONVERT_TO_BW)
ONE_IMAGE = """\
[Images of this conversation:
img_1 input 1024x768 given by the user (current)
]"""


class Scripted:
    """A planner that gives prepared replies and records the requests."""

    name = "scripted"
    context_tokens = 1000

    def __init__(self, *replies: tuple[ToolCall, ...]) -> None:
        self.asked: list[PlanRequest] = []
        self._replies = iter(replies)

    async def complete(self, request: PlanRequest) -> ChatReply:
        self.asked.append(request)
        calls = next(self._replies, ())
        return ChatReply(text="" if calls else "All done.", tool_calls=calls, planner=self.name)


def call(name: str, number: int = 1, **arguments: Any) -> ToolCall:
    return ToolCall(id=f"call_{number}", name=name, arguments=arguments)


def ask(planner: Scripted, sentence: str, before: Any = None) -> dict[str, Any]:
    target = PlannerTarget(
        planner,  # type: ignore[arg-type]  # it cannot stream
        plugin="test",
        version="1",
        functions=(),
        operations={each.name: each for each in KNOWN},
        identity={},
    )
    output, seconds = asyncio.run(target.call({"sentence": sentence, "before": before}))
    assert seconds > 0
    return dict(output.fields)


def test_a_first_turn_has_one_image() -> None:
    planner = Scripted()
    fields = ask(planner, "describe it")
    (request,) = planner.asked
    assert [message.role for message in request.messages] == ["system", "user"]
    assert request.messages[-1].content == f"describe it\n\n{ONE_IMAGE}"
    assert request.prompt == "describe it"
    assert fields == {"calls": [], "text": "All done.", "is_understood": None}


def test_a_later_turn_has_the_image_that_the_earlier_turn_made() -> None:
    planner = Scripted()
    ask(planner, "now make it green", ("inpaint_image", {"target": "red ball", "prompt": "blue"}))
    _, _, calling, result, _, asked = planner.asked[0].messages
    assert calling.tool_calls[0].arguments == {"target": "red ball", "prompt": "blue"}
    assert json.loads(result.content)["inpainted_image_url"] == "img_2"
    assert asked.content.splitlines()[2:] == [
        "[Images of this conversation:",
        "img_1 input 1024x768 given by the user",
        "img_2 edit 1024x768 inpaint_image from img_1 (current)",
        "]",
    ]


def test_masks_and_annotated_copies_do_not_become_the_current_image() -> None:
    for operation, line in (
        ("detect_objects", "img_2 annotated 1024x768 detect_objects from img_1"),
        ("segment_objects", "img_2 mask 1024x768 segment_objects from img_1"),
    ):
        planner = Scripted()
        ask(planner, "remove it", (operation, {}))
        table = planner.asked[0].messages[-1].content.splitlines()[2:]
        assert table[1].endswith("(current)")
        assert table[2] == line


def test_images_that_the_sentence_names_exist() -> None:
    planner = Scripted()
    ask(planner, "put img_1 and img_3 into a grid")
    rows = planner.asked[0].messages[-1].content.splitlines()[3:-1]
    assert [row.split()[0] for row in rows] == ["img_1", "img_2", "img_3"]
    assert rows[2].endswith("(current)")


def test_each_call_is_answered_with_the_handles_of_its_images() -> None:
    first = (call("convert_to_bw", image_url="img_1"),)
    second = (call("segment_objects", 2, image_url="img_2"), call("make_tea", 3))
    planner = Scripted(first, second)
    fields = ask(planner, "make it black and white and segment it")
    assert [made["name"] for made in fields["calls"]] == ["convert_to_bw", "segment_objects", "make_tea"]
    results = [message for message in planner.asked[-1].messages if message.role == "tool"]
    assert [message.tool_call_id for message in results] == ["call_1", "call_2", "call_3"]
    bw, segmented, tea = (json.loads(message.content) for message in results)
    assert bw == {"success": True, "message": "Done 1.", "bw_image_url": "img_2"}
    assert (segmented["merged_mask_url"], segmented["mask_urls"]) == ("img_3", ["img_4"])
    assert tea == {"success": True, "message": "Done 3."}
    assert [outcome.summary for outcome in planner.asked[-1].outcomes] == ["Done 1.", "Done 2.", "Done 3."]


def test_arguments_that_are_not_json_count_as_none() -> None:
    planner = Scripted(
        (ToolCall(id="a", name="convert_to_bw", arguments="{"),),
        (ToolCall(id="b", name="convert_to_bw", arguments="[1]"),),
    )
    fields = ask(planner, "make it black and white")
    assert [made["arguments"] for made in fields["calls"]] == [{}, {}]
    assert fields["calls"][0]["defaults"]["image_url"] == ""


def test_a_planner_that_never_answers_is_stopped() -> None:
    planner = Scripted(*((call("convert_to_bw", number),) for number in range(100)))
    assert len(ask(planner, "go on")["calls"]) == MAX_CALLS
