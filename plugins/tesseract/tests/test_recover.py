from __future__ import annotations

import pytest

from promptvision_tesseract.engine import Token
from promptvision_tesseract.recover import drop_noise, evidence


def words(*found: tuple[str, float]) -> list[Token]:
    return [
        Token(text, (0, 0, 9, 9), confidence, (1, 1, number))
        for number, (text, confidence) in enumerate(found)
    ]


def test_sure_words_are_more_evidence_than_unsure_ones() -> None:
    assert evidence(words(("harbour", 95))) > evidence(words(("harbour", 60)))
    assert evidence(words(("---", 99))) == 0
    assert evidence([]) == 0


@pytest.mark.parametrize(
    "found", [[("harbour", 95)], [("7", 95)], [("nino", 55), ("manana", 80)], [("Total", 90), ("3", 80)]]
)
def test_text_is_kept(found: list[tuple[str, float]]) -> None:
    assert drop_noise(words(*found)) == words(*found)


@pytest.mark.parametrize(
    "found",
    [
        [("Ny", 70), ("S", 80), ("ee,", 40)],
        [("A", 60), ("A", 85)],
        [("A", 80), ("A", 95)],
        [("Sore", 20)],
        [],
    ],
)
def test_what_textures_are_read_as_is_dropped(found: list[tuple[str, float]]) -> None:
    assert drop_noise(words(*found)) == []
