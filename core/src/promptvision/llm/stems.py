"""Stems of words, to match texts without a dictionary."""

from __future__ import annotations

import re

__all__ = ["stems_of"]

_WORD = re.compile(r"[^\W\d_\u3400-\u9fff]{3,}")
_IDEOGRAPHS = re.compile(r"[\u3400-\u9fff]+")
_LENGTH = 5
_SAYS_LITTLE = frozenset(
    (
        *("the", "this", "that", "and", "with", "for", "from", "into", "its", "one", "all", "any", "are"),
        *("was", "can", "you", "image", "picture", "photo"),
    )
)


def stems_of(*texts: str) -> frozenset[str]:
    """The first five letters of each word of three letters or more, and each ideograph, in lower case.

    Words of nearly every request are left out.
    """
    text = "\n".join(texts).lower()
    words = {word[:_LENGTH] for word in _WORD.findall(text) if word not in _SAYS_LITTLE}
    return frozenset(words.union(*_IDEOGRAPHS.findall(text)))
