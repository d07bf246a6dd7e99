from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptvision.plugin import read_target
from promptvision_opencv.prompts import Kind, Shape, read_prompt, read_request


@pytest.mark.parametrize(
    ("phrase", "label", "shape"),
    [
        ("red ball", "red ball", Shape.ROUND),
        ("the two red balls", "red ball", Shape.ROUND),
        ("blue boxes", "blue box", Shape.SQUARE),
        ("a green cone", "green cone", Shape.TRIANGLE),
        ("yellow", "yellow", None),
        ("all the gray things", "grey", None),
    ],
)
def test_colour_and_shape_are_read(phrase: str, label: str, shape: Shape | None) -> None:
    request = read_request(read_target(phrase))
    assert request is not None
    assert (request.kind, request.label, request.shape) == (Kind.COLOUR, label, shape)
    assert request.unchecked == ()


@pytest.mark.parametrize(
    ("phrase", "kind", "unchecked"),
    [
        ("faces", Kind.FACE, ()),
        ("the woman's face", Kind.FACE, ("woman",)),
        ("people", Kind.PERSON, ()),
        ("a man in a red shirt", Kind.PERSON, ("man", "in a red shirt")),
        ("two women", Kind.PERSON, ("women",)),
        ("people in the background", Kind.PERSON, ("in the background",)),
        ("the red ball with dots", Kind.COLOUR, ("with dots",)),
        ("plastic red ball", Kind.COLOUR, ("plastic",)),
        ("orange", Kind.COLOUR, ("orange",)),
        ("red", Kind.COLOUR, ()),
        ("the red one", Kind.COLOUR, ()),
        ("blue area", Kind.COLOUR, ()),
        ("green screen", Kind.BACKGROUND, ()),
        ("white background", Kind.BACKGROUND, ()),
        ("blurred background", Kind.BACKGROUND, ("blurred",)),
        ("black borders", Kind.BORDER, ()),
        ("orange cat", Kind.COLOUR, ("cat",)),
    ],
)
def test_unchecked_words_are_reported(phrase: str, kind: Kind, unchecked: tuple[str, ...]) -> None:
    request = read_request(read_target(phrase))
    assert request is not None
    assert (request.kind, request.unchecked) == (kind, unchecked)


def test_parts_are_split_and_unsupported_ones_separated() -> None:
    requests, foreign = read_prompt("Red ball. lion. faces and people. red ball.")
    assert [request.label for request in requests] == ["red ball", "face", "person"]
    assert [phrase.text for phrase in foreign] == ["lion"]


@pytest.mark.parametrize(
    "phrase",
    [
        *["lion", "the big one", "...", "redness", "face mask", "child seat", "human error", "wooden chair"],
        *["the woman's hat", "her hair", "the person's shadow", "the blue box's shadow", "hat of the woman"],
        *["everything but the red ball", "red and blue ball", "border collie", "the border"],
    ],
)
def test_other_words_are_not_understood(phrase: str) -> None:
    assert read_prompt(phrase)[0] == []


@given(st.text(max_size=500))
def test_any_text_can_be_read(text: str) -> None:
    requests, foreign = read_prompt(text)
    assert all(request.label for request in requests)
    assert all(phrase.text for phrase in foreign)
