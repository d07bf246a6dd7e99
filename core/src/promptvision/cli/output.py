"""Terminal output: data on stdout, progress and errors on stderr."""

from __future__ import annotations

import json
import os
import shutil
import sys
import unicodedata
from collections.abc import Sequence
from io import StringIO
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
    "say_command",
]

_TURNS_DIRECTION = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def has_colour() -> bool:
    """Whether stderr gets colours: on a terminal, unless ``NO_COLOR`` or ``CI`` is set."""
    if os.environ.get("FORCE_COLOR"):
        return True
    return is_live() and not os.environ.get("NO_COLOR")


def is_live() -> bool:
    """Whether stderr is a terminal on which a line may be overwritten."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("CI")


def plain(text: str) -> str:
    """Text without terminal escape sequences and control characters other than tab and newline.

    Answers of language models and titles of conversations may contain any character.
    """
    kept = (
        char
        for char in text
        if char in "\n\t" or (unicodedata.category(char) != "Cc" and char not in _TURNS_DIRECTION)
    )
    return "".join(kept).encode("utf-8", "replace").decode("utf-8")


def say(text: str, *, newline: bool = True, **style: Any) -> None:
    """Print one line of progress on stderr."""
    shown = click.style(plain(text), **style) if has_colour() else plain(text)
    click.echo(shown, err=True, color=has_colour(), nl=newline)


def say_command(command: str) -> None:
    """A command alone on a line of stderr, without colours, for scripts and for copying."""
    click.echo(plain(command), err=True)


def complain(text: str) -> None:
    """Print one line of error on stderr."""
    say("promptvision: " + " ".join(text.split()), fg="red")


def echo_text(text: str) -> None:
    """Print text on stdout, without control characters."""
    click.echo(plain(text))


def echo_json(value: Any) -> None:
    """Print one JSON document on stdout."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def echo_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table on stdout; the last column uses the rest of the line and wraps."""
    cells = [[plain(str(cell)) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head) - 1)]
    _echo_rows(cells, widths)


def echo_row(row: Sequence[str], widths: Sequence[int]) -> None:
    """Print one row of a table whose columns, except the last one, have these widths."""
    _echo_rows([row], widths)


def _echo_rows(rows: Sequence[Sequence[str]], widths: Sequence[int]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2, 0, 0), pad_edge=False)
    for width in widths:
        table.add_column(width=width, no_wrap=True)
    room = shutil.get_terminal_size((110, 24)).columns - sum(widths) - 2 * len(widths)
    table.add_column(width=max(30, room), overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    text = StringIO()
    Console(file=text, width=2**15).print(table)
    for line in text.getvalue().splitlines():
        click.echo(line.rstrip())
