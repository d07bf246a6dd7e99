"""Determine the reading order of words: columns, tables row by row, separate vertical lines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby
from typing import TypeAlias

from promptvision.plugin import Box, Piece, reading_order
from promptvision_tesseract.engine import Token
from promptvision_tesseract.vertical import is_vertical

__all__ = ["arrange"]

COLUMN_GAP = 1.0
"""Space between words, in heights of a word, that may separate two columns."""

Block: TypeAlias = list[list[Token]]
"""Lines of words."""


def arrange(tokens: Iterable[Token]) -> list[Token]:
    """Sort words in reading order and renumber their lines and blocks.

    Vertical lines are separate blocks: before the horizontal text if they start left of its centre, else
    after it.

    Args:
        tokens: words with boxes on an upright, horizontal page.
    """
    lines = [list(line) for _, line in groupby(tokens, key=lambda token: token.line)]
    level = [line for line in lines if not is_vertical(line)]
    vertical = [line for line in lines if is_vertical(line)]
    middle = _middle(level)
    before = [[line] for line in vertical if line[0].box[0] < middle]
    after = [[line] for line in vertical if line[0].box[0] >= middle]
    return [
        replace(word, line=(block, 1, row))
        for block, rows in enumerate([*before, *_arrange_level(level), *after], 1)
        for row, words in enumerate(rows, 1)
        for word in words
    ]


def _middle(lines: Block) -> float:
    if not lines:
        return 0.0
    bounds = _bounds([word for line in lines for word in line])
    return (bounds.x1 + bounds.x2) / 2


def _arrange_level(lines: Block) -> list[Block]:
    parts: Block = []
    for line in lines:
        for number, word in enumerate(line):
            if number and word.box[0] - parts[-1][-1].box[2] < COLUMN_GAP * (word.box[3] - word.box[1]):
                parts[-1].append(word)
            else:
                parts.append([word])
    pieces = [Piece(number, _bounds(part), len(part)) for number, part in enumerate(parts)]
    return [
        [[word for number in numbers for word in parts[number]] for numbers in rows]
        for rows in reading_order(pieces)
    ]


def _bounds(words: list[Token]) -> Box:
    left, top, right, bottom = zip(*(word.box for word in words), strict=True)
    return Box(min(left), min(top), max(right), max(bottom))
