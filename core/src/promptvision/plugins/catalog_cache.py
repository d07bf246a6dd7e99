"""Keep the catalog in a file, so that ``--help``, ``tools`` and ``plugins`` import no plugin.

A cached catalog is valid for one set of installed distributions, environment variables and settings files,
which are its key, and as long as no file of a plugin or of promptvision changes. The files are those of each
plugin's package, and what it imported from outside the installed packages.

This module imports little, and no ``pathlib``: ``--help`` reads the cache before anything else.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["cache_key", "read_cached", "write_cached"]

FORMAT = 1
MAX_BYTES = 16 * 2**20
MAX_FILES = 8
"""Catalogs that are kept, each for another environment; the one written first is removed."""
MAX_STAMPS = 5000
CLOCK_NS = 20_000_000
"""The resolution of file times, generously: a file changed after a plugin was loaded is not cached."""

_SETTINGS_FILES = (".env", "promptvision.toml")
_VOLATILE = frozenset(
    ("_", "COLUMNS", "LINES", "OLDPWD", "PWD", "SHLVL", "TERM", "TERM_SESSION_ID", "WINDOWID")
)
"""Variables of a shell or terminal that differ from one call to the next; no declaration depends on them."""


def cache_key() -> str:
    """A digest that changes when a distribution is installed or removed, or a setting changes."""
    variables = sorted((name, value) for name, value in os.environ.items() if name not in _VOLATILE)
    paths = [path or "." for path in dict.fromkeys(sys.path)]
    folder = "" if all(map(os.path.isabs, paths)) else os.getcwd()
    installed = [[path, _distributions(path)] for path in paths]
    settings = [_digest(name) for name in _SETTINGS_FILES]
    key = [FORMAT, sys.version, sys.prefix, folder, installed, settings, variables]
    return hashlib.sha256(json.dumps(key).encode("utf-8", "surrogateescape")).hexdigest()[:32]


def read_cached(key: str) -> dict[str, Any] | None:
    """The document that was written for a key; None if there is none or a file has changed."""
    path = os.path.join(_folder(), f"{key}.json")
    try:
        with open(path, "rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            return None
        cached = json.loads(content)
        stamps = cached["stamps"]
        found = [stamp if _is_unchanged(*stamp) else _confirm(*stamp) for stamp in stamps]
        document: dict[str, Any] = cached["document"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if None in found:
        return None
    if found != stamps:  # files were touched or copied, with the same content
        with suppress(OSError):  # the old stamps lead to the same document, only later
            _replace(path, {"stamps": found, "document": document})
    return document


def write_cached(key: str, document: dict[str, Any], files: Iterable[Path], began_ns: int) -> None:
    """Replace the document of a key; if it cannot be written, plugins are loaded each time.

    Args:
        key: what :func:`cache_key` returned before the plugins were loaded.
        document: values for JSON.
        files: the files and folders that it was made from.
        began_ns: when the plugins began to be loaded; nothing is written if a file has changed since.
    """
    paths = sorted({str(file) for file in files})
    try:
        stamps = [_stamp(path) for path in paths]
        if len(stamps) > MAX_STAMPS or any(_is_recent(stamp, began_ns) for stamp in stamps):
            return
        folder = _folder()
        os.makedirs(folder, exist_ok=True, mode=0o700)
        _replace(os.path.join(folder, f"{key}.json"), {"stamps": stamps, "document": document})
        _remove_oldest(folder)
    except (OSError, ValueError, TypeError):
        return


def _is_recent(stamp: list[Any], began_ns: int) -> bool:
    return stamp[1] is not None and max(stamp[1][1:]) >= began_ns - CLOCK_NS


def _replace(path: str, cached: dict[str, Any]) -> None:
    from pathlib import Path

    from promptvision.atomic import replace_text

    replace_text(Path(path), json.dumps(cached))


def _folder() -> str:
    home = os.environ.get("PROMPTVISION_HOME")
    if not home:
        import platformdirs

        home = platformdirs.user_data_dir("promptvision", appauthor=False)
    return os.path.join(os.path.expanduser(home), "cache", "plugins")


def _distributions(folder: str) -> list[tuple[str, int]]:
    """Name and time of each distribution's metadata in a folder of ``sys.path``."""
    try:
        with os.scandir(folder) as entries:
            return sorted(
                (entry.name, entry.stat().st_mtime_ns)
                for entry in entries
                if entry.name.endswith((".dist-info", ".egg-info", ".egg-link", ".pth"))
            )
    except OSError:
        return []


def _stamp(path: str) -> list[Any]:
    """Path, status and digest of a file; a folder has no status and the digest of its names."""
    if os.path.isdir(path):
        return [path, None, _names_digest(path)]
    return [path, _status(path), _digest(path)]


def _status(path: str) -> list[int]:
    """Size, and times of the content and of the inode."""
    found = os.stat(path)
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns]


def _is_unchanged(path: str, status: list[int] | None, digest: str) -> bool:
    return _names_digest(path) == digest if status is None else _status(path) == status


def _confirm(path: str, status: list[int] | None, digest: str) -> list[Any] | None:
    """A new stamp for a file with another status and the same content, else None."""
    stamp = _stamp(path)
    return stamp if stamp[2] == digest else None


def _names_digest(folder: str) -> str:
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries if entry.name != "__pycache__")
    return hashlib.sha256("\0".join(names).encode("utf-8", "surrogateescape")).hexdigest()


def _digest(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return ""


def _remove_oldest(folder: str) -> None:
    with os.scandir(folder) as entries:
        kept = sorted(entries, key=lambda entry: entry.stat().st_mtime_ns)
    for entry in kept[:-MAX_FILES]:
        with suppress(FileNotFoundError):
            os.unlink(entry.path)
