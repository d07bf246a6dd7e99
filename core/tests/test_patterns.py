"""Texts are compared without regard to case, and phrases are found by their first word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptvision.builtin.planner.patterns import IMAGE, first_keys, fold, may_end_name


@given(st.text(alphabet="aZÄß\u0130\u03a3\u03c3 \u4e00", max_size=12))
def test_a_folded_text_has_its_characters_one_by_one(text: str) -> None:
    folded = fold(text)
    assert len(folded) == len(text)
    assert folded == "".join(map(fold, text))


@pytest.mark.parametrize(
    ("phrase", "key"),
    [
        ("Make it {prompt}", "make"),
        ("{target} away", ""),
        ("it is too dark", IMAGE),
        ("the picture looks dull", IMAGE),
        ("the dog", "the"),
        ("itemize", "itemize"),
        ("\u628a{target}\u53bb\u6389", "\u628a"),
    ],
)
def test_a_phrase_is_found_by_its_first_word(phrase: str, key: str) -> None:
    assert first_keys([phrase, phrase]) == [key, key]


def test_a_name_of_the_image_goes_on_with_a_noun_or_its_kind() -> None:
    assert all(map(may_end_name, ("photo", "pictures", "last")))
    assert not any(map(may_end_name, ("dog", "photographer")))
