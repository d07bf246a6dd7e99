"""Values of arguments from the words of slots."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptvision.builtin.planner.intents import quantities as q

TABLE: list[tuple[Callable[[str, str], Any], dict[str, Any]]] = [
    (
        q.pixels,
        {"1080p": 1080, "2k": 2000, "1.5k": 1500, "1,200px": 1200, "1.200 px": 1200, "1 200": 1200}
        | {"two thousand": 2000, "A4": None, "0": None, "wide": None, "9" * 400: None},
    ),
    (
        q.level,
        {"1.5": 1.5, "1,5": 1.5, "150 %": 1.5, "50": 0.5, "zero": 0, "null": 0, "z\u00e9ro": 0, "twice": 2}
        | {"-20 %": 0.8, "+20%": 1.2, "minus ten percent": 0.9, "-150 %": 0, "zero point eight": 0.8},
    ),
    (
        q.raised,
        {"20 %": 1.2, "20": 1.2, "a third": 1.333, "by half": 1.5, "twice": 2, "1,4": 1.4, "0.5 %": 1.005}
        | {"two and a half times": 2.5, "dreimal": 3, "a factor of 2": 2, "-20 %": None, "a bit": None},
    ),
    (
        q.lowered,
        {"20 %": 0.8, "-20 %": 0.8, "minus 20 %": 0.8, "half": 0.5, "a quarter": 0.75, "a third": 0.667}
        | {"three times": 0.333, "200 %": 0.05, "a little": None, "0": None},
    ),
    (
        q.degrees,
        {"90\u00b0": 90, "a quarter turn": 90, "1/4 turn": 90, "half a turn": 180, "three quarter turns": 270}
        | {"forty-five degrees": 45, "half a degree": 0.5, "one and a half degrees": 1.5, "-5": -5}
        | {"two right angles": 180, "demi-tour": 180, "media vuelta": 180, "eine halbe Drehung": 180}
        | {"un quart de tour": 90, "grado y medio": 1.5, "9" * 400: None},
    ),
    (q.factor, {"2x": 2, "double": 2, "three": 4, "4": 4, "400 %": 4, "cuatro": 4, "sharper": None}),
    (
        q.aspect,
        {"16:9": "16:9", "4 by 5": "4:5", "a ratio of 4 by 5": "4:5", "sixteen by nine": "16:9"}
        | {"vier zu drei": "4:3", "quatre sur trois": "4:3", "16 par 9": "16:9", "2.35:1": "2.35:1"}
        | {"panorama format, 3:1": "3:1", "square": "1:1", "quadratisch": "1:1", "carr\u00e9": "1:1"}
        | {"cuadrada": "1:1", "Breitbild": "16:9", "Hochformat": "2:3", "a story": "9:16", "A4": "210:297"}
        | {"DIN A4 quer": "297:210", "0:5": None, "round": None},
    ),
    (
        q.part,
        {"the left half": "left half", "upper third": "top third", "the top 50 %": "top half"}
        | {"the top left quarter": "top left", "die linke H\u00e4lfte": "left half", "middle": "center"}
        | {
            "le tiers sup\u00e9rieur": "top third",
            "la mitad inferior": "bottom half",
            "the left": "left half",
        }
        | {"the left two thirds": None, "the top 60 percent": None, "the left quarter": None}
        | {"the middle third": None, "the upper corner": None, "her face": None},
    ),
    (
        q.place,
        {"the upper left corner": "top left", "unten rechts": "bottom right", "en haut": "top"}
        | {
            "abajo a la derecha": "bottom right",
            "dead centre": "center",
            "en medio": "center",
            "on it": None,
        },
    ),
    (
        q.file_format,
        {"a PNG": "png", ".jpg": "jpg", "jpegs": "jpeg", "TIF": "tiff", "tiffs": "tiff", "gif": None},
    ),
]
CASES = [(convert, words, value) for convert, cases in TABLE for words, value in cases.items()]


@pytest.mark.parametrize(
    ("convert", "words", "value"), CASES, ids=[f"{c.__name__} {words[:30]}" for c, words, _ in CASES]
)
def test_words_become_values(convert: Callable[[str, str], Any], words: str, value: object) -> None:
    assert convert(words, words) == value


@pytest.mark.parametrize(
    ("words", "clause", "value"),
    [
        ("half", "make it half the size", 50),
        ("half", "shrink it by half", 50),
        ("half", "make it bigger by half", 150),
        ("a third", "reduce it to a third", 33.33),
        ("a third", "make it a third smaller", 66.67),
        ("20 %", "shrink it by 20 %", 80),
        ("20 %", "enlarge it by 20 %", 120),
        ("20 %", "shrink it to 20 %", 20),
        ("-20 %", "resize -20 %", 80),
        ("30 Prozent", "um 30 Prozent kleiner", 70),
        ("3 times", "make it 3 times as big", 300),
        ("three times", "make it three times smaller", 33.33),
        ("deux", "divise la taille par deux", 50),
        ("el doble", "agranda la foto al doble", 200),
        ("100 %", "shrink it by 100 %", None),
        ("smaller", "make it smaller", None),
    ],
)
def test_a_size_depends_on_the_direction_that_the_clause_gives(
    words: str, clause: str, value: float | None
) -> None:
    assert q.percent(words, clause) == value


@pytest.mark.parametrize(
    ("words", "clause", "part"),
    [
        ("the left half", "keep the left half", "left half"),
        ("the left half", "cut off the left half", "right half"),
        ("bottom half", "remove the bottom half", "top half"),
        ("the top third", "cut off the top third", None),
        ("the middle", "without the middle", None),
    ],
)
def test_the_other_half_is_kept_of_what_is_cut_off(words: str, clause: str, part: str | None) -> None:
    assert q.kept_part(words, clause) == part


def test_what_a_clause_leaves_open_depends_on_its_words() -> None:
    clauses = ("turn it left", "tilt it a bit to the left", "straighten it")
    assert [q.unstated_degrees(clause) for clause in clauses] == [90, 5, None]
    assert [q.unstated_percent(clause) for clause in ("make it bigger", "shrink it")] == [200, 50]
    assert [q.is_stretched(clause) for clause in ("squeeze it into 1:1", "fit it into 1:1")] == [True, False]
    assert q.picture_format("a widescreen image of a harbour") == "landscape"
    assert q.picture_format("a portrait of a queen") is None
    assert q.without_format("a harbour at dawn in landscape format") == "a harbour at dawn"


PIECES = st.sampled_from(
    [
        "half",
        "by",
        "%",
        "-",
        "9" * 40,
        "1/2",
        "0",
        "x",
        "to",
        "left",
        "third",
        "turn",
        "k",
        "A4",
        ":",
        "(",
        "{0}",
    ]
)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=30) | st.lists(PIECES, max_size=8).map(" ".join))
def test_no_text_is_an_error(text: str) -> None:
    for convert, _ in TABLE:
        convert(text, text)
    q.percent(text, f"make it smaller by {text}")
    q.kept_part(text, f"cut off {text}")
    q.without_format(text)
