"""Editing, recalling and completing lines at a prompt."""

from __future__ import annotations

import atexit
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

__all__ = ["begin"]

KEPT_LINES = 1000


def begin(home: Path, commands: Sequence[str]) -> None:
    """Make ``input`` edit lines, recall lines of earlier sessions, and complete commands and file names.

    Does nothing if Python has no readline.

    Args:
        home: folder of the history file.
        commands: completed at the start of a line.
    """
    try:
        import readline
    except ImportError:
        return
    file = home / "chat_history"
    with suppress(OSError):
        readline.read_history_file(file)
    readline.set_history_length(KEPT_LINES)
    readline.set_completer_delims(" ")
    readline.set_completer(lambda text, index: _choice(readline.get_line_buffer(), text, commands, index))
    readline.parse_and_bind("tab: complete")
    atexit.register(_keep, file)


def _keep(file: Path) -> None:
    import readline

    with suppress(OSError):
        file.touch(mode=0o600)
        readline.write_history_file(file)


def _choice(line: str, text: str, commands: Sequence[str], index: int) -> str | None:
    found = [*complete(line, text, commands), None]
    return found[index] if index < len(found) else None


def complete(line: str, text: str, commands: Sequence[str]) -> list[str]:
    """Completions of ``text``, the last word of ``line``: a command first, then a path."""
    if line == text and text.startswith("/"):
        return [command for command in commands if command.startswith(text)]
    if not line.startswith(("/image ", "/save ")):
        return []
    folder, _, start = text.rpartition("/")
    with suppress(OSError):
        here = Path(folder + "/" if text.startswith("/") else folder or ".").expanduser()
        found = sorted(path for path in here.iterdir() if path.name.startswith(start))
        head = f"{folder}/" if "/" in text else ""
        return [head + path.name + ("/" if path.is_dir() else "") for path in found]
    return []
