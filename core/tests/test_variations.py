from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field

from promptvision.builtin.planner.variations import varied
from promptvision.llm.messages import Message, ToolCall
from promptvision.testing.agents import make_registry
from promptvision.tools import operations
from promptvision.tools.image_models import ImageArgs, ImageResult
from promptvision.tools.tool import Operation, Tool


class GlowArgs(ImageArgs):
    """One amount of each kind, and a direction."""

    brightness: float = Field(1.0, ge=0, le=5)
    percent: float | None = Field(None, gt=0, le=1000)
    degrees: float = Field(90, ge=-360, le=360)
    strength: float = Field(0.5, gt=0, le=1)
    direction: str = Field("left", json_schema_extra={"enum": ["left", "right"]})
    place: str = Field("top left", json_schema_extra={"enum": ["top left", "bottom right", "center"]})


GLOW = Operation(name="glow", description="Glow.", args=GlowArgs, result=ImageResult)
TOOLS = [Tool(name=f"t_{made.name}", operation=made, run="nowhere:run") for made in (*operations.ALL, GLOW)]
FUNCTIONS = make_registry(TOOLS).functions()
TABLE = """
[Images of this conversation:
img_1 input 8x8 given by the user
img_2 edit 8x8 {} from img_1 (current)
]"""


def vary(
    words: str, name: str, maker: str | None = None, **arguments: Any
) -> list[tuple[str, dict[str, Any]]]:
    call = ToolCall(id="1", name=name, arguments=arguments)
    messages = [
        Message(role="user", content="earlier"),
        Message(role="assistant", tool_calls=(call,)),
        Message(role="user", content=words + TABLE.format(maker or name)),
    ]
    return [(match.function.name, dict(match.arguments)) for match in varied(words, messages, FUNCTIONS)]


def glow(words: str, **arguments: Any) -> dict[str, Any]:
    """The changed arguments of a call, which is on the image that the first one was on."""
    ((name, made),) = vary(words, "glow", **arguments)
    assert (name, made.pop("image_url")) == ("glow", "img_1")
    return {key: value for key, value in made.items() if arguments.get(key) != value}


@pytest.mark.parametrize(
    ("words", "before", "after"),
    [
        ("a bit more", {"brightness": 1.4}, {"brightness": 1.5}),
        ("even more!", {"brightness": 1.4}, {"brightness": 1.6}),
        ("less", {"brightness": 1.3}, {"brightness": 1.2}),
        ("more", {"brightness": 0.8}, {"brightness": 0.7}),
        ("twice as much", {"brightness": 1.3}, {"brightness": 1.6}),
        ("half of that please", {"brightness": 1.3}, {"brightness": 1.15}),
        ("again but bigger", {"percent": 200}, {"percent": 300}),
        ("way stronger", {"strength": 0.9}, {"strength": 1}),
        ("not so much", {"strength": 0.6}, {"strength": 0.4}),
        ("stronger", {}, {"strength": 0.75}),
        ("45 degrees more", {"degrees": 90}, {"degrees": 135}),
        ("the other way", {"direction": "left"}, {"direction": "right"}),
        ("other direction, please", {}, {"direction": "right"}),
        ("the opposite corner", {"direction": None, "place": "top left"}, {"place": "bottom right"}),
    ],
)
def test_last_call_is_made_with_another_amount_or_direction(
    words: str, before: dict[str, Any], after: dict[str, Any]
) -> None:
    assert glow(words, **before) == after


def paint(target: str, prompt: str, **more: str) -> list[tuple[str, dict[str, Any]]]:
    return [("inpaint_image", {"target": target, "prompt": prompt, **more})]


def test_thing_or_colour_is_replaced_on_the_image_before() -> None:
    asked = {"target": "ball", "prompt": "blue"}
    assert vary("I meant the box", "inpaint_image", **asked) == paint("box", "blue", image_url="img_1")
    assert vary("not the ball, the box", "inpaint_image", **asked) == paint("box", "blue", image_url="img_1")
    assert vary("and now in green", "inpaint_image", **asked) == paint("ball", "green", image_url="img_1")


def test_further_thing_is_changed_on_the_current_image() -> None:
    asked = {"target": "ball", "prompt": "blue"}
    assert vary("also the box", "inpaint_image", **asked) == paint("box", "blue")
    assert vary("and the cone too", "inpaint_image", **asked) == paint("cone", "blue")


def test_nothing_is_varied_when_another_call_made_the_current_image() -> None:
    assert vary("more", "glow", maker="convert_to_bw", brightness=1.3) == []


@pytest.mark.parametrize(
    "words", ["make it bigger", "more contrast", "find the other one", "describe it", ""]
)
def test_other_requests_are_not_variations(words: str) -> None:
    assert vary(words, "glow", brightness=1.3) == []
    assert vary("more", "convert_to_bw") == [], "there is no amount"


@given(st.sampled_from(["more", "less", "twice as much", "half"]), st.floats(0, 5), st.floats(0.001, 1))
@settings(max_examples=40, deadline=None)
def test_amount_stays_within_the_schema(words: str, brightness: float, strength: float) -> None:
    for name, value in (("brightness", brightness), ("strength", strength)):
        for _, made in vary(words, "glow", None, **{name: value}):
            changed = made[name]
            assert 0 <= changed <= 5 if name == "brightness" else 0 < changed <= 1
