from __future__ import annotations

from typing import Any

import pytest

from promptvision.builtin.planner.reading import read_request
from promptvision.builtin.planner.several import has_several, name_several
from promptvision.llm.messages import Message
from promptvision.llm.planner import PlannerFunction
from promptvision.tools.tool import Lexicon

JOIN = PlannerFunction(
    name="join_images",
    description="Join images.",
    parameters={
        "type": "object",
        "properties": {
            "image_url": {"type": "string"},
            "others": {"type": "array", "items": {"type": "string"}},
            "place": {"type": "string", "enum": ["top left", "center"]},
        },
    },
    lexicons=(
        Lexicon(verbs=("join", "merge"), frames=("{verb} {others}",)),
        Lexicon(frames=("paste {others} onto {image_url}", "put {others} in the {place} of {image_url}")),
    ),
    image="image_url",
)
NOTE = """now

[Images of this conversation:
img_1 input 20x10 given by the user
img_2 mask 20x10 segment_objects from img_1
img_3 edit 20x10 convert_to_bw from img_1
img_4 input 30x10 given by the user (current)
]"""


def call(words: str) -> dict[str, Any] | None:
    matches = read_request(words, (JOIN,)).matches
    return dict(matches[0].arguments) if matches else None


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("merge img_1 and img_2", {"image_url": "img_1", "others": ["img_2"]}),
        ("join img_1, img_2 and img_3", {"image_url": "img_1", "others": ["img_2", "img_3"]}),
        ("please join image 2 with image 1", {"image_url": "img_2", "others": ["img_1"]}),
        ("paste img_2 onto img_1", {"image_url": "img_1", "others": ["img_2"]}),
        (
            "put img_2 in the top left of img_1",
            {"image_url": "img_1", "others": ["img_2"], "place": "top left"},
        ),
        ("join the cat and the dog", None),
        ("join img_1 and the dog", None),
        ("put img_2 in the sky of img_1", None),
        ("join img_1", None),
    ],
)
def test_handles_become_the_images_of_the_call(words: str, expected: dict[str, Any] | None) -> None:
    assert call(words) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("combine these two", "combine img_3 and img_4"),
        ("join both images", "join img_3 and img_4"),
        ("merge all of them", "merge img_1 and img_3 and img_4"),
        ("stack the last three pictures", "stack img_1 and img_3 and img_4"),
        ("merge these four", "merge these four"),
        ("find the two dogs", "find the two dogs"),
    ],
)
def test_images_are_named_by_the_table(words: str, expected: str) -> None:
    named = name_several(words, [Message(role="user", content=NOTE)])
    assert named == expected or (words == "find the two dogs" and not has_several(words))


def test_nothing_is_named_without_a_table() -> None:
    assert name_several("combine these two", [Message(role="user", content="combine these two")]) == (
        "combine these two"
    )
    assert name_several("combine these two", []) == "combine these two"
