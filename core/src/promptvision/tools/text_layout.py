"""Determine the reading order of pieces of text: lines from top to bottom, column by column."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import median
from typing import TypeAlias

from promptvision.types import Box

__all__ = ["Piece", "reading_order"]

SAME_LINE = 0.5
"""Pieces share a line when their centres differ by less than this many heights of the smaller one."""
GUTTER = 0.6
"""Narrowest space between columns, in typical heights of a piece."""
BLOCK_GAP = 1.0
"""Vertical space that starts a new block, in typical heights of a piece."""
PROSE_WORDS = 2.5
"""Minimum mean number of words of pieces in a column; shorter ones are cells of a table row."""

_EVERYWHERE = float("inf")
_Gap: TypeAlias = tuple[float, float]
_Line: TypeAlias = list["Piece"]


@dataclass(frozen=True)
class Piece:
    """Words that belong together in one line.

    Args:
        index: position in the caller's sequence.
        box: in pixels, with the text upright.
        words: number of words.
    """

    index: int
    box: Box
    words: int = 1

    @property
    def height(self) -> float:
        """In pixels."""
        return self.box.y2 - self.box.y1

    @property
    def middle(self) -> float:
        """Vertical centre in pixels."""
        return (self.box.y1 + self.box.y2) / 2


def reading_order(pieces: Iterable[Piece]) -> list[list[list[int]]]:
    """Arrange pieces of text in reading order.

    Columns of prose are read one after the other, the cells of a table row by row.

    Returns:
        Blocks of lines of the pieces' indices.
    """
    lines = _lines(list(pieces))
    if not lines:
        return []
    height = median(piece.height for line in lines for piece in line)
    blocks = [block for part in _columns(lines, height * GUTTER) for block in _blocks(part, height)]
    return [[[piece.index for piece in line] for line in block] for block in blocks]


def _lines(pieces: list[Piece]) -> list[_Line]:
    """Lines from top to bottom, each from left to right."""
    lines: list[_Line] = []
    for piece in sorted(pieces, key=lambda one: one.middle):
        fits = [line for line in lines[-3:] if _in_line(piece, line)]
        if fits:
            fits[-1].append(piece)
        else:
            lines.append([piece])
    for line in lines:
        line.sort(key=lambda piece: piece.box.x1)
    return lines


def _in_line(piece: Piece, line: _Line) -> bool:
    nearest = min(line, key=lambda other: abs(other.box.x1 - piece.box.x1))
    return abs(nearest.middle - piece.middle) < SAME_LINE * min(nearest.height, piece.height)


def _columns(lines: list[_Line], width: float) -> list[list[_Line]]:
    """Lines in reading order, split where a column or the text around columns begins."""
    parts: list[list[_Line]] = [[]]
    start = 0
    while start < len(lines):
        stop, gutter = _run_with_gutter(lines, start, width)
        if gutter is None:
            parts[-1].append(lines[start])
            start += 1
            continue
        run = [piece for line in lines[start:stop] for piece in line]
        middle = sum(gutter) / 2
        for column in (
            [piece for piece in run if piece.box.x2 <= middle],
            [piece for piece in run if piece.box.x1 >= middle],
        ):
            parts += _columns(_lines(column), width)
        parts.append([])
        start = stop
    return [part for part in parts if part]


def _run_with_gutter(lines: list[_Line], start: int, width: float) -> tuple[int, _Gap | None]:
    """The end of the lines from ``start`` that share a vertical gap between columns, and that gap."""
    gaps: list[_Gap] = [(-_EVERYWHERE, _EVERYWHERE)]
    best: tuple[int, _Gap | None] = (start, None)
    for stop in range(start, len(lines)):
        gaps = _common(gaps, _gaps(lines[stop]), width)
        if not gaps:
            break
        run = [piece for line in lines[start : stop + 1] for piece in line]
        columns = [gap for gap in gaps if _parts_columns(gap, run)]
        if columns:
            best = (stop + 1, max(columns, key=lambda gap: gap[1] - gap[0]))
    return best


def _gaps(line: _Line) -> list[_Gap]:
    """The spaces of a line that no piece covers; pieces may overlap."""
    ends = accumulate((piece.box.x2 for piece in line), max, initial=-_EVERYWHERE)
    starts = [*(piece.box.x1 for piece in line), _EVERYWHERE]
    return list(zip(ends, starts, strict=True))


def _common(some: list[_Gap], others: list[_Gap], width: float) -> list[_Gap]:
    meets = ((max(a[0], b[0]), min(a[1], b[1])) for a in some for b in others)
    return [gap for gap in meets if gap[1] - gap[0] >= width]


def _parts_columns(gap: _Gap, run: list[Piece]) -> bool:
    sides = (
        [piece for piece in run if piece.box.x2 <= gap[0] + 0.01],
        [piece for piece in run if piece.box.x1 >= gap[1] - 0.01],
    )
    return all(len(side) >= 2 and _mean_words(side) >= PROSE_WORDS for side in sides)


def _mean_words(pieces: Sequence[Piece]) -> float:
    return sum(piece.words for piece in pieces) / len(pieces)


def _blocks(lines: list[_Line], height: float) -> list[list[_Line]]:
    """Split lines into blocks where the space between them is larger than usual."""
    blocks: list[list[_Line]] = []
    bottom = -_EVERYWHERE
    for line in lines:
        if not blocks or min(piece.box.y1 for piece in line) - bottom > BLOCK_GAP * height:
            blocks.append([])
        blocks[-1].append(line)
        bottom = max(piece.box.y2 for piece in line)
    return blocks
