"""Further passes for what the usual two leave unread, and what of a reading is no text at all."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from promptvision_tesseract.engine import Engine, Reading, Token
from promptvision_tesseract.preprocess import Grey, Page, add_border, deskew, rotate, scale_letters

__all__ = ["drop_noise", "evidence", "read_short", "recover"]

BETTER = 1.1
"""Factor by which a further pass must have more evidence to replace the reading before it."""
SURER = 8.0
"""Points of confidence by which a text must read better upside down."""
SCATTERED = 11
"""The page segmentation mode that finds words anywhere, and some where there are none."""
RECOVERED_WORD = 60.0
NOISE_WORD = 25.0
STRONG_WORD, STRONG_TOKEN = 70.0, 92.0
"""Confidence from which a word of three characters, or a shorter one, counts as text."""
STRONG_SHARE, SHORT_SHARE = 0.34, 0.6
"""Share of the characters that must be in such words: with a word of three characters, and without."""


def evidence(tokens: Iterable[Token]) -> float:
    """How much was read: letters and digits, each weighted with its confidence."""
    return sum(
        sum(char.isalnum() for char in token.text) * max((token.confidence - 20) / 80, 0.0) ** 2
        for token in tokens
    )


def recover(bare: Grey, best: Page, reading: Reading, engine: Engine) -> tuple[Page, Reading]:
    """Read the ink alone as a page, as a block and as scattered words.

    Args:
        bare: dark ink on white, without rules and leaders, in the size of the image.
        best: the page that was read best so far.
        reading: its words.
        engine: for the passes.

    Returns:
        The page that was read best, and its words.
    """
    page = add_border(deskew(scale_letters(Page(bare, np.eye(3)))))
    for mode in (3, 6, SCATTERED):
        found = engine.read(page.grey, mode)
        if mode == SCATTERED:
            found = Reading(tuple(token for token in found.tokens if token.confidence >= RECOVERED_WORD))
        if evidence(drop_noise(found.tokens)) > BETTER * evidence(drop_noise(reading.tokens)):
            best, reading = page, found
    return best, reading


def read_short(bare: Grey, best: Page, reading: Reading, engine: Engine) -> tuple[Page, Reading]:
    """Read a short text as one line and upside down; arguments as for :func:`recover`."""
    upright = scale_letters(Page(bare, np.eye(3)))
    if not reading.tokens:
        best, reading = add_border(upright), engine.read(add_border(upright).grey, 7)
    turned = add_border(rotate(upright, 180))
    found = engine.read(turned.grey, 6)
    if found.confidence > reading.confidence + SURER and evidence(found.tokens) > evidence(reading.tokens):
        return turned, found
    return best, reading


def drop_noise(tokens: Iterable[Token]) -> list[Token]:
    """Leave out what textures and edges are read as.

    Words of almost no confidence go, and everything unless a third of the characters is in sure words.
    """
    kept = [token for token in tokens if token.confidence >= NOISE_WORD]
    strong = sum(len(token.text) for token in kept if _is_strong(token))
    has_word = any(_is_strong(token) and _letters(token) >= 3 for token in kept)
    share = STRONG_SHARE if has_word else SHORT_SHARE
    return kept if strong >= share * sum(len(token.text) for token in kept) else []


def _is_strong(token: Token) -> bool:
    return token.confidence >= (STRONG_WORD if _letters(token) >= 3 else STRONG_TOKEN)


def _letters(token: Token) -> int:
    return sum(char.isalnum() for char in token.text)
