"""From what a user wants found to the text that Grounding DINO reads, and back from tokens to labels."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

__all__ = ["DELIMITERS", "Span", "join_labels", "label_spans", "split_labels"]

DELIMITERS = frozenset({1012, 1029})
"""Token ids of ``.`` and ``?`` in the vocabulary of bert-base-uncased. The model lets no token attend across
them, so each label between two of them is read on its own (``SPECIAL_TOKENS`` in transformers'
``modeling_grounding_dino.py``, which also has [CLS] and [SEP])."""

Span = tuple[int, int]
"""First token of a label and the one after its last."""

_BETWEEN_LABELS = re.compile(r"[.?!,;\n]+")


def split_labels(prompt: str) -> list[str]:
    """The things a prompt asks for: lower case, each once, in their order.

    Args:
        prompt: phrases with dots, commas, semicolons, question or exclamation marks or line ends between
            them, such as ``"Lion. tree"``.

    Returns:
        ``["lion", "tree"]``; empty when the prompt names nothing.
    """
    text = unicodedata.normalize("NFKC", prompt).lower()
    labels = (" ".join(part.split()) for part in _BETWEEN_LABELS.split(text))
    return list(dict.fromkeys(label for label in labels if label))


def join_labels(labels: Sequence[str]) -> str:
    """The text that the model was trained to read: labels with a dot after each, ``"lion. tree."``."""
    return "".join(f"{label}. " for label in labels).strip()


def label_spans(input_ids: Sequence[int]) -> list[Span]:
    """Where the labels lie among the tokens of :func:`join_labels`.

    Args:
        input_ids: token ids with [CLS] in front, and a delimiter after each label.

    Returns:
        One span per delimiter; empty spans stay, so the n-th span belongs to the n-th label.
    """
    spans = []
    start = 1
    for position, token in enumerate(input_ids):
        if token in DELIMITERS:
            spans.append((start, position))
            start = position + 1
    return spans
