from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptvision.plugin import Cancelled, SetupError, ToolFailed
from promptvision_tesseract.engine import (
    Reading,
    find_turn,
    installed_languages,
    parse_tsv,
    read_page,
)
from promptvision_tesseract.preprocess import Grey

DrawPage: TypeAlias = Callable[..., Grey]


@pytest.fixture
def large_page(draw_page: DrawPage) -> Grey:
    """A page that Tesseract reads for well over a second."""
    return np.tile(draw_page(), (8, 4))


@pytest.fixture
def replace_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a shell script in the place of Tesseract."""

    def replace(script: str) -> None:
        program = tmp_path / "tesseract"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    return replace


def children() -> set[str]:
    """Ids of the processes that this one has started and that are still there, if only as zombies."""
    return set(" ".join(path.read_text() for path in Path("/proc/self/task").glob("*/children")).split())


def test_page_is_read_with_boxes_and_confidences(draw_page: DrawPage, text: str) -> None:
    reading = read_page(draw_page(), ["eng"])
    assert [token.text for token in reading.tokens] == text.split()
    assert reading.confidence > 85
    assert reading.characters == len("".join(text.split()))
    first = reading.tokens[0]
    assert first.box == pytest.approx((40, 48, 108, 74), abs=6)
    assert len({token.line for token in reading.tokens}) == 6


def test_blank_page_is_an_empty_reading() -> None:
    reading = read_page(np.full((200, 300), 255, np.uint8), ["eng"])
    assert reading == Reading()
    assert (reading.confidence, reading.characters) == (0, 0)


@pytest.mark.parametrize("clockwise", [0, 90, 180, 270])
def test_turn_is_found(draw_page: DrawPage, clockwise: int) -> None:
    page = np.rot90(draw_page(), -clockwise // 90)
    assert find_turn(page) == (360 - clockwise) % 360


def test_page_with_few_letters_is_not_turned(draw_page: DrawPage) -> None:
    assert find_turn(np.rot90(draw_page(("Exit",)), 2)) == 0


def test_blank_page_is_not_turned() -> None:
    assert find_turn(np.full((200, 300), 255, np.uint8)) == 0


def test_missing_program_is_named_with_the_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match="tesseract") as caught:
        installed_languages()
    assert caught.value.hint == "apt-get install tesseract-ocr"


def test_timeout_kills_the_child(large_page: Grey) -> None:
    before = children()  # of other tests in this process
    with pytest.raises(ToolFailed, match=r"not read within 0\.05 s"):
        read_page(large_page, ["eng"], timeout_s=0.05)
    assert children() <= before


def test_cancelling_kills_the_child(large_page: Grey) -> None:
    before = children()
    calls = 0

    def check() -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            assert children() > before
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        read_page(large_page, ["eng"], check=check)
    assert children() <= before


def test_child_has_one_thread_and_our_environment_stays(
    replace_program: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_THREAD_LIMIT", raising=False)
    replace_program('echo "List"; echo "$OMP_THREAD_LIMIT"')
    assert installed_languages() == ["1"]
    assert "OMP_THREAD_LIMIT" not in os.environ


def test_failure_of_the_program_is_told_in_its_words(replace_program: Callable[[str], None]) -> None:
    replace_program('echo "one" >&2; echo "data file is broken" >&2; exit 1')
    with pytest.raises(ToolFailed, match="data file is broken"):
        read_page(np.full((20, 20), 255, np.uint8), ["eng"])


def test_program_that_dies_without_a_word_is_told_by_its_status(
    replace_program: Callable[[str], None],
) -> None:
    replace_program("kill -SEGV $$")
    with pytest.raises(ToolFailed, match="-11"):
        read_page(np.full((20, 20), 255, np.uint8), ["eng"])


def test_full_disk_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/nowhere/at/all")
    with pytest.raises(ToolFailed, match="TMPDIR"):
        read_page(np.full((20, 20), 255, np.uint8), ["eng"])


CELL = st.one_of(st.text(max_size=5), st.integers(-5, 500).map(str), st.floats().map(str))


@given(st.lists(st.lists(CELL, min_size=10, max_size=13).map(lambda row: "\t".join(["5", *row]))))
def test_any_tsv_gives_words_with_real_boxes(rows: list[str]) -> None:
    for token in parse_tsv("\n".join(rows)).tokens:
        left, top, right, bottom = token.box
        assert left < right
        assert top < bottom
        assert 0 <= token.confidence <= 100
        assert token.text.strip()


@given(st.text())
def test_any_text_is_parsed(said: str) -> None:
    assert isinstance(parse_tsv(said), Reading)
