"""Record what a call changes outside its context: files that it writes, and state that all calls share."""

from __future__ import annotations

import locale
import logging
import os
import random
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image

__all__ = ["lasting_state", "shared_state", "written_files"]

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = ("os.mkdir", "os.remove", "os.rmdir", "os.rename", "os.link", "os.symlink", "os.truncate")
_recorders: list[list[str]] = []
_hooks: list[bool] = []


def _audit(event: str, args: tuple[Any, ...]) -> None:
    """An audit hook of Python; it cannot be removed, and does nothing while no one records."""
    if not _recorders:
        return
    if event == "open":
        path, mode, flags = args
        is_write = any(letter in mode for letter in "wax+") if mode else bool((flags or 0) & _WRITES)
        if is_write and isinstance(path, (str, bytes, os.PathLike)):
            _record(path)
    elif event in _CHANGES and isinstance(args[0], (str, bytes, os.PathLike)):
        _record(args[0])


def _record(path: str | bytes | os.PathLike[str]) -> None:
    for recorder in _recorders:
        recorder.append(os.path.realpath(os.fsdecode(path)))


@contextmanager
def written_files(*allowed: Path) -> Iterator[list[str]]:
    """Collect the files that this process writes, creates or removes inside the block.

    Temporary files, compiled modules and devices do not count, nor does what lies in one of the folders.

    Args:
        allowed: folders in which a call may write.

    Yields:
        Absolute paths, complete when the block has ended.
    """
    if not _hooks:
        sys.addaudithook(_audit)
        _hooks.append(True)
    recorder: list[str] = []
    found: list[str] = []
    places = [*map(str, allowed), tempfile.gettempdir(), "/dev", "/proc"]
    folders = [os.path.realpath(place) for place in places]
    _recorders.append(recorder)
    try:
        yield found
    finally:
        _recorders.remove(recorder)
        found += [
            path
            for path in dict.fromkeys(recorder)
            if "__pycache__" not in path
            and not any(f"{path}/".startswith(f"{folder}/") for folder in folders)
        ]


def lasting_state() -> dict[str, Any]:
    """State of the process that no code may change, not even the first import of a module."""
    root = logging.getLogger()
    return {
        "the locale": locale.setlocale(locale.LC_ALL),
        "the working folder": Path.cwd(),
        "the level of the root logger": root.level,
        "the handlers of the root logger": [
            handler for handler in root.handlers if not type(handler).__module__.startswith("_pytest")
        ],
        "logging.disable": root.manager.disable,
        "Image.MAX_IMAGE_PIXELS": Image.MAX_IMAGE_PIXELS,
    }


def shared_state() -> dict[str, Any]:
    """State that all calls share; modules may change some of it when they are imported, calls may not."""
    numpy = sys.modules.get("numpy")
    return {
        **lasting_state(),
        "os.environ": dict(os.environ),
        "sys.path": tuple(sys.path),
        "warnings.filters": tuple(warnings.filters),
        "the generator of the module random": random.getstate(),
        "numpy's global generator": None if numpy is None else repr(numpy.random.get_state()),
    }
