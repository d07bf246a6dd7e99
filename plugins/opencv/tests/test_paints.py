from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptvision_opencv.colours import COLOURS
from promptvision_opencv.paints import is_desaturation, read_paint


@pytest.mark.parametrize(
    ("prompt", "target"),
    [
        ("blue", "red ball"),
        ("a blue ball", "the red balls"),
        ("a blue ball", None),
        ("make it Blue", "car"),
        ("a blue car", "car"),
    ],
)
def test_change_of_colour_is_understood(prompt: str, target: str | None) -> None:
    assert read_paint(prompt, target) == (32, 86, 204)


@pytest.mark.parametrize(
    ("prompt", "target"),
    [
        ("an orange cat", "lion"),
        ("a blue box", "red ball"),
        ("red and white stripes", "shirt"),
        ("a cat", None),
        ("a rose", "flower"),
        ("an orange", "ball"),
        ("a salmon", None),
        ("", None),
    ],
)
def test_other_prompts_are_not_understood(prompt: str, target: str | None) -> None:
    assert read_paint(prompt, target) is None


@pytest.mark.parametrize(
    "prompt", ["black and white", "Black & White", "b&w", "grayscale", "in grey scale", "monochrome"]
)
def test_loss_of_colour_is_understood(prompt: str) -> None:
    assert is_desaturation(prompt)


@pytest.mark.parametrize("prompt", ["black", "white", "black and white stripes", "grey", ""])
def test_other_prompts_keep_their_colour(prompt: str) -> None:
    assert not is_desaturation(prompt)


@pytest.mark.parametrize("prompt", ["rose", "orange", "salmon", "tomato", "snow"])
def test_colour_that_is_also_an_object_is_a_colour_without_an_article(prompt: str) -> None:
    assert read_paint(prompt, "flower") is not None


def test_shades_differ() -> None:
    plain, dark, light = (read_paint(words, None) for words in ("green", "dark green", "light green"))
    assert plain is not None
    assert dark is not None
    assert light is not None
    assert sum(dark) < sum(plain) < sum(light)


def test_css_names_have_their_value() -> None:
    assert read_paint("navy", None) == (0, 0, 128)


@pytest.mark.parametrize("word", [word for colour in COLOURS for word in (colour.name, *colour.words)])
def test_every_colour_word_can_be_painted(word: str) -> None:
    assert read_paint(word, None) is not None


@given(st.text(max_size=200), st.none() | st.text(max_size=50))
def test_any_text_can_be_read(prompt: str, target: str | None) -> None:
    paint = read_paint(prompt, target)
    assert paint is None or all(0 <= channel <= 255 for channel in paint)
