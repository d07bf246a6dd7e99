"""Steps that are named out of their order."""

from __future__ import annotations

from typing import Any

import pytest

from promptvision.builtin.planner.reading import read_request
from promptvision.builtin.planner.steps import in_order
from promptvision.testing.agents import make_registry
from promptvision.tools import operations
from promptvision.tools.tool import Tool

FUNCTIONS = make_registry(
    [Tool(name=f"t_{made.name}", operation=made, run="nowhere:run") for made in operations.ALL]
).functions()


def calls(words: str) -> list[tuple[str, dict[str, Any]]]:
    return [(match.function.name, dict(match.arguments)) for match in read_request(words, FUNCTIONS).matches]


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("before you describe it, make it black and white", ["convert_to_bw", "caption_image"]),
        ("once you have read the text, remove the sign", ["extract_text", "inpaint_image"]),
        ("describe it, but first convert it to grayscale", ["convert_to_bw", "caption_image"]),
        ("find the dogs after making it black and white", ["convert_to_bw", "detect_objects"]),
        ("first describe it, second read the text", ["caption_image", "extract_text"]),
    ],
)
def test_steps_are_done_in_the_order_that_is_meant(words: str, names: list[str]) -> None:
    assert [name for name, _ in calls(words)] == names


def test_other_sentences_keep_their_order() -> None:
    assert in_order("When you have a moment, describe it") == "When you have a moment, describe it"
