"""Remarks, which ask for nothing, and complaints."""

from __future__ import annotations

from typing import Any

import pytest

from promptvision.builtin.planner.reading import read_request
from promptvision.builtin.planner.remarks import cure_of, is_remark
from promptvision.testing.agents import make_registry
from promptvision.tools import operations
from promptvision.tools.tool import Tool

FUNCTIONS = make_registry(
    [Tool(name=f"t_{made.name}", operation=made, run="nowhere:run") for made in operations.ALL]
).functions()


def calls(words: str) -> list[tuple[str, dict[str, Any]]]:
    return [(match.function.name, dict(match.arguments)) for match in read_request(words, FUNCTIONS).matches]


@pytest.mark.parametrize(
    ("complaint", "cure"),
    [
        ("it came out very dark", "make it brighter"),
        ("the photo looks a bit washed-out", "make it more colorful"),
        ("my picture is upside down", "rotate it 180 degrees"),
        ("it is not dark", ""),
        ("the dog is dark", ""),
    ],
)
def test_a_complaint_about_the_image_names_its_cure(complaint: str, cure: str) -> None:
    assert cure_of(complaint) == cure


def test_remarks_ask_for_nothing() -> None:
    assert is_remark("this is my grandmother")
    assert not is_remark("the sky should be blue")
    assert calls("I took this in Rome. Read the sign.") == [("extract_text", {})]
