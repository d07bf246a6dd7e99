"""Further passes for text that the first two missed, and the check whether a reading is text."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby

import numpy as np

from promptvision_tesseract.contrast import count_pieces
from promptvision_tesseract.engine import Engine, Reading, Token
from promptvision_tesseract.preprocess import Grey, Page, add_border, deskew, scale_letters

__all__ = ["drop_noise", "evidence", "recover"]

BETTER = 1.1
"""Factor by which a further pass must have more evidence to replace the reading before it."""
SCATTERED = 11
"""The page segmentation mode for scattered words, which also finds false ones."""
RECOVERED_WORD = 60.0
TEXTURE_PIECES = 400
"""Number of pieces of ink from which an image without a certain word is a texture."""
SAME_LEVEL = 4.0
"""Mean difference in grey values below which two pages are equal."""
NOISE_WORD = 25.0
STRONG_WORD, STRONG_TOKEN = 70.0, 92.0
"""Confidence from which a word of at least three letters or digits, or a shorter one, counts as text."""
STRONG_SHARE, SHORT_SHARE = 0.34, 0.6
"""Share of the characters that must be in such words: with a word of three characters, and without."""


def evidence(tokens: Iterable[Token]) -> float:
    """The amount of recognised text: letters and digits, weighted by their confidence."""
    return sum(_letters(token) * max((token.confidence - 20) / 80, 0.0) ** 2 for token in tokens)


def recover(
    bare: Grey, best: Page, reading: Reading, engine: Engine, is_complete: Callable[[Page, Reading], bool]
) -> tuple[Page, Reading]:
    """Read only the ink as a page, as a block and as scattered words, until all of it is read.

    If no pass found a certain word, the last one is skipped, and on a texture also the one before it, where
    it takes ten times as long and reads nothing.

    Args:
        bare: dark ink on white, without rules and leaders, in the size of the image.
        best: the page with the best reading so far.
        reading: its words.
        engine: runs the passes.
        is_complete: whether a reading of a page leaves no ink unread.

    Returns:
        The page with the best reading, and its words.
    """
    page = add_border(deskew(scale_letters(Page(bare, np.eye(3)))))
    slow = (6, SCATTERED) if count_pieces(bare) > TEXTURE_PIECES else (SCATTERED,)
    for mode in (6, SCATTERED) if _are_alike(page, best) else (3, 6, SCATTERED):
        if mode in slow and not drop_noise(reading.tokens):
            break
        found = engine.read(page.grey, mode)
        if mode == SCATTERED:
            found = Reading(tuple(token for token in found.tokens if token.confidence >= RECOVERED_WORD))
        if evidence(drop_noise(found.tokens)) > BETTER * evidence(drop_noise(reading.tokens)):
            best, reading = page, found
            if is_complete(best, reading):
                break
    return best, reading


def _are_alike(page: Page, other: Page) -> bool:
    if page.grey.shape != other.grey.shape:
        return False
    return float(np.abs(page.grey.astype(np.int16) - other.grey).mean()) < SAME_LEVEL


def drop_noise(tokens: Iterable[Token]) -> list[Token]:
    """Drop false words from textures and edges.

    Everything is dropped unless a third of the characters is in certain words; words of almost no confidence
    are dropped unless the rest of their line is certain.
    """
    words = list(tokens)
    if not _is_text([token for token in words if token.confidence >= NOISE_WORD]):
        return []
    return [
        token
        for _, line in groupby(words, key=lambda token: token.line)
        for token in _without_noise(list(line))
    ]


def _without_noise(line: list[Token]) -> list[Token]:
    if _has_word(line) and _strong_share(line) >= STRONG_SHARE:
        return [token for token in line if token.confidence >= NOISE_WORD or _letters(token)]
    return [token for token in line if token.confidence >= NOISE_WORD]


def _is_text(tokens: list[Token]) -> bool:
    return _strong_share(tokens) >= (STRONG_SHARE if _has_word(tokens) else SHORT_SHARE)


def _has_word(tokens: list[Token]) -> bool:
    return any(_is_strong(token) and _letters(token) >= 3 for token in tokens)


def _strong_share(tokens: list[Token]) -> float:
    strong = sum(len(token.text) for token in tokens if _is_strong(token))
    return strong / max(sum(len(token.text) for token in tokens), 1)


def _is_strong(token: Token) -> bool:
    letters = _letters(token)
    return letters > 0 and token.confidence >= (STRONG_WORD if letters >= 3 else STRONG_TOKEN)


def _letters(token: Token) -> int:
    return sum(char.isalnum() for char in token.text)
