from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from promptvision_tesseract.engine import Engine, Reading, Token
from promptvision_tesseract.preprocess import Grey, Page, add_border
from promptvision_tesseract.recover import drop_noise, evidence, recover


def words(*found: tuple[str, float]) -> list[Token]:
    return [
        Token(text, (0, 0, 9, 9), confidence, (1, 1, number))
        for number, (text, confidence) in enumerate(found)
    ]


def test_certain_words_are_more_evidence_than_uncertain_ones() -> None:
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
def test_false_words_of_textures_are_dropped(found: list[tuple[str, float]]) -> None:
    assert drop_noise(words(*found)) == []


def test_uncertain_words_of_a_certain_line_are_kept() -> None:
    line = [
        Token(text, (0, 0, 9, 9), confidence, (1, 1, 1))
        for text, confidence in [
            ("this", 96),
            ("door", 0),
            ("closed", 0),
            ("at", 96),
            ("night", 96),
            ("|", 5),
        ]
    ]
    alone = Token("pare", (0, 0, 9, 9), 13, (2, 1, 1))
    assert drop_noise([*line, alone]) == line[:-1]


def test_symbols_alone_are_not_text() -> None:
    assert drop_noise(words(("\u00a9", 95))) == []
    assert drop_noise(words((">", 96), ("+", 94))) == []


def harbour_page(draw_page: Callable[..., Grey]) -> tuple[Page, Reading]:
    page = add_border(Page(draw_page(), np.eye(3)))
    return page, Engine(["eng"]).read(page.grey)


def test_ink_that_was_read_is_not_read_again(draw_page: Callable[..., Grey]) -> None:
    page, reading = harbour_page(draw_page)
    asked: list[Reading] = []

    def is_complete(_: Page, found: Reading) -> bool:
        asked.append(found)
        return True

    best, found = recover(
        draw_page(), Page(page.grey[:9], np.eye(3)), Reading(), Engine(["eng"]), is_complete
    )
    assert [token.text for token in found.tokens] == [token.text for token in reading.tokens]
    assert asked == [found]
    assert best.grey.shape != page.grey[:9].shape


def test_reading_stays_if_no_pass_reads_more(draw_page: Callable[..., Grey]) -> None:
    page, reading = harbour_page(draw_page)
    best, found = recover(draw_page(), page, reading, Engine(["eng"]), lambda *_: False)
    assert best is page
    assert found is reading


def test_texture_is_read_only_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    texture = np.full((120, 900), 255, np.uint8)
    for x in range(0, 880, 12):
        for y in range(0, 110, 12):
            texture[y : y + 3, x : x + 3 + (x + y) % 4] = 0
    modes: list[int] = []
    read = Engine.read

    def count(self: Engine, grey: Grey, mode: int = 3) -> Reading:
        modes.append(mode)
        return read(self, grey, mode)

    monkeypatch.setattr(Engine, "read", count)
    blank = Page(np.full((9, 9), 255, np.uint8), np.eye(3))
    _, found = recover(texture, blank, Reading(), Engine(["eng"]), lambda *_: False)
    assert drop_noise(found.tokens) == []
    assert modes == [3]
