"""Character and word error rates equal those of jiwer."""

from __future__ import annotations

import jiwer
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptvision_eval.text_distance import TextDistance, mark_differences, normalise_text

WORDS = st.text("abcC.\u00df\u00e9e\u0301\u65e5\u672c\U0001f600", min_size=1, max_size=8)
TEXTS = st.lists(WORDS, max_size=6).map(" ".join)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(TEXTS.filter(bool), TEXTS), min_size=1, max_size=4))
def test_rates_equal_jiwer(pairs: list[tuple[str, str]]) -> None:
    found = [TextDistance.between(label, read) for label, read in pairs]
    labels, reads = ([normalise_text(text) for text in texts] for texts in zip(*pairs, strict=True))
    cer = sum(each.character_edits for each in found) / sum(each.characters for each in found)
    wer = sum(each.word_edits for each in found) / sum(each.words for each in found)
    assert cer == pytest.approx(jiwer.cer(labels, reads), abs=1e-6)
    assert wer == pytest.approx(jiwer.wer(labels, reads), abs=1e-6)


@pytest.mark.parametrize(
    ("label", "read", "wanted"),
    [
        ("Gr\u00fc\u00dfe", "Gru\u0308\u00dfe", (0, 5, 0, 1)),  # the same letters, composed or not
        ("a  b\n c", "a b c", (0, 5, 0, 3)),
        ("", "noise", (5, 0, 1, 0)),
        ("\u65e5\u672c\u8a9e", "\u65e5\u672c", (1, 3, 1, 1)),
        ("\U0001f600 ok", "ok", (2, 4, 1, 2)),
    ],
)
def test_unicode_and_empty_texts(label: str, read: str, wanted: tuple[int, int, int, int]) -> None:
    found = TextDistance.between(label, read)
    assert (found.character_edits, found.characters, found.word_edits, found.words) == wanted


def test_differences_are_marked_and_long_equal_parts_cut() -> None:
    assert mark_differences("El ni\u00f1o", "El nino") == ("El ni[\u00f1]o", "El ni[n]o")
    assert mark_differences("ab", "abc") == ("ab[]", "ab[c]")
    assert mark_differences("", "") == ("", "")
    label, found = mark_differences("x" * 200 + "a", "x" * 200 + "b")
    assert (label[-3:], found[-3:]) == ("[a]", "[b]")
    assert len(label) < 60
