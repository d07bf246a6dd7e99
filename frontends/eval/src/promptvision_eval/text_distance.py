"""Edit distance between a text and its transcription, by rapidfuzz."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

__all__ = ["TextDistance", "normalise_text"]


def normalise_text(text: str) -> str:
    """The text in Unicode form NFC with single spaces."""
    return " ".join(unicodedata.normalize("NFC", text).split())


@dataclass(frozen=True)
class TextDistance:
    """Insertions, deletions and substitutions, with the length of the label.

    Args:
        character_edits, characters: by character, spaces included.
        word_edits, words: by word.
    """

    character_edits: int
    characters: int
    word_edits: int
    words: int

    @classmethod
    def between(cls, label: str, found: str) -> TextDistance:
        """The distance of two texts, each normalised first."""
        label, found = normalise_text(label), normalise_text(found)
        return cls(
            Levenshtein.distance(label, found),
            len(label),
            Levenshtein.distance(label.split(), found.split()),
            len(label.split()),
        )
