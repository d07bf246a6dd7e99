"""Names of common things in other languages."""

from __future__ import annotations

import pytest

from promptvision.builtin.planner.languages import LANGUAGES
from promptvision.builtin.planner.vocabulary import english_names


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.code)
def test_each_language_names_the_same_things(language: object) -> None:
    code = getattr(language, "code", "")
    assert {"motorcycle", "sofa", "umbrella"} <= set(english_names(code).values())


@pytest.mark.parametrize(
    ("code", "value", "english"),
    [
        ("de", "rote Äpfel", "red apples"),
        ("es", "taza de café", "coffee cup"),
        ("fr", "appareil photo", "camera"),
        ("zh", "红色摩托车", "red motorcycle"),
    ],
)
def test_things_are_named_in_english(code: str, value: str, english: str) -> None:
    (language,) = (one for one in LANGUAGES if one.code == code)
    assert language.english(value) == english
