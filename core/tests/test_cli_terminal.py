from __future__ import annotations

import base64
import io
import re
import sys

import pytest
from PIL import Image

from promptvision.cli.terminal import draw, protocol


class Screen:
    """A stdout that is a terminal, or is not."""

    def __init__(self, is_terminal: bool) -> None:
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal


@pytest.mark.parametrize(
    ("variables", "way"),
    [
        ({"TERM": "xterm-kitty"}, "kitty"),
        ({"TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"}, "kitty"),
        ({"TERM": "xterm-ghostty", "TERM_PROGRAM": "ghostty"}, "kitty"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, "iterm2"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm", "COLORTERM": "truecolor"}, "iterm2"),
        ({"TERM": "tmux-256color", "TERM_PROGRAM": "tmux", "COLORTERM": "truecolor"}, "blocks"),
        ({"TERM": "screen", "KITTY_WINDOW_ID": "1"}, None),
        ({"TERM": "xterm-256color", "COLORTERM": "24bit"}, "blocks"),
        ({"TERM": "xterm-kitty", "NO_COLOR": "1"}, None),
        ({"TERM": "xterm"}, None),
        ({"TERM": "dumb", "COLORTERM": "truecolor"}, None),
        ({}, None),
    ],
)
def test_terminal_is_detected_by_its_environment(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], way: str | None
) -> None:
    for name in ("TERM", "TERM_PROGRAM", "KITTY_WINDOW_ID", "COLORTERM", "NO_COLOR", "TMUX"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdout", Screen(True))
    assert protocol() == way
    monkeypatch.setattr(sys, "stdout", Screen(False))
    assert protocol() is None


@pytest.mark.parametrize("size", [(1, 1), (3000, 10), (10, 3000), (640, 480)])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P"])
def test_blocks_fit_the_screen(mode: str, size: tuple[int, int]) -> None:
    lines = draw(Image.new(mode, size), "blocks").split("\n")
    assert 1 <= len(lines) <= 24
    assert all(1 <= line.count("\u2580") <= 60 for line in lines)
    assert all(line.endswith("\x1b[0m") for line in lines)


def test_upper_and_lower_pixel_share_a_character() -> None:
    image = Image.new("RGB", (60, 60), "red")
    image.paste("blue", (0, 30, 60, 60))
    lines = draw(image, "blocks").split("\n")
    assert lines[0].startswith("\x1b[38;2;255;0;0;48;2;255;0;0m")
    assert lines[-1].startswith("\x1b[38;2;0;0;255;48;2;0;0;255m")


def test_kitty_gets_the_image_in_pieces() -> None:
    image = Image.effect_noise((400, 300), 80)
    pieces = re.findall("\x1b_G([^;]*);([^\x1b]*)\x1b\\\\", draw(image, "kitty"))
    assert len(pieces) > 1
    assert pieces[0][0].startswith("a=T,f=100,")
    assert [head[-3:] for head, _ in pieces] == ["m=1"] * (len(pieces) - 1) + ["m=0"]
    assert all(len(data) <= 4096 for _, data in pieces)
    with Image.open(io.BytesIO(base64.b64decode("".join(data for _, data in pieces)))) as sent:
        assert sent.tobytes() == image.tobytes()


def test_iterm2_gets_the_image_at_once() -> None:
    drawn = draw(Image.new("RGB", (2000, 1000), "red"), "iterm2")
    match = re.fullmatch("\x1b]1337;File=inline=1;width=\\d+;preserveAspectRatio=1:([^\x07]*)\x07", drawn)
    assert match is not None
    with Image.open(io.BytesIO(base64.b64decode(match[1]))) as sent:
        assert sent.size == (1024, 512)
