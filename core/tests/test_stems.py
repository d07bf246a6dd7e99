"""Stems of words."""

from __future__ import annotations

from promptvision.llm.stems import stems_of


def test_forms_of_a_word_have_one_stem() -> None:
    assert stems_of("Brightness") & stems_of("make it brighter", "nothing")


def test_short_and_usual_words_are_left_out() -> None:
    assert stems_of("the image is to be it 16:9") == frozenset()


def test_ideographs_count_one_by_one() -> None:
    assert stems_of("把图片旋转") == frozenset("把图片旋转")
