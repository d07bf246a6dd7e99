"""Read single characters, numbers and short words, which Tesseract's page mode misses."""

from __future__ import annotations

import cv2
import numpy as np

from promptvision_tesseract.engine import Engine, Reading, Token
from promptvision_tesseract.preprocess import Grey, Page, add_border, rotate, scale_letters
from promptvision_tesseract.recover import evidence

__all__ = ["crop_line", "read_line", "read_line_or_turned", "read_upside_down"]

MIN_GAIN = 8.0
"""Additional confidence required to accept an upside-down reading."""
INK_LEVEL = 140
MAX_PIECES = 12
MIN_HEIGHT_PX, MAX_ASPECT = 8, 8
MAX_STROKE = 0.42
"""Maximum stroke width of a letter, as a share of the height of the line; filled shapes are thicker."""
MIN_PIECE = 8
TIMES, GAP = 3, 0.3
"""Repetitions of the line, and the space between, in heights of the line: Tesseract needs context."""
PADDING = 0.17
"""White margin around the line, in heights of the line."""
HEIGHTS_PX = (24, 28, 40, 52)
"""Heights of the padded line at which it is read until one reading is consistent."""
MIN_TURNED, UPRIGHT = 3, 95.0
"""Letters and digits from which a line is also read upside down, and the confidence up to which it is."""
SURE, LIKELY = 75.0, 50.0
"""Confidence from which equal readings of all repetitions count as text: at one height, and at two."""


def read_upside_down(bare: Grey, best: Page, reading: Reading, engine: Engine) -> tuple[Page, Reading]:
    """Read a short text upside down, and as one line if nothing was read so far.

    Args:
        bare: dark ink on white, without rules and leaders, in the size of the image.
        best: the page with the best reading so far.
        reading: its words.
        engine: runs the passes.

    Returns:
        The page with the best reading, and its words.
    """
    upright = scale_letters(Page(bare, np.eye(3)))
    if not reading.tokens:
        best, reading = add_border(upright), engine.read(add_border(upright).grey, 7)
    turned = add_border(rotate(upright, 180))
    found = engine.read(turned.grey, 6)
    if found.confidence > reading.confidence + MIN_GAIN and evidence(found.tokens) > evidence(reading.tokens):
        return turned, found
    return best, reading


def read_line(bare: Grey, engine: Engine) -> tuple[Page, Reading]:
    """Read the only line of an image, repeated three times; it is text if all three readings are equal.

    Returns:
        The page and its only word; no word unless the image shows one short line of strokes.
    """
    line = crop_line(bare)
    page = Page(bare, np.eye(3))
    if line is None:
        return page, Reading()
    box = _bounds(line)
    likely: set[str] = set()
    for height in HEIGHTS_PX:
        found = engine.read(_repeat(line.grey, height), 7)
        text = "".join(token.text for token in found.tokens)
        word = text[: len(text) // TIMES]
        is_word = any(char.isalnum() for char in word) and word * TIMES == text
        if not is_word or found.confidence < LIKELY:
            continue
        if found.confidence >= SURE or word in likely:
            return page, Reading((Token(word, box, found.confidence, (1, 1, 1)),))
        likely.add(word)
    return page, Reading()


def read_line_or_turned(bare: Grey, engine: Engine) -> tuple[Page, Reading]:
    """Read the only line of an image, upside down if that has a higher confidence.

    "HSNd" of confidence 86 is "PUSH" of 96 upside down. Fewer than three letters are not turned: "-1" upside
    down is "L-" of a higher confidence.

    Returns:
        The page and its only word; no word if nothing was read upright.
    """
    page, line = read_line(bare, engine)
    letters = sum(char.isalnum() for token in line.tokens for char in token.text)
    if letters < MIN_TURNED or line.confidence >= UPRIGHT:
        return page, line
    turned = rotate(page, 180)
    _, other = read_line(turned.grey, engine)
    return (turned, other) if other.confidence > line.confidence + MIN_GAIN else (page, line)


def _bounds(line: Page) -> tuple[float, float, float, float]:
    height, width = line.grey.shape
    left, top = float(line.to_original[0, 2]), float(line.to_original[1, 2])
    return left, top, left + width, top + height


def _repeat(line: Grey, height: int) -> Grey:
    padded = np.pad(line, round(PADDING * line.shape[0]), constant_values=255)
    gap = np.full((padded.shape[0], round(GAP * padded.shape[0])), 255, np.uint8)
    row = np.hstack([padded, *[gap, padded] * (TIMES - 1)])
    size = (max(1, round(row.shape[1] * height / row.shape[0])), height)
    shrinks = height < row.shape[0]
    scaled = cv2.resize(row, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    return add_border(Page(scaled.astype(np.uint8), np.eye(3))).grey


def crop_line(bare: Grey) -> Page | None:
    """Crop the only line of an image; None unless all ink is a few strokes in one row."""
    ink = (bare < INK_LEVEL).astype(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    pieces = stats[1:][stats[1:, cv2.CC_STAT_AREA] >= MIN_PIECE]
    if not 1 <= len(pieces) <= MAX_PIECES or count - 1 > 2 * MAX_PIECES:
        return None
    left, top = pieces[:, 0].min(), pieces[:, 1].min()
    right, bottom = (pieces[:, 0] + pieces[:, 2]).max(), (pieces[:, 1] + pieces[:, 3]).max()
    height = int(bottom - top)
    tallest = int(pieces[:, 3].max())
    if height < MIN_HEIGHT_PX or height > 1.3 * tallest or right - left > MAX_ASPECT * height:
        return None
    stroke = 2 * float(cv2.distanceTransform(np.pad(ink, 1), cv2.DIST_L2, 3).max())
    if stroke > MAX_STROKE * height:
        return None
    offset = np.array([[1, 0, left], [0, 1, top], [0, 0, 1]], np.float64)
    return Page(bare[top:bottom, left:right], offset)
