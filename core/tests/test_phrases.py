"""Sentences against phrases: usual requests, ambiguous ones, and hostile ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptvision.builtin.planner.books import phrase_book
from promptvision.builtin.planner.phrases import MAX_CHARS, match_request
from promptvision.llm.planner import PlannerFunction
from promptvision.testing import Stopwatch
from promptvision.tools import operations
from promptvision.tools.artifacts import image_fields, target_field
from promptvision.tools.tool import Operation, Phrase


def function_of(operation: Operation) -> PlannerFunction:
    return PlannerFunction(
        name=operation.name,
        description=operation.description,
        parameters={},
        phrases=tuple(phrase for phrase in operation.phrases if isinstance(phrase, Phrase)),
        image=next(iter(image_fields(operation.args)), None),
        target=target_field(operation.args),
    )


FUNCTIONS = tuple(function_of(operation) for operation in operations.ALL)
Calls = list[tuple[str, dict[str, Any]]]


def calls(words: str, functions: tuple[PlannerFunction, ...] = FUNCTIONS) -> Calls:
    return [(match.function.name, dict(match.arguments)) for match in match_request(words, functions)]


def third_party(*phrases: Phrase | str, **changes: Any) -> PlannerFunction:
    made = tuple(Phrase(phrase) if isinstance(phrase, str) else phrase for phrase in phrases)
    return PlannerFunction(name="other", description="", parameters={}, phrases=made, **changes)


def find(prompt: str) -> tuple[str, dict[str, Any]]:
    return "detect_objects", {"prompt": prompt}


def paint(target: str, prompt: str) -> tuple[str, dict[str, Any]]:
    return "inpaint_image", {"target": target, "prompt": prompt}


BW: tuple[str, dict[str, Any]] = ("convert_to_bw", {})
CAPTION: tuple[str, dict[str, Any]] = ("caption_image", {})
READ: tuple[str, dict[str, Any]] = ("extract_text", {})


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("find the red ball", [find("red ball")]),
        ("Where's the cat?", [find("cat")]),
        ("Detect all the lions in this picture.", [find("lions")]),
        ("how many people are in the photo?", [find("people")]),
        ("is there a dog in it", [find("dog")]),
        ("draw boxes around the two cars", [find("two cars")]),
        ("segment the lion", [("segment_objects", {"target": "lion"})]),
        ("change the red ball to blue", [paint("red ball", "blue")]),
        ("change the lion into an orange cat", [paint("lion", "orange cat")]),
        ("replace the man in a hat with a dog", [paint("man in a hat", "dog")]),
        ("change the colour of the car to dark green", [paint("car", "dark green")]),
        ("make the sky dark blue", [paint("sky", "dark blue")]),
        ("paint the wall a lighter shade of pink", [paint("wall", "lighter shade of pink")]),
        ("turn the dog into a cat", [paint("dog", "cat")]),
        ("remove the car from the photo", [paint("car", "")]),
        ("get rid of that lamp post", [paint("lamp post", "")]),
        ("describe it", [CAPTION]),
        ("What's in this picture?", [CAPTION]),
        ("what do you see", [CAPTION]),
        ("what does the sign say?", [READ]),
        ("Read the text in this image", [READ]),
        ("make it black and white", [BW]),
        ("Make the picture Black & White", [BW]),
        ("turn my last photo into black and white", [BW]),
        ("convert to grayscale", [BW]),
        ("remove the colour", [BW]),
    ],
)
def test_one_instruction(words: str, expected: Calls) -> None:
    assert calls(words) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("find the red ball, then make the picture black and white", [find("red ball"), BW]),
        ("find the red ball and then describe it", [find("red ball"), CAPTION]),
        ("make it black and white and find the red ball", [BW, find("red ball")]),
        ("First read the text; after that remove the sign.", [READ, paint("sign", "")]),
        ("change the ball to blue, remove the box, and describe the result", None),
        ("describe it. make it grayscale. what does it say?", [CAPTION, BW, READ]),
        ("find the ball\nmake it monochrome", [find("ball"), BW]),
    ],
)
def test_several_instructions_keep_their_order(words: str, expected: Calls | None) -> None:
    assert calls(words) == (expected or [paint("ball", "blue"), paint("box", ""), CAPTION])


@pytest.mark.parametrize(
    "words",
    [
        "could you please make it black and white",
        "Please, can you make this picture black and white for me?",
        "Hi there! Would you kindly make it black and white? Thank you very much!",
        "ok now make it black and white please",
        "I would like you to make it black and white, thanks",
        "i'd like to make it black and white too",
        "let\u2019s make it \u201cblack and white\u201d",
        "In this picture, make it black and white",
        "  MAKE\u00a0IT\tBLACK   AND WHITE !!! ",
    ],
)
def test_politeness_case_quotes_and_spaces_do_not_count(words: str) -> None:
    assert calls(words) == [BW]


@pytest.mark.parametrize(
    "words", ["it", "this", "that", "the result", "the picture", "my last photo", "the new image"]
)
def test_every_name_of_the_newest_image_is_not_an_argument(words: str) -> None:
    assert calls(f"describe {words}") == [CAPTION]
    assert calls(f"find the dog in {words}") == [find("dog")]
    assert calls(f"find {words}") == []


@pytest.mark.parametrize("words", ["img_2", "IMG_2", "img_02", "picture img_2", "the picture img_2"])
def test_handle_says_which_image(words: str) -> None:
    assert calls(f"describe {words}") == [("caption_image", {"image_url": "img_2"})]
    assert calls(f"find the dog in {words}") == [("detect_objects", {"prompt": "dog", "image_url": "img_2"})]


def test_each_instruction_has_its_own_image() -> None:
    assert calls("make img_1 black and white and describe img_3") == [
        ("convert_to_bw", {"image_url": "img_1"}),
        ("caption_image", {"image_url": "img_3"}),
    ]


@pytest.mark.parametrize(
    ("words", "things"),
    [
        ("the red ball and the blue box", "red ball. blue box"),
        ("the ball, the box, and my cat", "ball. box. cat"),
        ("cats and dogs", "cats. dogs"),
        ("cats, dogs", "cats. dogs"),
        ("the black and white cat", "black and white cat"),
        ("a red and a blue ball in this photo", "red. blue ball"),
    ],
)
def test_several_things_to_look_for_are_separated_by_dots(words: str, things: str) -> None:
    assert calls(f"find {words}") == [find(things)]
    assert calls(f"remove {words}") == [paint(things, "")]
    assert calls(f"change {words} to green") == [paint(things, "green")]


def test_text_without_a_target_is_not_split() -> None:
    assert calls("replace the cat with a dog and a bone") == [paint("cat", "dog and a bone")]


@pytest.mark.parametrize(
    "thing", ["ball in this picture", "ball in the photo", "ball from img_1", "ball of it"]
)
def test_place_of_a_thing_is_not_its_name(thing: str) -> None:
    ((_, arguments),) = calls(f"change the {thing} to blue")
    assert (arguments["target"], arguments["prompt"]) == ("ball", "blue")


@pytest.mark.parametrize(
    "words",
    [
        "",
        "?!",
        "thanks!",
        "sing me a song",
        "find",
        "change the ball",
        "make it black and white and sing me a song",
        "sing, then make it black and white",
        "make it black and white; " * 9,
        "{prompt}",
        "find <image>",
    ],
)
def test_request_is_understood_entirely_or_not_at_all(words: str) -> None:
    assert calls(words) == []


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("remove everything except the red balls", [paint("everything except red balls", "")]),
        ("remove the balls that are not red", [paint("balls that are not red", "")]),
        (
            "make everything except the box black and white",
            [paint("everything except the box", "black and white")],
        ),
        ("change everything to blue except the box", [paint("everything except box", "blue")]),
        ("make the photo black & white except the ball", [paint("everything except ball", "black & white")]),
        ("make all balls green except the red one", [paint("balls except red one", "green")]),
        ("remove the box, not the red balls", [paint("box except red balls", "")]),
        ("remove the box but not the ball", [paint("box except ball", "")]),
        ("make the ball red but leave the box alone", [paint("ball except box", "red")]),
        ("remove the ball and don't touch the box", [paint("ball except box", "")]),
        ("make the ball red, but keep the box as it is", [paint("ball except box", "red")]),
        ("remove everything but the ball and the box", [paint("everything but the ball and the box", "")]),
    ],
)
def test_exceptions_belong_to_the_target(words: str, expected: Calls) -> None:
    assert calls(words) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("make the ball green and the box yellow", [paint("ball", "green"), paint("box", "yellow")]),
        ("make the ball green, the box blue and the cone red", None),
        ("change the ball to red and the box to blue, please", [paint("ball", "red"), paint("box", "blue")]),
        ("make the ball and the box green", [paint("ball. box", "green")]),
        ("make the black and white cat red", [paint("black and white cat", "red")]),
        ("make the ball next to the cone purple", [paint("ball next to the cone", "purple")]),
        ("make the ball red and the box", []),
    ],
)
def test_part_with_its_own_value_is_a_clause_of_its_own(words: str, expected: Calls | None) -> None:
    assert calls(words) == (expected if expected is not None else THREE)


THREE = [paint("ball", "green"), paint("box", "blue"), paint("cone", "red")]


@pytest.mark.parametrize(
    "end",
    ["thanks a lot!", "please, thank you very much", "if you can", "many thanks", "will you?", "cheers"],
)
def test_polite_ending_is_not_a_target(end: str) -> None:
    assert calls(f"remove the box, {end}") == [paint("box", "")]


@pytest.mark.parametrize(
    ("words", "target"),
    [
        ("remove every ball", "every ball"),
        ("remove all the balls", "balls"),
        ("remove any of the balls", "balls"),
        ("remove all but the ball", "all but the ball"),
        ("remove both balls", "both balls"),
        ("remove one of the balls", "one of the balls"),
        ("remove a ball", "ball"),
    ],
)
def test_words_that_count_stay(words: str, target: str) -> None:
    assert calls(words) == [paint(target, "")]


def test_article_separates_a_thing_from_its_colour() -> None:
    assert calls("make the flower a rose") == [paint("flower", "a rose")]
    assert calls("make the flower rose") == [paint("flower", "rose")]


FOLLOW_UPS = tuple(replace(function, parameters={"required": []}) for function in FUNCTIONS)


@pytest.mark.parametrize(
    ("words", "prompt"),
    [
        ("now make it green", "green"),
        ("and now purple", "purple"),
        ("dark blue instead, please", "dark blue"),
        ("change that to pink", "pink"),
        ("make them red", "red"),
        ("remove it", ""),
    ],
)
def test_pronoun_leaves_the_target_out(words: str, prompt: str) -> None:
    (match,) = match_request(words, FOLLOW_UPS)
    assert match.is_follow_up
    assert (match.function.name, dict(match.arguments)) == ("inpaint_image", {"prompt": prompt})


@pytest.mark.parametrize(
    "words", ["make the picture red", "remove the photo", "make everything blue", "green ball"]
)
def test_image_itself_is_not_a_pronoun(words: str) -> None:
    assert match_request(words, FOLLOW_UPS) == []


# Phrases of third-party plugins


def test_phrases_of_others_fill_slots_of_any_name_and_keep_the_case_of_values() -> None:
    write = third_party("write {theText} on it", "Letter {theText} in {fontSize}pt", image="image")
    assert calls("Write Hello World on this photo!", (write,)) == [("other", {"theText": "Hello World"})]
    assert calls("letter \u00dcber Stra\u00dfe in 12pt", (write,)) == [
        ("other", {"theText": "\u00dcber Stra\u00dfe", "fontSize": "12"})
    ]
    assert calls("write Yes on img_4", (write,)) == [("other", {"theText": "Yes", "image": "img_4"})]


@pytest.mark.parametrize(
    "phrase", ["flip it", "flip this", "flip the picture", "Flip the image", "flip that"]
)
@pytest.mark.parametrize("words", ["flip it", "flip this", "flip the picture", "flip my photo", "Flip img_1"])
def test_image_may_be_named_in_any_way_on_both_sides(phrase: str, words: str) -> None:
    assert len(calls(words, (*FUNCTIONS, third_party(phrase)))) == 1


def test_phrase_may_imply_arguments() -> None:
    tilt = third_party(Phrase("turn it upside down", (("degrees", 180),)), "turn it by {degrees} degrees")
    assert calls("turn the picture upside down", (*FUNCTIONS, tilt)) == [("other", {"degrees": 180})]
    assert calls("turn it by 22.5 degrees", (*FUNCTIONS, tilt)) == [("other", {"degrees": "22.5"})]


def test_phrase_that_shares_more_words_wins() -> None:
    special = third_party("remove {target} carefully")
    assert calls("remove the ball carefully", (*FUNCTIONS, special)) == [("other", {"target": "ball"})]
    assert calls("remove the ball", (*FUNCTIONS, special)) == [paint("ball", "")]


def test_targets_of_others_are_split_too() -> None:
    count = third_party("tally {what}", target="what")
    assert calls("tally the cats and the dogs", (count,)) == [("other", {"what": "cats. dogs"})]


# Arbitrary text


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_read_without_error(words: str) -> None:
    match_request(words, FUNCTIONS)


KNOWN = (
    "find make it the a red ball picture img_1 and , . ; then to into with <image> { } this please black "
    "white in is there change remove \u0130 \u00df 's"
)
WORDS = st.sampled_from([*KNOWN.split(), "\n"])


@settings(max_examples=300, deadline=None)
@given(st.lists(WORDS, max_size=40))
def test_any_order_of_known_words_is_read_without_error(words: list[str]) -> None:
    for name, arguments in calls(" ".join(words)):
        assert name in {operation.name for operation in operations.ALL}
        assert all("<image>" not in value for value in arguments.values() if isinstance(value, str))


HOSTILE = [
    *(
        "is there a in it, ",
        "swap ",
        "change a to ",
        "make bright ",
        ",",
        ", ",
        "a b ",
        ".a",
        "please ",
        "and ",
    ),
    *(
        "img_1 ",
        "the last ",
        "now,",
        "the picture ",
        "the new ",
        "?!",
        " \u00a0",
        "\n",
        ";",
        "'",
        "this ",
        "then ",
    ),
    *(
        "find a and ",
        "make it black and white, ",
        "i want you to ",
        "{prompt}",
        "<image>",
        "\u0130",
        "img_0",
    ),
]


@pytest.mark.parametrize("piece", HOSTILE)
@pytest.mark.parametrize("end", ["", "x", " in it", " to a"])
def test_hostile_text_takes_bounded_time(piece: str, end: str) -> None:
    functions = (*FUNCTIONS, third_party("{a} to {b} to {c} to {d} to {e}x", "{a} {b} {c}"))
    for length in (MAX_CHARS, 20_000):
        words = (piece * length)[: length - len(end)] + end
        watch = Stopwatch()
        match_request(words, functions)
        assert watch.seconds < 1.0


def test_requests_share_what_is_read_from_phrases() -> None:
    book = phrase_book(FUNCTIONS)
    assert book.for_request().vocabulary is book.for_request().vocabulary
    assert book.for_request().settings is book.for_request().settings
