"""Split detection prompts into labels."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["split_labels"]

_BETWEEN_LABELS = re.compile(r"[.?!,;\n]+")


def split_labels(prompt: str) -> list[str]:
    """The labels of a prompt: lower case, without duplicates, in order.

    Args:
        prompt: phrases with dots, commas, semicolons, question or exclamation marks or line ends between
            them, such as ``"Lion. tree"``.

    Returns:
        ``["lion", "tree"]``; empty when the prompt names nothing.
    """
    text = unicodedata.normalize("NFKC", prompt).lower()
    labels = (" ".join(_without_controls(part).split()) for part in _BETWEEN_LABELS.split(text))
    return list(dict.fromkeys(label for label in labels if label))


def _without_controls(text: str) -> str:
    """The text with control characters, such as NUL, replaced by spaces."""
    return "".join(" " if unicodedata.category(each) == "Cc" else each for each in text)
