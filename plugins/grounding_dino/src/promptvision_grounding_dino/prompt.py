"""Convert labels to the prompt of Grounding DINO, and find the tokens of each label."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["DELIMITERS", "Span", "join_labels", "label_spans"]

DELIMITERS = frozenset({1012, 1029})
"""Token ids of ``.`` and ``?`` in the vocabulary of bert-base-uncased. The model lets no token attend across
them, so each label between two of them is read separately (``SPECIAL_TOKENS`` in transformers'
``modeling_grounding_dino.py``, which also has [CLS] and [SEP])."""

Span = tuple[int, int]
"""Index of the first token of a label, and of the one after its last."""


def join_labels(labels: Sequence[str]) -> str:
    """The prompt format of the training: labels with a dot after each, ``"lion. tree."``."""
    return "".join(f"{label}. " for label in labels).strip()


def label_spans(input_ids: Sequence[int]) -> list[Span]:
    """The spans of the labels in the tokens of :func:`join_labels`.

    Args:
        input_ids: token ids with [CLS] in front, and a delimiter after each label.

    Returns:
        One span per delimiter; empty spans are kept, so the n-th span belongs to the n-th label.
    """
    spans = []
    start = 1
    for position, token in enumerate(input_ids):
        if token in DELIMITERS:
            spans.append((start, position))
            start = position + 1
    return spans
