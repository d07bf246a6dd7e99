"""The commands that plugins add, cached so that ``promptvision --help`` does not import the plugins."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from pathlib import Path

from promptvision.plugins.commands import Command

__all__ = ["list_plugin_commands"]

CACHE_FILE = "commands.json"
FORMAT = 1
_VARIABLES = ("PROMPTVISION_HOME", "PROMPTVISION_DISABLED_PLUGINS", "PYTHONPATH", "VIRTUAL_ENV")


def list_plugin_commands() -> list[tuple[str, str]]:
    """Name and summary of each command of installed plugins, without the core's.

    The list is read from a cache that is valid as long as no distribution is installed or removed and no
    plugin module or settings file changes.
    """
    path, key = _cache_path(), _environment_key()
    if (cached := _read(path, key)) is not None:
        return cached
    commands, modules = _ask_plugins()
    _write(path, key, commands, modules)
    return commands


def _ask_plugins() -> tuple[list[tuple[str, str]], list[str]]:
    from promptvision.plugins.registry import Registry
    from promptvision.settings import load_settings

    registry = Registry.load(load_settings())
    commands = [
        (command.name, command.summary if isinstance(command, Command) else command.get_short_help_str(80))
        for _, command in registry.plugin_commands()
        if command.name
    ]
    files = (getattr(plugin.module, "__file__", None) for plugin in registry.plugins)
    return commands, [file for file in files if file]


def _cache_path() -> Path:
    home = os.environ.get("PROMPTVISION_HOME")
    if not home:
        import platformdirs

        home = platformdirs.user_data_dir("promptvision", appauthor=False)
    return Path(home).expanduser() / "cache" / CACHE_FILE


def _environment_key() -> list[object]:
    """A key that changes when a distribution is installed or removed, or the settings change."""
    folders = [[folder, _mtime(folder)] for folder in dict.fromkeys(sys.path) if folder]
    settings = [_mtime(name) for name in (".env", "promptvision.toml")]
    return [FORMAT, folders, settings, [os.environ.get(name) for name in _VARIABLES]]


def _mtime(path: str) -> int | None:
    try:
        return Path(path).stat().st_mtime_ns
    except OSError:
        return None


def _read(path: Path, key: list[object]) -> list[tuple[str, str]] | None:
    try:
        cached = json.loads(path.read_text("utf-8"))
        if cached["key"] != key or any(_mtime(file) != mtime for file, mtime in cached["modules"]):
            return None
        return [(str(name), str(summary)) for name, summary in cached["commands"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(path: Path, key: list[object], commands: list[tuple[str, str]], modules: list[str]) -> None:
    """Replace the cache; if it cannot be written, plugins are loaded each time."""
    stamped = [[file, _mtime(file)] for file in modules]
    partial = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps({"key": key, "modules": stamped, "commands": commands}), "utf-8")
        partial.replace(path)
    except OSError:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
