"""Replace files as a whole, so that a crash leaves the old or the new one."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

__all__ = ["replace_text"]


def replace_text(path: Path, text: str) -> None:
    """Replace a file by one that only this user can read; of several writers the last one wins.

    Args:
        path: the file, in an existing folder.
        text: its content, written as UTF-8.

    Raises:
        OSError: it cannot be written; the old file stays, and no partial one is left.
    """
    number, partial = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
    try:
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(text)
        Path(partial).replace(path)
    except OSError:
        with suppress(OSError):
            Path(partial).unlink()
        raise
