"""Requests in everyday words: what is done, what is asked for, and what is left unchanged."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptvision.builtin.planner.reading import read_request
from promptvision.llm.planner import PlannerFunction
from promptvision.testing import Stopwatch
from promptvision.testing.agents import make_registry
from promptvision.tools import operations
from promptvision.tools.tool import Lexicon, Operation, Tool

TOOLS = [Tool(name=f"t_{made.name}", operation=made, run="nowhere:run") for made in operations.ALL]
FUNCTIONS = make_registry(TOOLS).functions()
Calls = list[tuple[str, dict[str, Any]]]


def calls(words: str, functions: tuple[PlannerFunction, ...] = FUNCTIONS) -> Calls:
    return [(match.function.name, dict(match.arguments)) for match in read_request(words, functions).matches]


def find(prompt: str) -> tuple[str, dict[str, Any]]:
    return "detect_objects", {"prompt": prompt}


def paint(target: str, prompt: str = "") -> tuple[str, dict[str, Any]]:
    return "inpaint_image", {"target": target, "prompt": prompt}


BW: tuple[str, dict[str, Any]] = ("convert_to_bw", {})
CAPTION: tuple[str, dict[str, Any]] = ("caption_image", {})
READ: tuple[str, dict[str, Any]] = ("extract_text", {})


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("I was wondering if you could take the lamp out of the picture", [paint("lamp")]),
        ("would you mind making this black and white?", [BW]),
        ("I'd like the door to be yellow", [paint("door", "yellow")]),
        ("the wall should be green", [paint("wall", "green")]),
        ("a tree instead of the sign", [paint("sign", "tree")]),
        ("show me the photo without the tourists", [paint("tourists")]),
        ("make only the left door green", [paint("left door", "green")]),
        ("change her dress from blue to red", [paint("her dress", "red")]),
        ("ball -> blue", [paint("ball", "blue")]),
        ("instead of the dog, put a cat", [paint("dog", "cat")]),
        ("what if the car were green?", [paint("car", "green")]),
        ("I wish that lamppost wasn't in the picture", [paint("lamppost")]),
        ("no more date stamp please", [paint("date stamp")]),
        ("is there any text here?", [READ]),
        ("turn off the colors", [BW]),
        ("go on", []),
        ("it is sharp now", []),
        ("remove the top third", []),
        ("make two copies", []),
        ("give me blue eyes", [paint("eyes", "blue")]),
        ("I wonder where the cat is", [find("cat")]),
        ("what's written on the board?", [READ]),
        ("it's too colourful, make it grey", [BW]),
    ],
)
def test_word_order_and_politeness(words: str, expected: Calls) -> None:
    assert calls(words) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("remvoe teh car", [paint("car")]),
        ("mak it blakc and whtie", [BW]),
        ("make the door yelow", [paint("door", "yellow")]),
        ("discribe the pictre", [CAPTION]),
        ("hwo many chairs are there", [find("chairs")]),
        ("find the barn", [find("barn")]),
        ("remove the tale", [paint("tale")]),
        ("bake the cake red", []),
        ("send it to my boss", []),
    ],
)
def test_spelling_is_corrected_in_phrases_and_not_in_values(words: str, expected: Calls) -> None:
    assert calls(words) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("don't make it grey, just describe it", [CAPTION]),
        ("do not remove the dog, remove the cat", [paint("cat")]),
        ("don't make the ball blue, make it green", [paint("ball", "green")]),
        ("find the dog but don't change anything", [find("dog")]),
        ("make the ball blue without changing the box", [paint("ball except box", "blue")]),
        ("instead of describing it, read the text", [READ]),
        ("make the car blue instead of red", [paint("car", "blue")]),
        ("remove no cars", []),
        ("remove either the dog or the cat", []),
    ],
)
def test_negation_and_contrast(words: str, expected: Calls) -> None:
    assert calls(words) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Könntest du das Bild bitte beschreiben?", [CAPTION]),
        ("Entferne das rote Auto", [paint("red car")]),
        ("Ersetze die Katze durch einen Hund", [paint("cat", "dog")]),
        ("Finde den Ball und mach das Bild schwarzweiß", [find("ball"), BW]),
        ("¿Dónde está la pelota roja?", [find("red ball")]),
        ("cambia el coche a azul", [paint("car", "blue")]),
        ("ponlo en blanco y negro", [BW]),
        ("peux-tu décrire cette photo s'il te plaît ?", [CAPTION]),
        ("efface la voiture", [paint("car")]),
        ("mets-la en noir et blanc", [BW]),
        ("把猫换成狗", [paint("cat", "dog")]),
        ("找到红色的球", [find("red ball")]),
        ("把图片变成黑白", [BW]),
    ],
)
def test_other_languages(words: str, expected: Calls) -> None:
    assert calls(words) == expected


@pytest.mark.parametrize(
    ("words", "expected", "unknown"),
    [
        ("find the ball and sing me a song", [find("ball")], "sing me a song"),
        ("describe it, then email it to my boss", [CAPTION], "email it to my boss"),
        ("sing, then describe it", [], "sing"),
        ("remove the dog, the cat and describe the rest", [paint("dog. cat")], "describe the rest"),
        ("make the ball red and shiny", [], "make the ball red and shiny"),
    ],
)
def test_what_is_understood_before_an_unknown_clause_stays(words: str, expected: Calls, unknown: str) -> None:
    reading = read_request(words, FUNCTIONS)
    assert [(match.function.name, dict(match.arguments)) for match in reading.matches] == expected
    assert reading.unknown == unknown


@pytest.mark.parametrize(
    "words", ["make me rich", "turn on the lights", "make the photo pretty", "my dog is cute"]
)
def test_chat_makes_no_call(words: str) -> None:
    assert calls(words) == []


def rival(name: str, frame: str) -> PlannerFunction:
    made = Operation(
        name=name,
        description=name,
        args=operations.SegmentArgs,
        result=operations.SegmentResult,
        lexicons=(Lexicon(verbs=("veil", "shroud"), frames=(frame,)),),
    )
    return make_registry([Tool(name=f"t_{name}", operation=made, run="nowhere:run")]).functions()[0]


def test_two_functions_that_fit_alike_are_a_question() -> None:
    reading = read_request(
        "veil the face", (rival("one", "{verb} {target}"), rival("two", "{verb} {target}"))
    )
    assert reading.matches == ()
    assert {match.function.name for match in reading.options} == {"one", "two"}
    longer = (rival("one", "{verb} {target}"), rival("two", "{verb} {target} fully"))
    assert [name for name, _ in calls("shroud the face fully", longer)] == ["two"]


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=120))
def test_any_text_is_read(words: str) -> None:
    read_request(words, FUNCTIONS)


@pytest.mark.parametrize(
    "piece", ["make ", "i want ", "don't ", "please, ", "instead of ", "remvoe teh ", "把"]
)
def test_hostile_text_takes_bounded_time(piece: str) -> None:
    watch = Stopwatch()
    read_request((piece * 1000)[:1000], FUNCTIONS)
    assert watch.seconds < 5


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("make her dress emerald green", [paint("her dress", "emerald green")]),
        ("take off his glasses", [paint("his glasses")]),
        ("how many cyclists do you count?", [find("cyclists")]),
        ("is there any text in the screenshot?", [READ]),
        ("describe the portrait", [CAPTION]),
        ("make the selfie black and white", [BW]),
        ("Was steht auf dem Plakat?", [READ]),
    ],
)
def test_words_of_real_photographs(words: str, expected: Calls) -> None:
    assert calls(words) == expected


@pytest.mark.parametrize(
    "words", ["I don't want the background removed", "i dont want it cropped", "I do not need it described"]
)
def test_action_that_is_not_wanted_is_not_done(words: str) -> None:
    reading = read_request(words, FUNCTIONS)
    assert (reading.matches, reading.is_nothing) == ((), True)


def test_no_this_just_that() -> None:
    assert calls("no black and white please, just describe it") == [CAPTION]


def ask(question: str) -> tuple[str, dict[str, Any]]:
    return "ask_image", {"question": question}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("what colour is the car?", [ask("what colour is the car")]),
        ("Welche Farbe hat das Auto?", [ask("Welche farbe hat auto")]),
        ("车是什么颜色?", [ask("车是什么颜色")]),
        ("draw me a picture of a fox", [("generate_image", {"prompt": "fox"})]),
        ("dibuja una imagen de un zorro", [("generate_image", {"prompt": "zorro"})]),
        ("turn it into a watercolour", [("edit_image", {"prompt": "turn it into a watercolour"})]),
        ("把图片变成油画", [("edit_image", {"prompt": "把it变成油画"})]),
    ],
)
def test_questions_instructions_and_descriptions_are_passed_on(words: str, expected: Calls) -> None:
    found = [(name, {key: str(value).lower() for key, value in made.items()}) for name, made in calls(words)]
    assert found == [
        (name, {key: str(value).lower() for key, value in made.items()}) for name, made in expected
    ]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Könntest du bitte die Katze entfernen?", [paint("cat")]),
        ("Das Auto soll rot sein", [paint("car", "red")]),
        ("Entferne den Ball, aber nicht den Hund", [paint("ball except dog")]),
        ("Entferne bitte nicht den Hund", []),
        ("Nicht entfernen, nur beschreiben", [CAPTION]),
        ("Pourriez-vous supprimer le chien ?", [paint("dog")]),
        ("Ne supprime pas le chien", []),
        ("¿Puedes quitar el perro?", [paint("dog")]),
        ("No borres el perro", []),
        ("Borra todo menos el gato", [paint("everything except cat")]),
        ("图片里有几个人?", [find("people")]),
        ("不要删除狗", []),
    ],
)
def test_infinitives_negations_and_exceptions_of_other_languages(words: str, expected: Calls) -> None:
    assert calls(words) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("no people", [paint("people")]),
        ("car red", [paint("car", "red")]),
        ("sky to purple", [paint("sky", "purple")]),
        ("no caption please", []),
        ("make some coffee", []),
        ("I'd like the hat and the umbrela removed", [paint("hat. umbrella")]),
        ("nothing but the horse should be visible", [paint("everything except horse")]),
        ("black and white except for the flowers", [paint("everything except flowers", "black and white")]),
        ("find the coins and count them", [find("coins"), find("coins")]),
    ],
)
def test_terse_requests_and_ellipses(words: str, expected: Calls) -> None:
    assert calls(words) == expected


def add(instruction: str) -> tuple[str, dict[str, Any]]:
    return "edit_image", {"prompt": instruction}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        # A remark before or after the request
        ("that puddle ruins it all, get rid of the puddle", [paint("puddle")]),
        ("the crane behind us is distracting, wipe it away", [paint("crane behind us")]),
        ("my son has jam all over his nose, take it off", [paint("jam")]),
        ("the shutters are brown, I need them teal", [paint("shutters", "teal")]),
        ("the armchair looks dull, go for red leather", [paint("armchair", "red leather")]),
        ("remove the bin, it spoils the view", [paint("bin")]),
        ("the pram, please delete", [paint("pram")]),
        ("moped: erase", [paint("moped")]),
        # Purposes and requirements
        ("make my brother's cap violet for the club newsletter", [paint("brother's cap", "violet")]),
        ("the magazine wants it black and white", [BW]),
        # Where a value ends
        ("the counter should be grey granite", [paint("counter", "grey granite")]),
        ("make the tent blue and white", [paint("tent", "blue and white")]),
        ("give the horse brown eyes", [paint("horse's eyes", "brown")]),
        ("make the scarf out of feathers", [paint("scarf", "feathers")]),
        ("substitute a lantern for the lamp", [paint("lamp", "lantern")]),
        ("make the dance floor clip slow motion", []),
        # Contrast
        ("not the roof, only the door should turn green", [paint("door", "green")]),
        ("instead of removing the gate, paint it white", [paint("gate", "white")]),
        (
            "don't touch the boat, just make the water behind it blue",
            [paint("water behind the boat", "blue")],
        ),
        # The image by what it shows
        ("turn this holiday picture black and white", [BW]),
        ("what is written on this page?", [READ]),
        # Questions and added things, where nothing else fits
        ("is she laughing?", [ask("is she laughing?")]),
        ("which birds are on the wire?", [ask("which birds are on the wire")]),
        ("what make of van is that?", [ask("what make of van is it")]),
        ("is it possible to fly?", []),
        ("put a kite above the beach", [add("put a kite above the beach")]),
        ("add a moustache to his face and describe it", [add("add a moustache to his face"), CAPTION]),
        ("make me a sandwich", []),
        ("add text", []),
        ("can the pigeon go away?", [paint("pigeon")]),
        ("I wish that pylon wasn't there", [paint("pylon")]),
        ("cables ruin this view, get rid of them", [paint("cables")]),
        ("no more stickers on the door", [paint("stickers on the door")]),
        ("I'd rather have a wooden bench than that chair", [paint("chair", "wooden bench")]),
        ("instead of gravel I'd like moss", [paint("gravel", "moss")]),
        ("what if the barn was yellow?", [paint("barn", "yellow")]),
        ("I'd like a lantern on the wall", [add("add a lantern on the wall")]),
        ("make him hold an umbrella", [add("make him hold an umbrella")]),
    ],
)
def test_how_people_ask_about_their_photographs(words: str, expected: Calls) -> None:
    assert calls(words) == expected
