"""Upscaling and resizing share words: the one that is named is called, or the other one with a note."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from promptvision.builtin.offline import OfflinePlanner
from promptvision.llm.messages import ChatReply, Message
from promptvision.llm.planner import CallOutcome, PlannerFunction, PlanRequest
from promptvision.testing.agents import make_registry
from promptvision.tools.requirements import Requirements
from promptvision_basics.plugin import promptvision_tools
from promptvision_upscale.plugin import UPSCALE

RESIZE = next(tool for tool in promptvision_tools() if tool.operation.name == "resize_image")
FUNCTIONS = make_registry([RESIZE, replace(UPSCALE, requires=Requirements())]).functions()


def ask(words: str, *outcomes: CallOutcome, can_upscale: bool, said: str = "") -> ChatReply:
    named = {function.name: function for function in FUNCTIONS}
    upscale, resize = named["upscale_image"], named["resize_image"]
    missing: tuple[PlannerFunction, ...] = (
        replace(upscale, missing="run `promptvision models pull swin2sr-x2`"),
    )
    request = PlanRequest(
        messages=(Message(role="assistant", content=said), Message(role="user", content=words)),
        functions=(resize, upscale) if can_upscale else (resize,),
        unavailable=() if can_upscale else missing,
        prompt=words,
        outcomes=outcomes,
    )
    return asyncio.run(OfflinePlanner().complete(request))


@pytest.mark.parametrize("words", ["upscale it 4x", "upscale the photo by 4x", "upscale this 4 times"])
def test_upscaling_is_called_where_it_can_run(words: str) -> None:
    (call,) = ask(words, can_upscale=True).tool_calls
    assert (call.name, call.arguments) == ("upscale_image", {"factor": 4})


def test_resizing_is_called_instead_and_the_answer_says_once_what_is_missing() -> None:
    (call,) = ask("upscale it 4x", can_upscale=False).tool_calls
    assert (call.name, call.arguments) == ("resize_image", {"percent": "400"})
    done = CallOutcome(name=call.name, arguments=call.arguments, summary="It is larger.")
    text = ask("upscale it 4x", done, can_upscale=False).text
    first, note = text.splitlines()
    assert first == "It is larger."
    assert "super-resolution" in note
    assert note.endswith("run `promptvision models pull swin2sr-x2`")
    assert ask("upscale it 4x", done, can_upscale=False, said=text).text == "It is larger."


def test_other_sizes_are_resized_without_a_note() -> None:
    done = CallOutcome(name="resize_image", arguments={"percent": 50}, summary="It is smaller.")
    assert ask("make it half the size", done, can_upscale=False).text == "It is smaller."
