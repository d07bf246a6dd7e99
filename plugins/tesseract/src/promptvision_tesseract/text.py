"""Clean and limit recognised text, and join it to lines. The text of an image is untrusted data."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from itertools import groupby

from promptvision_tesseract.engine import Token

__all__ = ["MAX_CHARACTERS", "clean", "drop_strokes", "join_lines", "within_limit"]

MAX_CHARACTERS = 50_000
"""Maximum number of returned characters; a dense page has about 5,000."""

STROKES = frozenset("|\u00a6_-\u2013\u2014=~/\\[]{}")
"""Characters that a piece of a straight line is recognised as."""
SURE_STROKE = 85.0
"""Minimum confidence of a single stroke: printed dashes and bars have 90 and more, frames of signs and tables
50 to 80."""

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)?", re.DOTALL)
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_JOINERS = {"\u200c", "\u200d"}


def clean(text: str) -> str:
    """Drop terminal escapes and characters that are invisible or change the reading direction.

    Control, format (bidi included), surrogate, private and unassigned characters are dropped; the two joiners
    of Persian and Indic scripts are kept.
    """
    seen = _ANSI.sub("", text)
    return "".join(char for char in seen if char in _JOINERS or unicodedata.category(char) not in _HIDDEN)


def drop_strokes(tokens: Iterable[Token]) -> list[Token]:
    """Drop pieces of a frame that were recognised as words.

    The border next to a line of text is read as ``|`` or ``_|``. A word is dropped if it consists only of
    strokes, is at the edge of its line, and is not certain (:data:`SURE_STROKE`); a dash between words, a
    bullet and a printed bar are kept.
    """
    kept: list[Token] = []
    for _, line in groupby(tokens, key=lambda token: token.line):
        words = list(line)
        inside = [index for index, word in enumerate(words) if not _is_stray(word)]
        if inside:
            kept.extend(words[inside[0] : inside[-1] + 1])
    return kept


def _is_stray(word: Token) -> bool:
    return word.confidence < SURE_STROKE and STROKES.issuperset(word.text)


def within_limit(tokens: Iterable[Token], limit: int) -> list[Token]:
    """The first tokens that together, with one separator each, have no more than ``limit`` characters."""
    kept: list[Token] = []
    for token in tokens:
        limit -= len(token.text) + 1
        if limit < 0:
            break
        kept.append(token)
    return kept


def join_lines(tokens: Iterable[Token]) -> str:
    """Words of a line joined by spaces, lines by newlines, with an empty line between blocks."""
    blocks = (list(block) for _, block in groupby(tokens, key=lambda token: token.line[0]))
    return "\n\n".join("\n".join(_lines(block)) for block in blocks)


def _lines(tokens: list[Token]) -> Iterable[str]:
    for _, line in groupby(tokens, key=lambda token: token.line):
        yield " ".join(token.text for token in line)
