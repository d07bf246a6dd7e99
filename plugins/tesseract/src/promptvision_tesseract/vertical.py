"""Read vertical text, and letters stacked below each other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TypeAlias

import cv2
import numpy as np

from promptvision_tesseract.engine import Engine, Reading, Token
from promptvision_tesseract.placement import place
from promptvision_tesseract.preprocess import Grey, Page, add_border, rotate, scale_letters
from promptvision_tesseract.recover import drop_noise

__all__ = ["is_vertical", "read_stacked", "reread_vertical", "unstack"]

Bounds: TypeAlias = tuple[float, float, float, float]
TALL = 2.0
"""Ratio of height to width from which a line of at least :data:`CHARACTERS` is vertical."""
CHARACTERS = 3
SURE_LINE = 92.0
"""Mean confidence from which the direction of a vertical line is certain."""
MAX_LINES = 3
"""Maximum number of vertical lines that are read again."""
MARGIN_PX = 8
MIN_LETTER_PX, MIN_LETTERS = 10, 3
ALIKE = 1.6
"""Largest ratio of the heights of stacked letters, and of the width of one to its height."""
INK_LEVEL = 140


def is_vertical(line: Sequence[Token]) -> bool:
    """Whether the words of a line are vertical."""
    left, top, right, bottom = _bounds(line)
    characters = sum(len(token.text) for token in line)
    return characters >= CHARACTERS and bottom - top > TALL * (right - left)


def reread_vertical(page: Page, reading: Reading, engine: Engine) -> Reading:
    """Read uncertain or cut off vertical lines in both directions and keep the best reading of each.

    Tesseract's page mode tries one direction only. Many lines without a certain word are a texture and are
    not changed.

    Args:
        page: the page.
        reading: its words.
        engine: runs the passes: two for each of at most three lines.
    """
    lines = [list(line) for _, line in groupby(reading.tokens, key=lambda token: token.line)]
    if len(lines) > MAX_LINES and not drop_noise(reading.tokens):
        return reading
    spans = {n: _whole_span(page.grey, _bounds(line)) for n, line in enumerate(lines) if _may_turn(line)}
    doubtful = [n for n in spans if _confidence(lines[n]) < SURE_LINE or spans[n] != _bounds(lines[n])]
    for number in doubtful[:MAX_LINES]:
        line, span = lines[number], spans[number]
        candidates = [_read_turned(page, span, line[0].line, degrees, engine) for degrees in (90, 270)]
        lines[number] = _best(line, candidates)
    return Reading(tuple(token for line in lines for token in line))


def _may_turn(line: Sequence[Token]) -> bool:
    """Whether a line runs up or down, or would if it were not cut off: "TO" of "TOP"."""
    left, top, right, bottom = _bounds(line)
    characters = sum(len(token.text) for token in line)
    return is_vertical(line) or (characters == CHARACTERS - 1 and bottom - top > right - left)


def _whole_span(grey: Grey, box: Bounds) -> Bounds:
    """The box, grown up and down over ink in its columns that is less than a letter away."""
    left, top, right, bottom = box
    letter = int(right - left)
    ink = np.asarray(grey[:, max(int(left), 0) : int(right) + 1].min(axis=1) < INK_LEVEL, np.bool_)
    above, below = int(top), int(bottom)
    while (rows := np.flatnonzero(ink[max(above - letter // 2, 0) : above])).size:
        above = max(above - letter // 2, 0) + int(rows[0])
    while (rows := np.flatnonzero(ink[below + 1 : below + 1 + letter // 2])).size:
        below += 1 + int(rows[-1])
    is_longer = above < top - letter / 3 or below > bottom + letter / 3
    return (left, float(above), right, float(below + 1)) if is_longer else box


def _best(line: list[Token], candidates: list[list[Token]]) -> list[Token]:
    """The reading of the direction with the higher confidence.

    The line as it was read before is kept if its text differs from both and its confidence is higher.
    Confidence of the page mode and of the line mode cannot be compared where both read the same, nor can
    that of a line that was cut off.
    """
    best = max(candidates, key=_confidence)
    is_part = len(_text(line)) < len(_text(best)) and _confidence(best) >= SURE_LINE
    is_new = _text(line) not in map(_text, candidates)
    return line if is_new and not is_part and _confidence(line) > _confidence(best) else best


def _read_turned(
    page: Page, span: Bounds, key: tuple[int, int, int], degrees: int, engine: Engine
) -> list[Token]:
    height, width = page.grey.shape
    left, top, right, bottom = (round(side) for side in span)
    left, top = max(left - MARGIN_PX, 0), max(top - MARGIN_PX, 0)
    part = page.grey[top : bottom + MARGIN_PX, left : right + MARGIN_PX]
    offset = np.array([[1, 0, left], [0, 1, top], [0, 0, 1]], np.float64)
    turned = add_border(rotate(Page(part, offset), degrees))
    placed = [place(token, turned.to_original, width, height) for token in engine.read(turned.grey, 7).tokens]
    return [Token(t.text, t.box, t.confidence, key) for t in placed if t is not None]


def read_stacked(bare: Grey, engine: Engine) -> Reading:
    """Read upright letters below each other as one word; empty if there are none.

    Args:
        bare: dark ink on white, without rules, in the size of the image.
        engine: runs the pass.
    """
    row = unstack(bare)
    if row is None:
        return Reading()
    found = engine.read(add_border(scale_letters(Page(row, np.eye(3)))).grey, 7)
    text = "".join(token.text for token in found.tokens)
    if not text.isalpha():
        return Reading()
    rows, columns = np.nonzero(bare < INK_LEVEL)
    box = (float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1))
    return Reading((Token(text, box, found.confidence, (1, 1, 1)),))


def unstack(bare: Grey) -> Grey | None:
    """Arrange stacked letters in a row; None unless all ink is one column of at least three letters.

    Letters have about the same height, are not much wider than high, and are centred on one vertical.
    """
    ink = bare < INK_LEVEL
    edges = np.flatnonzero(np.diff(np.concatenate([[0], ink.any(axis=1).astype(np.int8), [0]])))
    spans = edges.reshape(-1, 2)
    heights = spans[:, 1] - spans[:, 0]
    if len(spans) < MIN_LETTERS or heights.min() < MIN_LETTER_PX or heights.max() > ALIKE * heights.min():
        return None
    columns = [np.flatnonzero(ink[top:bottom].any(axis=0)) for top, bottom in spans]
    sides = np.array([(column[0], column[-1] + 1) for column in columns])
    height = int(heights.max())
    centres = sides.mean(axis=1)
    if np.ptp(sides, axis=1).max() > ALIKE * height or np.ptp(centres) > height / 2:
        return None
    letters = [bare[top:bottom, a:b] for (top, bottom), (a, b) in zip(spans, sides, strict=True)]
    return np.hstack([_pad(letter, height) for letter in letters]).astype(np.uint8)


def _pad(letter: Grey, height: int) -> Grey:
    below, aside = height - letter.shape[0], max(height // 10, 1)
    padded = cv2.copyMakeBorder(letter, below, 0, aside, aside, cv2.BORDER_CONSTANT, value=(255,))
    return padded.astype(np.uint8)


def _bounds(line: Sequence[Token]) -> Bounds:
    left, top, right, bottom = zip(*(token.box for token in line), strict=True)
    return min(left), min(top), max(right), max(bottom)


def _text(line: Sequence[Token]) -> str:
    return "".join(token.text for token in line)


def _confidence(line: Sequence[Token]) -> float:
    return sum(token.confidence for token in line) / max(len(line), 1)
