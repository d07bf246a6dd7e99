"""Polite words are taken away from both ends of a sentence."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptvision.builtin.planner import english
from promptvision.builtin.planner.english import polite
from promptvision.builtin.planner.patterns import ends_in

ENDS = st.from_regex(re.compile(english._TAIL.pattern, re.ASCII), fullmatch=True)


@given(ENDS)
def test_the_last_word_tells_whether_a_sentence_has_a_polite_end(end: str) -> None:
    assert ends_in(f" crop it{end}", english._LAST_WORDS), end


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("could you please crop it for me, thanks a lot", "crop it"),
        ("CROP IT, PLEASE", "CROP IT"),
        ("crop it if that is okay", "crop it"),
        ("crop it to the dog", "crop it to the dog"),
        ("please", ""),
        ("", ""),
    ],
)
def test_politeness_is_left_out(said: str, left: str) -> None:
    assert polite(said) == left
