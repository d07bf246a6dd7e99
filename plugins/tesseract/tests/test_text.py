from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptvision_tesseract.engine import Token
from promptvision_tesseract.text import clean, drop_strokes, join_lines, within_limit


def token(text: str, block: int = 1, line: int = 1) -> Token:
    return Token(text, (0, 0, 1, 1), 90, (block, 1, line))


@pytest.mark.parametrize(
    ("read", "kept"),
    [
        ("caf\u00e9 \u20ac5 \u4e2d\u6587", "caf\u00e9 \u20ac5 \u4e2d\u6587"),
        ("a\x00b\x07c\x7fd\x9be", "abcde"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link", "link"),
        ("half \x1b", "half "),
        ("abc\u202etxt.exe\u202c \u2066x\u2069\u200f", "abctxt.exe x"),
        ("a\ud800b", "ab"),
        ("zero\u200bwidth\ufeff\u2060", "zerowidth"),
        (
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        ),
        ("line\u2028para\u2029", "linepara"),
    ],
)
def test_invisible_characters_are_dropped(read: str, kept: str) -> None:
    assert clean(read) == kept


@given(st.text(st.characters(exclude_categories=())))
def test_cleaning_is_idempotent(read: str) -> None:
    cleaned = clean(read)
    assert not {unicodedata.category(char) for char in cleaned if char not in "\u200c\u200d"} & {
        "Cc",
        "Cf",
        "Cs",
    }
    assert clean(cleaned) == cleaned
    cleaned.encode("utf-8")


def test_lines_and_blocks_are_kept() -> None:
    tokens = [token("Open"), token("daily"), token("from", line=2), token("Exit", block=2)]
    assert join_lines(tokens) == "Open daily\nfrom\n\nExit"
    assert join_lines([]) == ""


@given(st.lists(st.text("ab", min_size=1, max_size=9)), st.integers(0, 60))
def test_text_never_passes_the_limit(words: list[str], limit: int) -> None:
    tokens = [token(word, line=number) for number, word in enumerate(words)]
    kept = within_limit(tokens, limit)
    assert len(join_lines(kept)) <= limit
    assert kept == tokens[: len(kept)]
    assert len(kept) == len(words) or len(join_lines(tokens[: len(kept) + 1])) >= limit


def sure(text: str, confidence: float, line: int = 1) -> Token:
    return Token(text, (0, 0, 1, 1), confidence, (1, 1, line))


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ([("_|", 79.6), ("NO", 95.9), ("PARKING", 95.9), ("|", 54)], ["NO", "PARKING"]),
        ([("|", 60), ("_", 50), ("[", 70), ("EXIT", 90)], ["EXIT"]),
        ([("|", 60), ("\u2014", 40)], []),
        ([("-", 93), ("milk", 96)], ["-", "milk"]),
        ([("|", 91), ("a", 95), ("|", 92)], ["|", "a", "|"]),
        ([("9", 50), ("-", 40), ("17", 50)], ["9", "-", "17"]),
        ([("&", 30), ("Co", 90), ("?", 20)], ["&", "Co", "?"]),
    ],
)
def test_frame_pieces_at_the_edge_of_a_line_are_dropped(
    line: list[tuple[str, float]], kept: list[str]
) -> None:
    assert [word.text for word in drop_strokes(sure(*word) for word in line)] == kept


def test_strokes_are_judged_line_by_line() -> None:
    words = [sure("A", 90, 1), sure("|", 50, 1), sure("|", 50, 2), sure("B", 90, 2)]
    assert [word.text for word in drop_strokes(words)] == ["A", "B"]


@given(st.lists(st.tuples(st.text(min_size=1), st.floats(0, 100), st.integers(1, 3))))
def test_words_with_letters_and_certain_words_are_never_dropped(words: list[tuple[str, float, int]]) -> None:
    tokens = [sure(*word) for word in words]
    kept = drop_strokes(tokens)
    assert [token for token in tokens if token in kept] == kept
    for token in tokens:
        assert token in kept or (token.confidence < 85 and not any(char.isalnum() for char in token.text))
