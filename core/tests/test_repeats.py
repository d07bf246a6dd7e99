from __future__ import annotations

from typing import Any

import pytest

from promptvision.builtin.planner.repeats import repeated
from promptvision.llm.messages import Message, ToolCall
from promptvision.testing.agents import make_registry
from promptvision.tools import operations
from promptvision.tools.tool import Tool

TOOLS = [Tool(name=f"t_{made.name}", operation=made, run="nowhere:run") for made in operations.ALL]
FUNCTIONS = make_registry(TOOLS).functions()
PAINT = ToolCall(id="1", name="inpaint_image", arguments={"target": "ball", "prompt": "blue"})
DRAW = ToolCall(id="2", name="generate_image", arguments={"prompt": "a lion"})


def conversation(*calls: ToolCall) -> list[Message]:
    turn = [Message(role="user", content="earlier"), Message(role="assistant", tool_calls=calls)]
    return [*turn, Message(role="assistant", content="Done."), Message(role="user", content="now")]


def repeats(words: str, *calls: ToolCall) -> list[tuple[str, dict[str, Any]]]:
    found = repeated(words, conversation(*calls), FUNCTIONS)
    return [(match.function.name, dict(match.arguments)) for match in found]


@pytest.mark.parametrize("words", ["do it again", "Again!", "once more please", "repeat that", "noch einmal"])
def test_last_turn_is_repeated(words: str) -> None:
    assert repeats(words, PAINT) == [("inpaint_image", {"target": "ball", "prompt": "blue"})]


@pytest.mark.parametrize("words", ["do the same to the box", "and the same for the box too"])
def test_same_for_another_thing(words: str) -> None:
    assert repeats(words, PAINT) == [("inpaint_image", {"target": "box", "prompt": "blue"})]


def test_another_one_is_drawn_but_no_edit_is_made_twice() -> None:
    assert repeats("another one", DRAW) == [("generate_image", {"prompt": "a lion"})]
    assert repeats("another one", PAINT) == [], "the ball is blue already"


def test_image_of_that_turn_is_not_the_current_one() -> None:
    call = ToolCall(id="1", name="convert_to_bw", arguments='{"image_url": "img_1"}')
    assert repeats("again", call) == [("convert_to_bw", {})]


@pytest.mark.parametrize("words", ["make it bigger", "again but bigger", "find the other one", ""])
def test_other_requests_repeat_nothing(words: str) -> None:
    assert repeats(words, PAINT) == []


def test_nothing_can_be_repeated_at_the_beginning() -> None:
    assert repeated("again", [Message(role="user", content="again")], FUNCTIONS) == ()
