"""Requests are split into sentences and steps, without their polite ends."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from promptvision.builtin.planner import clauses
from promptvision.builtin.planner.clauses import bare, split_clauses
from promptvision.builtin.planner.patterns import ends_in

ENDS = st.from_regex(re.compile(clauses._CLOSING.pattern, re.ASCII), fullmatch=True)


@given(ENDS)
def test_the_last_word_tells_whether_a_clause_has_a_polite_end(end: str) -> None:
    assert ends_in(f" crop it{end}", clauses._LAST_WORDS), end


def test_sentences_and_steps_are_clauses() -> None:
    assert split_clauses("crop it; then rotate it. Thanks!") == ["crop it", "rotate it"]


def test_a_clause_has_no_polite_words_at_its_ends() -> None:
    assert bare("please crop it for me, thanks mate") == "crop it"
    assert bare("Crop it NOW") == "Crop it"
    assert bare("crop the left half") == "crop the left half"
