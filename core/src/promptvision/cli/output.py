"""Writing for people and for programs: data on stdout, progress on stderr."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Sequence
from typing import Any

import click

__all__ = ["echo_json", "echo_table", "is_fancy", "say"]


def is_fancy() -> bool:
    """Whether stderr is a terminal that may get colours and bars."""
    if os.environ.get("FORCE_COLOR"):
        return True
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR") and not os.environ.get("CI")


def say(text: str, **style: Any) -> None:
    """One line of progress on stderr."""
    click.echo(click.style(text, **style) if is_fancy() else text, err=True)


def echo_json(value: Any) -> None:
    """One JSON document on stdout."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def echo_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A plain table on stdout; the last column takes what is left of the line and wraps."""
    widths = [max(len(str(row[i])) for row in (head, *rows)) for i in range(len(head) - 1)]
    room = max(30, shutil.get_terminal_size((110, 24)).columns - sum(widths) - 2 * len(widths))
    for row in (head, *rows):
        lines = _wrap(str(row[-1]), room)
        start = "  ".join(str(cell).ljust(width) for cell, width in zip(row, widths, strict=False))
        click.echo(f"{start}  {lines[0]}".rstrip())
        for line in lines[1:]:
            click.echo(" " * (len(start) + 2) + line)


def _wrap(text: str, width: int) -> list[str]:
    import textwrap

    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]
