"""Requests that no phrase matches, those that a phrase misreads, and those that phrases know better."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptvision.builtin.planner.conversation import option_text
from promptvision.builtin.planner.intents.continuations import changed_arguments
from promptvision.builtin.planner.intents.estimates import estimate
from promptvision.builtin.planner.phrases import Match
from promptvision.builtin.planner.reading import Reading, read_request
from promptvision.builtin.planner.understanding import understand
from promptvision.llm.planner import PlannerFunction
from promptvision.testing.agents import make_registry
from promptvision.tools import operations
from promptvision.tools.tool import Operation, Phrase, Tool

FUNCTIONS = make_registry(
    [Tool(name=f"t_{made.name}", operation=made, run="nowhere:run") for made in operations.ALL]
).functions()
NAMED = {function.name: function for function in FUNCTIONS}
BLACK_AND_WHITE = next(made for made in operations.ALL if made.name == "convert_to_bw")
Calls = list[tuple[str, dict[str, Any]]]


def understood(
    words: str, *, functions: tuple[PlannerFunction, ...] = FUNCTIONS, is_first: bool = True
) -> Reading:
    return understand(read_request(words, functions), words, functions, is_first=is_first)


def calls(reading: Reading) -> Calls:
    return [(match.function.name, dict(match.arguments)) for match in reading.matches]


def remove(target: str) -> tuple[str, dict[str, Any]]:
    return "inpaint_image", {"prompt": "", "target": target}


def paint(target: str, prompt: str) -> tuple[str, dict[str, Any]]:
    return "inpaint_image", {"target": target, "prompt": prompt}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("The crane above our church really has no business being there", remove("crane")),
        ("Somebody left a shopping trolley in the river, can you fish it out?", remove("shopping trolley")),
        (
            "We think the kitchen cabinets could do with navy blue paint",
            paint("kitchen cabinets", "navy blue paint"),
        ),
    ],
)
def test_a_request_that_no_phrase_matches_is_classified(
    words: str, expected: tuple[str, dict[str, Any]]
) -> None:
    assert read_request(words, FUNCTIONS).unknown
    (made,) = calls(understood(words))
    assert made[0] == expected[0]
    assert made[1]["prompt"] == expected[1]["prompt"]
    assert made[1]["target"].startswith(expected[1]["target"])


def test_a_phrase_that_misreads_is_replaced_where_the_classifier_is_certain() -> None:
    words = "Turn the night skyline into a watercolor painting"
    assert calls(read_request(words, FUNCTIONS)) == [paint("night skyline", "watercolor painting")]
    assert calls(understood(words)) == [("edit_image", {"prompt": words})]


def test_what_phrases_read_alike_is_kept() -> None:
    for words in (
        "remove the man",
        "make the cup red and the spoon gold",
        "find the red ball, then describe it",
    ):
        reading = read_request(words, FUNCTIONS)
        assert reading.matches
        assert understood(words) == reading


def test_steps_are_classified_one_by_one() -> None:
    reading = understood("Get that skip out of my garden shot and then tell me what is in there")
    assert [name for name, _ in calls(reading)] == ["inpaint_image", "caption_image"]
    assert dict(reading.matches[0].arguments)["target"].startswith("skip")


def test_a_step_that_is_no_call_is_not_left_out() -> None:
    reading = understood("make it black and white and order a pizza")
    assert [name for name, _ in calls(reading)] == ["convert_to_bw"]
    assert "pizza" in reading.unknown


def test_a_thing_named_beside_a_pronoun_is_meant_unless_an_earlier_call_named_one() -> None:
    words = "A guy in a grey hoodie walked into my wedding shot, make him disappear"
    (made,) = calls(understood(words))
    assert made == remove("guy in a grey hoodie")
    (later,) = understood("I'd prefer it dark green", is_first=False).matches
    assert later.is_follow_up


@pytest.mark.parametrize(
    "words", ["book me a table for two tonight", "qwzx blorp frindle", "ring my mother at noon"]
)
def test_what_no_operation_does_is_not_called(words: str) -> None:
    assert calls(understood(words)) == []


def test_a_question_for_help_in_other_words_is_answered() -> None:
    assert understood("What sort of things can you do with my photos?").answer == "help"


def test_a_phrase_of_another_tool_is_never_replaced() -> None:
    meme = Operation(
        name="make_meme",
        description="Make a meme.",
        args=BLACK_AND_WHITE.args,
        result=BLACK_AND_WHITE.result,
        phrases=(Phrase("turn the lake view into a watercolour meme"),),
    )
    functions = make_registry(
        [
            *(Tool(name=f"t_{made.name}", operation=made, run="nowhere:run") for made in operations.ALL),
            Tool(name="meme", operation=meme, run="nowhere:run"),
        ]
    ).functions()
    reading = understood("turn the lake view into a watercolour meme", functions=functions)
    assert [name for name, _ in calls(reading)] == ["make_meme"]


def test_an_image_that_is_named_reaches_the_call() -> None:
    guessed = estimate("on img_2 the lamppost has to vanish, it is so ugly", FUNCTIONS)
    assert guessed is not None
    assert guessed.match is not None
    assert dict(guessed.match.arguments)["image_url"] == "img_2"
    assert estimate("put img_1 beside img_2", FUNCTIONS) is None


def test_a_request_in_another_language_names_things_in_english() -> None:
    guessed = estimate("Könntest du bitte den Hund aus dem Foto herausnehmen?", FUNCTIONS)
    assert guessed is not None
    assert guessed.match is not None
    assert dict(guessed.match.arguments) == {"prompt": "", "target": "dog"}


def test_a_reply_changes_the_arguments_that_it_names() -> None:
    last = Match(NAMED["inpaint_image"], (("target", "sofa"), ("prompt", "blue")), weight=1)
    assert changed_arguments("hmm, dark green would be nicer", last) == {"prompt": "dark green"}
    assert changed_arguments("thanks a lot", last) is None


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80))
def test_any_text_is_estimated(text: str) -> None:
    guessed = estimate(text, FUNCTIONS)
    if guessed is not None:
        assert 0 <= guessed.certainty <= 1 + 1e-9
        assert guessed.match is None or guessed.match.function in FUNCTIONS


def test_a_question_between_two_operations_names_each_briefly() -> None:
    descriptions = [NAMED[name].description for name in ("edit_image", "caption_image", "caption_image")]
    assert option_text(descriptions) == (
        "Which do you mean: change an image as an instruction says, or describe what an image shows?"
    )
