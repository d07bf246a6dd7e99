"""Find lines of text in any direction, crop and rotate them, read them, and locate their words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from promptvision_rapidocr.engine import Bgr, Engine, Quad, Read

__all__ = ["Line", "Span", "cut_line", "read_lines", "restore_spaces", "spans", "unstack", "vertical_chains"]

TALL = 1.5
"""Ratio of height to width from which a line is vertical."""
SURE = 0.9
"""Confidence from which a line is not read in the opposite direction."""
STACK_SURE = 0.6
"""Confidence of a vertical line below which its letters may be stacked."""
MIN_CONFIDENCE = (0.97, 0.85, 0.7, 0.5)
"""Minimum confidence of lines of 1, 2, 3 and more characters; a disc is read as a letter with up to 0.96."""
WORD_SPACE = 0.16
"""Minimum space between words, in heights of the cropped line."""
MAX_LINE_PX = 4000


@dataclass(frozen=True)
class Line:
    """A line of text.

    Args:
        quad: its corners; the text runs from the first to the second.
        read: the recognised text.
        is_stacked: whether its letters are upright, one below the other.
    """

    quad: Quad
    read: Read
    is_stacked: bool = False

    @property
    def height(self) -> float:
        """Height perpendicular to the text, in pixels."""
        return _size(self.quad)[1]


@dataclass(frozen=True)
class Span:
    """A word of a line.

    Args:
        text: without spaces.
        quad: its corners in the image.
        confidence: 0 to 1.
    """

    text: str
    quad: Quad
    confidence: float


def read_lines(image: Bgr, engine: Engine, check: Callable[[], None]) -> list[Line]:
    """Find and read all lines of an image, in any direction.

    Args:
        image: H x W x 3 uint8, blue first.
        engine: the models.
        check: called between batches; may raise to cancel.
    """
    quads = engine.find_lines(image)
    check()
    lines, quads = _read_chains(image, quads, engine, check)
    lines += _read_level(image, [quad for quad in quads if not _is_tall(quad)], engine, check)
    lines += _read_tall(image, [quad for quad in quads if _is_tall(quad)], engine, check)
    return [line for line in lines if _is_text(line.read)]


def _is_text(read: Read) -> bool:
    shown = [char for char in read.text if char.isalnum()]
    if not shown and read.confidence < MIN_CONFIDENCE[0]:
        return False
    lowest = MIN_CONFIDENCE[min(len("".join(read.text.split())), len(MIN_CONFIDENCE)) - 1]
    return bool(read.text.strip()) and read.confidence >= lowest


def _read_level(image: Bgr, quads: list[Quad], engine: Engine, check: Callable[[], None]) -> list[Line]:
    turned = engine.are_upside_down([cut_line(image, quad) for quad in quads])
    quads = [_roll(quad, 2) if is_turned else quad for quad, is_turned in zip(quads, turned, strict=True)]
    lines = _read(image, quads, engine, check)
    unsure = [number for number, line in enumerate(lines) if line.read.confidence < SURE]
    opposite = _read(image, [_roll(quads[number], 2) for number in unsure], engine, check)
    for number, other in zip(unsure, opposite, strict=True):
        lines[number] = _better(lines[number], other)
    return lines


def _read_tall(image: Bgr, quads: list[Quad], engine: Engine, check: Callable[[], None]) -> list[Line]:
    down = _read(image, [_roll(quad, 1) for quad in quads], engine, check)
    up = _read(image, [_roll(quad, 3) for quad in quads], engine, check)
    return [
        _stacked(image, quad, _better(one, other), engine, check)
        for quad, one, other in zip(quads, down, up, strict=True)
    ]


def _read_chains(
    image: Bgr, quads: list[Quad], engine: Engine, check: Callable[[], None]
) -> tuple[list[Line], list[Quad]]:
    """Read pieces in a separate column as one vertical line.

    Returns:
        The lines that were read with confidence, and the corners of the other pieces.
    """
    lines: list[Line] = []
    rest = list(quads)
    for chain in vertical_chains(quads):
        if _are_rows(_read(image, chain, engine, check)):
            continue
        (line,) = _read_tall(image, [_round(chain)], engine, check)
        if line.read.confidence >= SURE and (not line.is_stacked or line.read.text.isalpha()):
            lines.append(line)
            rest = [quad for quad in rest if not any(quad is member for member in chain)]
    return lines, rest


def _are_rows(pieces: list[Line]) -> bool:
    """Whether pieces below each other are rows of a column: all are read upright, as numbers or words.

    The letters of a vertical word are single, or cannot be read upright.
    """
    texts = ["".join(piece.read.text.split()) for piece in pieces]
    is_sure = all(piece.read.confidence >= SURE for piece in pieces)
    return is_sure and (any(len(text) > 1 for text in texts) or all(text.isdigit() for text in texts))


def vertical_chains(quads: Sequence[Quad]) -> list[list[Quad]]:
    """Groups of narrow pieces below each other without text next to them."""
    chains: list[list[Quad]] = []
    for quad in sorted(quads, key=lambda one: float(one[:, 1].min())):
        if not _is_narrow(quad):
            continue
        above = next((chain for chain in chains if _continues(chain[-1], quad)), None)
        if above is None:
            chains.append([quad])
        else:
            above.append(quad)
    return [chain for chain in chains if len(chain) > 1 and not _has_neighbour(chain, quads)]


def _is_narrow(quad: Quad) -> bool:
    width, height = _size(quad)
    return height >= 0.7 * width


def _continues(upper: Quad, lower: Quad) -> bool:
    width = max(_size(upper)[0], _size(lower)[0])
    aside = abs(float(upper[:, 0].mean() - lower[:, 0].mean()))
    gap = float(lower[:, 1].min() - upper[:, 1].max())
    return aside < 0.3 * width and -0.5 * width < gap < width


def _has_neighbour(chain: list[Quad], quads: Sequence[Quad]) -> bool:
    """Whether text of similar letter size is close to most of a chain."""
    hull = _round(chain)
    width = float(np.ptp(hull[:, 0]))
    close = [
        quad
        for quad in quads
        if not any(quad is member for member in chain)
        and quad[:, 1].max() > hull[:, 1].min()
        and quad[:, 1].min() < hull[:, 1].max()
        and max(quad[:, 0].min() - hull[:, 0].max(), hull[:, 0].min() - quad[:, 0].max()) < 0.6 * width
    ]
    return len(close) > 0


def _round(chain: list[Quad]) -> Quad:
    (left, top), (right, bottom) = np.concatenate(chain).min(axis=0), np.concatenate(chain).max(axis=0)
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


def _is_tall(quad: Quad) -> bool:
    width, height = _size(quad)
    return height >= TALL * width


def _size(quad: Quad) -> tuple[float, float]:
    sides = np.linalg.norm(quad - np.roll(quad, -1, axis=0), axis=1)
    return float(max(sides[0], sides[2])), float(max(sides[1], sides[3]))


def _roll(quad: Quad, corners: int) -> Quad:
    return np.roll(quad, -corners, axis=0)


def _read(image: Bgr, quads: Sequence[Quad], engine: Engine, check: Callable[[], None]) -> list[Line]:
    cuts = [cut_line(image, quad) for quad in quads]
    reads = engine.recognise(cuts, check)
    return [Line(quad, restore_spaces(read, cut)) for quad, read, cut in zip(quads, reads, cuts, strict=True)]


def restore_spaces(read: Read, cut: Bgr) -> Read:
    """Insert spaces that the model omitted: wide blank strips between two letters.

    Args:
        read: the recognised line.
        cut: its pixels, upright.
    """
    gaps = _blank_strips(cut)
    if not gaps:
        return read
    usual = float(np.median([right - left for left, right in gaps]))
    wide = [gap for gap in gaps if gap[1] - gap[0] >= max(WORD_SPACE * cut.shape[0], 2 * usual)]
    text, centres, confidences = "", list[float | None](), list[float]()
    for char, centre, confidence in zip(read.text, read.centres, read.confidences, strict=False):
        before = centres[-1] if centres else None
        if centre is not None and before is not None and char.isascii() and text[-1].isascii():
            places = before * cut.shape[1], centre * cut.shape[1]
            if any(places[0] < left and right < places[1] for left, right in wide):
                text, centres, confidences = f"{text} ", [*centres, None], [*confidences, confidence]
        text, centres, confidences = text + char, [*centres, centre], [*confidences, confidence]
    return Read(text, read.confidence, tuple(centres), tuple(confidences))


def _blank_strips(cut: Bgr) -> list[tuple[int, int]]:
    """Columns without ink between the letters of a line: first one, and the one after the last."""
    grey = cv2.cvtColor(cut, cv2.COLOR_BGR2GRAY).astype(np.float32)
    ink = (np.abs(grey - np.median(grey)) > max(float(np.ptp(grey)) / 3, 1.0)).any(axis=0)
    edges = np.flatnonzero(np.diff(ink.astype(np.int8)))
    return [(int(left) + 1, int(right) + 1) for left, right in pairwise(edges) if not ink[left + 1]]


def _better(one: Line, other: Line) -> Line:
    return other if other.read.confidence > one.read.confidence else one


def cut_line(image: Bgr, quad: Quad) -> Bgr:
    """Crop the quadrilateral of four corners, with the first side as its horizontal top edge."""
    width, height = (min(max(1, round(side)), MAX_LINE_PX) for side in _size(quad))
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(quad, target)
    cut = cv2.warpPerspective(
        image, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return cut.astype(np.uint8)


def _stacked(image: Bgr, quad: Quad, line: Line, engine: Engine, check: Callable[[], None]) -> Line:
    """The line read as upright letters below each other, if that has higher confidence."""
    if line.read.confidence >= STACK_SURE:
        return line
    row = unstack(cut_line(image, quad))
    if row is None:
        return line
    (read,) = engine.recognise([row], check)
    return _better(line, Line(quad, read, is_stacked=True))


def unstack(column: Bgr) -> Bgr | None:
    """Arrange letters below each other in one row; None if there are fewer than two."""
    grey = cv2.cvtColor(column, cv2.COLOR_BGR2GRAY)
    border = float(np.median(np.concatenate([grey[:, 0], grey[:, -1]])))
    rows = np.abs(grey.astype(np.float32) - border).max(axis=1) > max(float(np.ptp(grey)) / 3, 1.0)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], rows.astype(np.int8), [0]])))
    letters = [column[top:bottom] for top, bottom in edges.reshape(-1, 2) if bottom - top >= 6]
    if len(letters) < 2:
        return None
    height = max(len(letter) for letter in letters) + 8
    return np.hstack([_centred(letter, height, border) for letter in letters])


def _centred(letter: Bgr, height: int, paper: float) -> Bgr:
    ink = np.abs(letter.astype(np.float32).mean(axis=2) - paper).max(axis=0) > 40
    columns = np.flatnonzero(ink)
    if len(columns):
        letter = letter[:, max(columns[0] - 3, 0) : columns[-1] + 4]
    above = (height - len(letter)) // 2
    return cv2.copyMakeBorder(letter, above, height - len(letter) - above, 0, 0, cv2.BORDER_REPLICATE).astype(
        np.uint8
    )


def spans(line: Line) -> list[Span]:
    """The words of a line with their positions; a line of stacked letters is one word."""
    read = line.read
    if line.is_stacked:
        return [Span("".join(read.text.split()), line.quad, read.confidence)]
    half = _half_width(read)
    found = []
    for start, stop in _words(read.text):
        centres = [centre for centre in read.centres[start:stop] if centre is not None]
        left, right = max(min(centres) - half, 0.0), min(max(centres) + half, 1.0)
        confidences = read.confidences[start:stop] or (read.confidence,)
        mean = sum(confidences) / len(confidences)
        found.append(Span(read.text[start:stop], _part(line.quad, left, right), mean))
    return found


def _words(text: str) -> list[tuple[int, int]]:
    starts = [i for i, char in enumerate(text) if not char.isspace() and (i == 0 or text[i - 1].isspace())]
    return [(start, start + len(text[start:].split(maxsplit=1)[0])) for start in starts]


def _half_width(read: Read) -> float:
    """Half of the typical width of a character, as a share of the line."""
    places = [centre for centre in read.centres if centre is not None]
    steps = [
        b - a for a, b in zip(read.centres, read.centres[1:], strict=False) if a is not None and b is not None
    ]
    return float(np.median(steps)) / 2 if steps else 0.5 / max(len(places), 1)


def _part(quad: Quad, left: float, right: float) -> Quad:
    along_top, along_bottom = quad[1] - quad[0], quad[2] - quad[3]
    corners = (
        quad[0] + left * along_top,
        quad[0] + right * along_top,
        quad[3] + right * along_bottom,
        quad[3] + left * along_bottom,
    )
    return np.array(corners, np.float32)
