from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptvision_grounding_dino.prompt import join_labels, label_spans, split_labels


@pytest.mark.parametrize(
    ("prompt", "labels"),
    [
        ("Lion", ["lion"]),
        ("lion. tree.", ["lion", "tree"]),
        ("  A  red\tball ", ["a red ball"]),
        ("lion, tree; sky\nball", ["lion", "tree", "sky", "ball"]),
        ("lion. LION. lion ", ["lion"]),
        ("where is it? tree!", ["where is it", "tree"]),
        ("lion\uff0e tree\u2026", ["lion", "tree"]),
        (" . ? ", []),
    ],
)
def test_prompt_becomes_labels(prompt: str, labels: list[str]) -> None:
    assert split_labels(prompt) == labels


def test_text_has_a_dot_after_each_label() -> None:
    assert join_labels(["lion", "red ball"]) == "lion. red ball."


@given(st.text(max_size=80))
def test_labels_are_normalised_and_stable(prompt: str) -> None:
    labels = split_labels(prompt)
    assert split_labels(join_labels(labels)) == labels
    assert len(set(labels)) == len(labels)
    assert all(label == label.strip() and not set(".?") & set(label) for label in labels)


def test_spans_are_cut_at_dots_and_question_marks() -> None:
    assert label_spans([101, 7, 8, 1012, 9, 1029, 102]) == [(1, 3), (4, 5)]


def test_a_label_without_tokens_keeps_its_place() -> None:
    assert label_spans([101, 1012, 9, 1012, 102]) == [(1, 1), (2, 3)]


@given(st.lists(st.lists(st.integers(2000, 30000), max_size=4), max_size=8))
def test_there_is_one_span_per_label(words: list[list[int]]) -> None:
    ids = [101, *(token for word in words for token in (*word, 1012)), 102]
    assert [ids[start:stop] for start, stop in label_spans(ids)] == words
