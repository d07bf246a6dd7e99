from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from promptvision_grounding_dino.prompt import join_labels, label_spans


def test_text_has_a_dot_after_each_label() -> None:
    assert join_labels(["lion", "red ball"]) == "lion. red ball."


def test_spans_end_at_dots_and_question_marks() -> None:
    assert label_spans([101, 7, 8, 1012, 9, 1029, 102]) == [(1, 3), (4, 5)]


def test_a_label_without_tokens_keeps_its_position() -> None:
    assert label_spans([101, 1012, 9, 1012, 102]) == [(1, 1), (2, 3)]


@given(st.lists(st.lists(st.integers(2000, 30000), max_size=4), max_size=8))
def test_there_is_one_span_per_label(words: list[list[int]]) -> None:
    ids = [101, *(token for word in words for token in (*word, 1012)), 102]
    assert [ids[start:stop] for start, stop in label_spans(ids)] == words
