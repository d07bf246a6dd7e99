from __future__ import annotations

import pytest

from promptvision.builtin.planner.books import phrase_book
from promptvision.builtin.planner.politeness import cores, without_asides
from promptvision.testing.agents import make_registry
from promptvision.tools import operations
from promptvision.tools.tool import Tool

TOOLS = [Tool(name=f"t_{made.name}", operation=made, run="nowhere:run") for made in operations.ALL]
BOOK = phrase_book(make_registry(TOOLS).functions())


@pytest.mark.parametrize(
    ("clause", "core"),
    [
        ("would you be so kind as to remove the cup", "remove the cup"),
        ("when you have a moment, could you find the dog", "find the dog"),
        ("it'd be wonderful if the wall was white", "the wall was white"),
        ("could I trouble you to read the sign, if you would be so kind", "read the sign"),
        ("I was hoping for describing the scene", "describing the scene"),
    ],
)
def test_request_begins_after_polite_words(clause: str, core: str) -> None:
    assert core in list(cores(clause, BOOK))


@pytest.mark.parametrize(
    "clause", ["don't you remove the cup", "my brother said remove the cup", "remove the cup"]
)
def test_other_words_before_a_request_are_part_of_it(clause: str) -> None:
    assert list(cores(clause, BOOK)) == []


@pytest.mark.parametrize(
    ("clause", "rest"),
    [
        ("if it's no trouble, blur it", "blur it"),
        ("make the ball blue and nothing else", "make the ball blue"),
        ("make it a bit darker", "make it darker"),
        ("blur the man, if you could", "blur the man"),
        ("keep the sky as it is and paint the car red", "paint the car red, but leave the sky alone"),
        ("I don't like the sky, make it pink", "make the sky pink"),
        ("make the ball red", "make the ball red"),
        ("write thank you", "write thank you"),
    ],
)
def test_asides_are_left_out(clause: str, rest: str) -> None:
    assert without_asides(clause) == rest
