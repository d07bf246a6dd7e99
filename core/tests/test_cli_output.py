from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptvision.cli.output import echo_table, has_colour, is_live, plain, say


@given(st.text(st.characters(exclude_categories=())))
def test_plain_text_can_be_written_and_cannot_control_a_terminal(text: str) -> None:
    shown = plain(text)
    shown.encode("utf-8")
    assert not any(unicodedata.category(char) == "Cc" for char in shown.replace("\n", "").replace("\t", ""))
    assert plain(shown) == shown


def test_plain_keeps_what_is_written() -> None:
    assert plain("caf\u00e9 \u201c\u4e2d\u201d\n\tx") == "caf\u00e9 \u201c\u4e2d\u201d\n\tx"


def test_table_wraps_its_last_column(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    echo_table(("A", "B"), [("one", "many words " * 6), ("\x1b[31mtwo", "x")])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "A" + " " * 8 + "B"
    assert all(len(line) <= 50 for line in lines)
    assert lines[1].startswith("one" + " " * 6 + "many words")
    assert lines[2].startswith(" " * 9 + "words many")
    assert lines[-1] == "[31mtwo  x"


class Screen:
    """A stderr that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("variables", "colour", "live"),
    [
        ({"TERM": "xterm"}, True, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False, True),
        ({"TERM": "xterm", "CI": "true"}, False, False),
        ({"TERM": "dumb"}, False, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, True, False),
    ],
)
def test_colours_and_bars_follow_the_environment(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], colour: bool, live: bool
) -> None:
    for name in ("TERM", "NO_COLOR", "CI", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stderr", Screen())
    assert (has_colour(), is_live()) == (colour, live)


def test_say_writes_to_stderr_without_colour_off_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    say("hello \x1b[31mred", fg="green")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "hello [31mred\n"
