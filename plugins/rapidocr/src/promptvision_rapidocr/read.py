"""The tool ``rapidocr``: ``extract_text`` with RapidOCR."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np

from promptvision.plugin import (
    Box,
    ExtractTextArgs,
    ExtractTextResult,
    Piece,
    ToolContext,
    Word,
    reading_order,
)
from promptvision_rapidocr.engine import Bgr, Quad, load_engine
from promptvision_rapidocr.languages import check_languages
from promptvision_rapidocr.lines import Line, Span, read_lines, spans

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["fit", "main_angle", "read", "to_bgr"]

MAX_SIDE_PX = 2560
MAX_ASPECT = 6
"""Longer images are padded to this ratio of their sides, because the detector enlarges the shorter one."""
MIN_SIDE_PX = 6
"""Minimum side of an image in pixels that can contain a letter."""
MARGIN_PX = 16
COLUMN_GAP = 0.75
"""Space inside a line, in heights of the line, from which it is split into two columns."""
SAME_DIRECTION = 30.0
"""Maximum difference in degrees between lines of one direction."""
NO_TEXT = "No text was found in the image."


def read(args: ExtractTextArgs, context: ToolContext) -> ExtractTextResult:
    """Run the tool ``rapidocr``: text in reading order, and words with boxes in the image's own pixels.

    Raises:
        SetupError: RapidOCR is not installed.
        ToolFailed: a model cannot be loaded, or the script of a language is not supported.
    """
    check_languages(args.languages)
    image = context.open(args.image_url)
    lines: list[Line] = []
    if min(image.size) >= MIN_SIDE_PX:
        context.progress(0, 2, "loading the models")
        engine = load_engine()
        context.progress(1, 2, "reading with RapidOCR")
        prepared, scale = fit(to_bgr(image))
        lines = [_moved(line, scale) for line in read_lines(prepared, engine, context.check_cancelled)]
    words, text = _arrange(lines, image.size)
    return ExtractTextResult(
        original_image_url=args.image_url,
        extracted_text=text,
        words=words,
        message=None if words else NO_TEXT,
    )


def to_bgr(image: Image) -> Bgr:
    """Pixels in BGR; transparent parts become white or black, whichever contrasts with the text."""
    if "A" not in image.getbands():
        return np.asarray(image.convert("RGB"))[..., ::-1].copy()
    drawn = np.asarray(image.convert("RGBA"), np.float32)
    alpha = drawn[..., 3:] / 255
    ink = float((drawn[..., :3].mean(axis=2, keepdims=True) * alpha).sum() / max(float(alpha.sum()), 1.0))
    paper = 255 if ink < 128 else 0
    return (drawn[..., 2::-1] * alpha + paper * (1 - alpha) + 0.5).astype(np.uint8)


def fit(image: Bgr) -> tuple[Bgr, float]:
    """Scale an image down and pad it on the right and below to a size that the detector accepts.

    Returns:
        The image, and the factor from its pixels to those of the original, minus a margin of 16 px.
    """
    scale = min(MAX_SIDE_PX / max(image.shape[:2]), 1.0)
    if scale < 1:
        size = [max(1, round(side * scale)) for side in image.shape[1::-1]]
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    height, width = image.shape[:2]
    shortest = max(height, width) // MAX_ASPECT
    below, right = max(shortest - height, 0) + MARGIN_PX, max(shortest - width, 0) + MARGIN_PX
    padded = cv2.copyMakeBorder(image, MARGIN_PX, below, MARGIN_PX, right, cv2.BORDER_REPLICATE)
    return padded.astype(np.uint8), 1 / scale


def _moved(line: Line, factor: float) -> Line:
    return Line(((line.quad - MARGIN_PX) * factor).astype(np.float32), line.read, line.is_stacked)


def main_angle(quads: Sequence[Quad]) -> float:
    """Direction of most text in degrees clockwise from horizontal, weighted by the length of lines."""
    sides = [quad[1] - quad[0] for quad in quads]
    angles = np.array([np.degrees(np.arctan2(side[1], side[0])) for side in sides])
    lengths = np.array([float(np.linalg.norm(side)) for side in sides])
    apart = np.abs((angles[:, None] - angles[None] + 180) % 360 - 180)
    return float(angles[int(np.argmin(apart @ lengths))])


def _arrange(lines: list[Line], size: tuple[int, int]) -> tuple[list[Word], str]:
    """Words and text in reading order, without words that have no area inside the image."""
    words: list[Word] = []
    blocks = []
    for group in _by_direction(lines):
        angle = np.radians(main_angle([line.quad for line in group]))
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], np.float32)
        found = _drop_repeated(group, [spans(line) for line in group])
        parts = [part for line, row in zip(group, found, strict=True) for part in _parts(line, row)]
        pieces = [_piece(number, part, turn) for number, part in enumerate(parts)]
        for block in reading_order(pieces):
            rows = []
            for row in block:
                placed = [word for number in row for word in _words(parts[number], size)]
                words += placed
                rows.append(" ".join(word.text for word in placed))
            blocks.append("\n".join(row for row in rows if row))
    return words, "\n\n".join(block for block in blocks if block)


def _parts(line: Line, row: list[Span]) -> list[list[Span]]:
    """The words of a line, split where the detector joined two columns."""
    parts: list[list[Span]] = []
    for span in row:
        if parts and float(np.linalg.norm(span.quad[0] - parts[-1][-1].quad[1])) < COLUMN_GAP * line.height:
            parts[-1].append(span)
        else:
            parts.append([span])
    return parts


def _drop_repeated(lines: list[Line], found: list[list[Span]]) -> list[list[Span]]:
    """Drop words that a neighbouring line contains completely: boxes of the detector overlap.

    Args:
        lines: lines of one direction.
        found: the words of each.
    """
    bounds = [_bounds(line.quad) for line in lines]
    return [
        [
            span
            for span in row
            if not any(
                _holds(bounds[other], span) and any(_extends(word, span) for word in found[other])
                for other in range(len(lines))
                if other != number
            )
        ]
        for number, row in enumerate(found)
    ]


def _holds(bounds: Box, span: Span) -> bool:
    x, y = span.quad.mean(axis=0).tolist()
    return bool(bounds.x1 <= x <= bounds.x2 and bounds.y1 <= y <= bounds.y2)


def _extends(word: Span, part: Span) -> bool:
    if len(word.text) <= len(part.text) or part.text not in word.text:
        return False
    one, other = _bounds(word.quad), _bounds(part.quad)
    return min(one.x2, other.x2) > max(one.x1, other.x1) and min(one.y2, other.y2) > max(one.y1, other.y1)


def _piece(number: int, part: list[Span], turn: Quad) -> Piece:
    """The position of words after the page is rotated to horizontal."""
    return Piece(number, _bounds(np.concatenate([span.quad for span in part]) @ turn), len(part))


def _by_direction(lines: list[Line]) -> list[list[Line]]:
    """Group lines by direction, the group nearest to the top left corner first."""
    groups: list[list[Line]] = []
    rest = lines
    while rest:
        angle = main_angle([line.quad for line in rest])
        alike = [line for line in rest if _apart(_angle(line), angle) <= SAME_DIRECTION]
        groups.append(alike)
        rest = [line for line in rest if _apart(_angle(line), angle) > SAME_DIRECTION]
    return sorted(groups, key=lambda group: min(float(line.quad.min(axis=0).sum()) for line in group))


def _angle(line: Line) -> float:
    across = line.quad[1] - line.quad[0]
    return float(np.degrees(np.arctan2(across[1], across[0])))


def _apart(some: float, other: float) -> float:
    return abs((some - other + 180) % 360 - 180)


def _words(part: list[Span], size: tuple[int, int]) -> list[Word]:
    found = []
    for span in part:
        bounds = _bounds(span.quad)
        left, right = (round(min(max(side, 0.0), size[0]), 1) for side in (bounds.x1, bounds.x2))
        top, bottom = (round(min(max(side, 0.0), size[1]), 1) for side in (bounds.y1, bounds.y2))
        if left < right and top < bottom:
            confidence = round(100 * min(span.confidence, 1.0), 1)
            found.append(Word(text=span.text, box=Box(left, top, right, bottom), confidence=confidence))
    return found


def _bounds(quad: Quad) -> Box:
    (left, top), (right, bottom) = quad.min(axis=0).tolist(), quad.max(axis=0).tolist()
    return Box(left, top, right, bottom)
