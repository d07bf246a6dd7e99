"""Numbers in figures and in words."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptvision.builtin.planner.intents.numerals import LIMIT, VALUES, is_signed, number

TABLE = {
    "20 %": 20,
    "1,5": 1.5,
    "minus 20 %": -20,
    "-20 %": -20,
    "\u2212 20 %": -20,
    "minus twenty percent": -20,
    "plus ten": 10,
    "a 5-degree turn": 5,
    "1080p": 1080,
    "\u0663": 3,
    "half": 0.5,
    "by half": 0.5,
    "a third": 1 / 3,
    "two thirds": 2 / 3,
    "two fifths": 0.4,
    "1/2": 0.5,
    "3/4": 0.75,
    "2 1/2": 2.5,
    "2\u00bd": 2.5,
    "\u00bc": 0.25,
    "twice": 2,
    "doubled": 2,
    "threefold": 3,
    "one and a half": 1.5,
    "two and a half times": 2.5,
    "zero": 0,
    "zero point eight": 0.8,
    "forty-five degrees": 45,
    "two hundred and seventy": 270,
    "twelve hundred": 1200,
    "two thousand five hundred": 2500,
    "a dozen": 12,
    "f\u00fcnfundvierzig Grad": 45,
    "hundertachtzig": 180,
    "zweihundertzwanzig": 220,
    "dreimal": 3,
    "anderthalb": 1.5,
    "zweieinhalb": 2.5,
    "die H\u00e4lfte": 0.5,
    "eine Vierteldrehung": 0.25,
    "null": 0,
    "null Komma acht": 0.8,
    "deux fois": 2,
    "une fois et demie": 1.5,
    "vingt pour cent": 20,
    "cent quatre-vingts": 180,
    "quatre-vingt-dix": 90,
    "soixante-quinze": 75,
    "moiti\u00e9": 0.5,
    "deux tiers": 2 / 3,
    "cuarenta y cinco": 45,
    "veinticinco por ciento": 25,
    "ciento ochenta": 180,
    "mil doscientos": 1200,
    "el doble": 2,
    "grado y medio": 1.5,
    "la mitad": 0.5,
}


@pytest.mark.parametrize(("words", "value"), TABLE.items())
def test_numbers_are_read_in_figures_and_words(words: str, value: float) -> None:
    assert number(words) == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize("words", ["", "a little", "blue", "un peu", "normal", "einfach", "9" * 400, "-"])
def test_words_without_a_number_have_none(words: str) -> None:
    assert number(words) is None


@pytest.mark.parametrize(
    ("words", "is_change"),
    [("-20 %", True), ("+ 20", True), ("by -5", True), ("minus ten", True), ("20-30", False), ("ten", False)],
)
def test_a_sign_belongs_to_the_number_behind_it(words: str, *, is_change: bool) -> None:
    assert is_signed(words) is is_change


@settings(max_examples=100, deadline=None)
@given(st.integers(0, LIMIT - 1), st.sampled_from(["{}", "{} px", "by {} %", "about {}"]))
def test_whole_figures_are_read_as_they_are(value: int, form: str) -> None:
    assert number(form.format(value)) == value


PIECES = st.sampled_from(
    [
        *VALUES,
        "and a half",
        "point",
        "hundred",
        "tausend",
        "1/2",
        "-",
        "7",
        "9" * 30,
        "\u00bd",
        "x",
        "%",
        "fold",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=30) | st.lists(PIECES, max_size=12).map(" ".join))
def test_any_text_has_a_number_within_the_limit_or_none(text: str) -> None:
    found = number(text)
    assert found is None or abs(found) < LIMIT
    assert is_signed(text) in (True, False)
