"""Edit distance between a text and its transcription, by rapidfuzz."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

__all__ = ["TextDistance", "mark_differences", "normalise_text"]

SHOWN = 24
"""Characters that are shown before and after a difference."""


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


def mark_differences(label: str, found: str) -> tuple[str, str]:
    """Both texts with what differs in brackets; long parts that are the same are cut."""
    parts: tuple[list[str], list[str]] = [], []
    for step in Levenshtein.opcodes(label, found):
        pieces = label[step.src_start : step.src_end], found[step.dest_start : step.dest_end]
        for text, piece in zip(parts, pieces, strict=True):
            text.append(_shorten(piece) if step.tag == "equal" else f"[{piece}]")
    return "".join(parts[0]), "".join(parts[1])


def _shorten(text: str) -> str:
    return text if len(text) <= 3 * SHOWN else f"{text[:SHOWN]} \u2026 {text[-SHOWN:]}"
