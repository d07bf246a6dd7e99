"""Writing for people and for programs: data on stdout, progress on stderr."""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Sequence
from typing import Any

import click

__all__ = [
    "complain",
    "echo_json",
    "echo_row",
    "echo_table",
    "echo_text",
    "has_colour",
    "is_live",
    "plain",
    "say",
]

_TURNS_DIRECTION = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def has_colour() -> bool:
    """Whether stderr gets colours: on a terminal, unless ``NO_COLOR`` or ``CI`` is set."""
    if os.environ.get("FORCE_COLOR"):
        return True
    return is_live() and not os.environ.get("NO_COLOR")


def is_live() -> bool:
    """Whether stderr is a terminal on which a line may be drawn over."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("CI")


def plain(text: str) -> str:
    """Text that does nothing to a terminal: no escape sequences, no other control but tab and newline.

    Answers of language models and titles of conversations may hold anything.
    """
    kept = (
        char
        for char in text
        if char in "\n\t" or (unicodedata.category(char) != "Cc" and char not in _TURNS_DIRECTION)
    )
    return "".join(kept).encode("utf-8", "replace").decode("utf-8")


def say(text: str, **style: Any) -> None:
    """One line of progress on stderr."""
    shown = plain(text)
    click.echo(click.style(shown, **style) if has_colour() else shown, err=True, color=has_colour())


def complain(text: str) -> None:
    """One line on stderr that says what is wrong."""
    say("promptvision: " + " ".join(text.split()), fg="red")


def echo_text(text: str) -> None:
    """Words for a person on stdout."""
    click.echo(plain(text))


def echo_json(value: Any) -> None:
    """One JSON document on stdout."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def echo_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A plain table on stdout; the last column takes what is left of the line and wraps."""
    cells = [[plain(str(cell)) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head) - 1)]
    for row in cells:
        echo_row(row, widths)


def echo_row(row: Sequence[str], widths: Sequence[int]) -> None:
    """One row of a table whose columns, but for the last one, have these widths."""
    start = "".join(cell.ljust(width) + "  " for cell, width in zip(row, widths, strict=False))
    room = max(30, shutil.get_terminal_size((110, 24)).columns - len(start))
    lines = textwrap.wrap(row[-1], room, break_long_words=False, break_on_hyphens=False) or [""]
    click.echo(f"{start}{lines[0]}".rstrip())
    for line in lines[1:]:
        click.echo(" " * len(start) + line)
