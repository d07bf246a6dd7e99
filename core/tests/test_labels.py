from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptvision.tools.labels import split_labels


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


@given(st.text(max_size=80))
def test_labels_are_normalised_and_stable(prompt: str) -> None:
    labels = split_labels(prompt)
    assert split_labels(". ".join(labels)) == labels
    assert len(set(labels)) == len(labels)
    assert all(label == label.strip() and not set(".?") & set(label) for label in labels)
