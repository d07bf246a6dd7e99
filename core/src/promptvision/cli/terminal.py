"""Display images in terminals that support it."""

from __future__ import annotations

import base64
import io
import os
import shutil
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["draw", "protocol"]

COLUMNS = 60
"""Width of an image in characters, at most."""
ROWS = 24
MAX_SIDE_PX = 1024
"""Longest side of an image that is sent to a terminal that scales by itself."""
KITTY_CHUNK = 4096
"""Longest payload of one escape sequence. Source: the kitty graphics protocol."""


def protocol() -> str | None:
    """How the terminal on stdout shows images: ``kitty``, ``iterm2``, ``blocks``, or None when it cannot.

    Detected from environment variables: a query by escape sequence would leave stray characters on terminals
    that do not answer it. tmux and screen do not pass the two protocols through.
    """
    if not sys.stdout.isatty() or os.environ.get("TERM", "dumb") == "dumb" or os.environ.get("NO_COLOR"):
        return None
    is_direct = "TMUX" not in os.environ and not os.environ["TERM"].startswith(("screen", "tmux"))
    program = os.environ.get("TERM_PROGRAM", "")
    if is_direct and (
        "KITTY_WINDOW_ID" in os.environ or "kitty" in os.environ["TERM"] or program == "ghostty"
    ):
        return "kitty"
    if is_direct and program in ("iTerm.app", "WezTerm", "mintty"):
        return "iterm2"
    return "blocks" if os.environ.get("COLORTERM") in ("truecolor", "24bit") else None


def draw(image: Image, way: str) -> str:
    """An image as text for a terminal, at most 60 characters wide and 24 high.

    Args:
        image: any mode and size.
        way: a result of :func:`protocol`.
    """
    columns, rows = _fit(image.size)
    if way == "blocks":
        return _blocks(image, columns, rows)
    data = base64.b64encode(_png(image)).decode("ascii")
    if way == "iterm2":
        return f"\x1b]1337;File=inline=1;width={columns};preserveAspectRatio=1:{data}\x07"
    pieces = [data[start : start + KITTY_CHUNK] for start in range(0, len(data), KITTY_CHUNK)]
    more = [1] * (len(pieces) - 1) + [0]
    heads = [f"a=T,f=100,c={columns},r={rows},"] + [""] * (len(pieces) - 1)
    return "".join(
        f"\x1b_G{head}m={follows};{piece}\x1b\\"
        for head, follows, piece in zip(heads, more, pieces, strict=True)
    )


def _fit(size: tuple[int, int]) -> tuple[int, int]:
    """Columns and rows for an image, assuming characters twice as high as wide."""
    room = shutil.get_terminal_size()
    width, height = min(COLUMNS, room.columns - 1), min(ROWS, room.lines - 4)
    scale = min(width / size[0], 2 * height / size[1])
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale / 2))


def _png(image: Image) -> bytes:
    small = image.copy()
    small.thumbnail((MAX_SIDE_PX, MAX_SIDE_PX))
    buffer = io.BytesIO()
    small.save(buffer, "PNG")
    return buffer.getvalue()


def _blocks(image: Image, columns: int, rows: int) -> str:
    """Upper half blocks: the letter's colour is the upper pixel, the background's the lower one."""
    small = image.convert("RGBA").resize((columns, 2 * rows)).convert("RGB")
    pixels = small.load()
    if pixels is None:
        return ""
    lines = []
    for row in range(rows):
        line = ""
        for column in range(columns):
            upper, lower = pixels[column, 2 * row], pixels[column, 2 * row + 1]
            line += f"\x1b[38;2;{_code(upper)};48;2;{_code(lower)}m\u2580"
        lines.append(line + "\x1b[0m")
    return "\n".join(lines)


def _code(colour: object) -> str:
    return ";".join(str(part) for part in colour) if isinstance(colour, tuple) else "0;0;0"
