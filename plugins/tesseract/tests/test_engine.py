from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptvision.plugin import Cancelled, SetupError, ToolFailed
from promptvision_tesseract.engine import Engine, Reading, Token, installed_languages, read_words
from promptvision_tesseract.preprocess import Grey

DrawPage: TypeAlias = Callable[..., Grey]


@pytest.fixture
def large_page(draw_page: DrawPage) -> Grey:
    """A page that Tesseract reads for well over a second."""
    return np.tile(draw_page(), (8, 4))


@pytest.fixture
def replace_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Replace Tesseract with a shell script."""

    def replace(script: str) -> None:
        program = tmp_path / "tesseract"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    return replace


def children() -> set[str]:
    """Ids of the child processes of this one, zombies included."""
    return set(" ".join(path.read_text() for path in Path("/proc/self/task").glob("*/children")).split())


def test_page_is_read_with_boxes_and_confidences(draw_page: DrawPage, text: str) -> None:
    reading = Engine(["eng"]).read(draw_page())
    assert [token.text for token in reading.tokens] == text.split()
    assert reading.confidence > 85
    assert reading.characters == len("".join(text.split()))
    first = reading.tokens[0]
    assert first.box == pytest.approx((40, 48, 108, 74), abs=6)
    assert len({token.line for token in reading.tokens}) == 6


def test_blank_page_is_an_empty_reading() -> None:
    reading = Engine(["eng"]).read(np.full((200, 300), 255, np.uint8))
    assert reading == Reading()
    assert (reading.confidence, reading.characters) == (0, 0)


@pytest.mark.parametrize("clockwise", [0, 90, 180, 270])
def test_turn_is_found(draw_page: DrawPage, clockwise: int) -> None:
    page = np.rot90(draw_page(), -clockwise // 90)
    assert Engine(["eng"]).find_turn(page) == (360 - clockwise) % 360


def test_page_with_few_letters_is_not_turned(draw_page: DrawPage) -> None:
    assert Engine(["eng"]).find_turn(np.rot90(draw_page(("Exit",)), 2)) == 0


def test_blank_page_is_not_turned() -> None:
    assert Engine(["eng"]).find_turn(np.full((200, 300), 255, np.uint8)) == 0


def test_missing_program_is_named_with_the_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match="tesseract") as caught:
        installed_languages()
    assert caught.value.hint == "apt-get install tesseract-ocr"


def test_timeout_kills_the_child(large_page: Grey) -> None:
    before = children()  # of other tests in this process
    with pytest.raises(ToolFailed, match=r"not read within 0\.05 s"):
        Engine(["eng"], timeout_s=0.05).read(large_page)
    assert children() <= before


def test_passes_share_one_deadline(draw_page: DrawPage) -> None:
    engine = Engine(["eng"], timeout_s=0.001)
    time.sleep(0.002)
    with pytest.raises(ToolFailed, match="not read within"):
        engine.find_turn(draw_page())


def test_deadline_of_the_call_kills_the_child(large_page: Grey) -> None:
    before = children()  # of other tests in this process
    with pytest.raises(ToolFailed, match=r"not read within 0\.0"):
        Engine(["eng"], deadline=time.monotonic() + 0.05).read(large_page)
    assert children() <= before


def test_deadline_later_than_the_limit_changes_nothing(large_page: Grey) -> None:
    with pytest.raises(ToolFailed, match=r"not read within 0\.05 s"):
        Engine(["eng"], timeout_s=0.05, deadline=time.monotonic() + 60).read(large_page)


@pytest.mark.parametrize("passed", [0, 1])
def test_cancelling_ends_the_call_around_a_pass(draw_page: DrawPage, passed: int) -> None:
    before = children()  # of other tests in this process
    calls = 0

    def check() -> None:
        nonlocal calls
        calls += 1
        if calls > passed:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        Engine(["eng"], check=check).read(draw_page())
    assert children() <= before


@pytest.mark.parametrize(("given", "seen"), [(None, "one"), ("4", "four")])
def test_child_has_one_thread_unless_the_environment_says_otherwise(
    replace_program: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, given: str | None, seen: str
) -> None:
    monkeypatch.delenv("OMP_THREAD_LIMIT", raising=False)
    if given:
        monkeypatch.setenv("OMP_THREAD_LIMIT", given)
    replace_program('case "$OMP_THREAD_LIMIT" in 1) echo one;; 4) echo four;; esac')
    assert installed_languages() == [seen]
    monkeypatch.delenv("OMP_THREAD_LIMIT", raising=False)


def test_failure_of_the_program_is_reported_with_its_message(replace_program: Callable[[str], None]) -> None:
    replace_program('echo "one" >&2; echo "data file is broken" >&2; exit 1')
    with pytest.raises(ToolFailed, match="data file is broken"):
        Engine(["eng"]).read(np.full((20, 20), 255, np.uint8))


def test_program_that_dies_without_output_is_reported_by_its_status(
    replace_program: Callable[[str], None],
) -> None:
    replace_program("kill -SEGV $$")
    with pytest.raises(ToolFailed, match="-11"):
        Engine(["eng"]).read(np.full((20, 20), 255, np.uint8))


def test_program_that_may_not_be_run_is_a_setup_error(
    replace_program: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_program("exit 0")
    (tmp_path / "tesseract").chmod(0o644)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match="cannot be run"):
        Engine(["eng"]).read(np.full((20, 20), 255, np.uint8))


def test_full_disk_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/nowhere/at/all")
    with pytest.raises(ToolFailed, match=r"(?s)/nowhere.*TMPDIR"):
        Engine(["eng"]).read(np.full((20, 20), 255, np.uint8))


COLUMNS = ("text", "left", "top", "width", "height", "conf", "block_num", "par_num", "line_num")
CELL = st.one_of(st.text("a7 \u00e9", max_size=5), st.integers(-5, 500), st.floats())


@given(st.dictionaries(st.sampled_from(COLUMNS), st.lists(CELL, max_size=6)))
def test_any_table_gives_words_with_real_boxes(data: dict[str, list[Any]]) -> None:
    for token in read_words(data).tokens:
        left, top, right, bottom = token.box
        assert left < right
        assert top < bottom
        assert 0 <= token.confidence <= 100
        assert token.text.strip()


def test_words_keep_their_line_and_empty_rows_are_dropped() -> None:
    data: dict[str, list[Any]] = {column: [1, 2] for column in COLUMNS} | {
        "text": ["", " Exit "],
        "conf": [-1, 90],
    }
    assert read_words(data).tokens == (Token("Exit", (2, 2, 4, 4), 90, (2, 2, 2)),)
