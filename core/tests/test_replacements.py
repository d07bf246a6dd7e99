"""Replies that give one argument of the last call another value."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import Field

from promptvision.builtin.planner.phrases import Match
from promptvision.builtin.planner.replacements import replaced
from promptvision.testing.agents import make_registry
from promptvision.tools.image_models import ImageArgs, ImageResult
from promptvision.tools.tool import Operation, Tool


class StampArgs(ImageArgs):
    """A text with a place and a colour, and a size."""

    text: str = ""
    place: Literal["top", "bottom", "top left", "bottom right"] = "bottom"
    color: str = "white"
    aspect: str | None = Field(None, pattern=r"^\d+:\d+$")
    width: int | None = Field(None, gt=0)


STAMP = Operation(name="stamp", description="Stamp.", args=StampArgs, result=ImageResult)
(FUNCTION,) = make_registry([Tool(name="t", operation=STAMP, run="nowhere:run")]).functions()


def reply(words: str, **arguments: Any) -> dict[str, Any] | None:
    return replaced(words, Match(FUNCTION, tuple(arguments.items()), weight=1))


@pytest.mark.parametrize(
    ("words", "before", "after"),
    [
        ("better make it 4:3", {"aspect": "16:9"}, {"aspect": "4:3"}),
        ("move it to the top", {"text": "Hi"}, {"place": "top"}),
        ("rather in the bottom right corner", {"text": "Hi", "place": "top"}, {"place": "bottom right"}),
        ("in red", {"text": "Hi"}, {"color": "red"}),
        ("now one in dark green please", {"color": "blue"}, {"color": "dark green"}),
        ("I meant 900", {"width": 800}, {"width": "900"}),
        ("no, 900 px", {"width": 800}, {"width": "900"}),
        ("900 degrees", {"width": 800}, None),
        ("what is at the top", {"text": "Hi"}, None),
        ("remove the dog", {"text": "Hi"}, None),
        ("it looks much nicer than I had thought it would", {"text": "Hi"}, None),
    ],
)
def test_a_value_alone_replaces_the_one_that_it_fits(
    words: str, before: dict[str, Any], after: dict[str, Any] | None
) -> None:
    assert reply(words, **before) == after
