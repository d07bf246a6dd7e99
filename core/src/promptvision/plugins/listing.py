"""What is installed, for commands that list it: from the cached catalog, else from the loaded plugins."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from promptvision.plugins.catalog_cache import cache_key, read_cached, write_cached

if TYPE_CHECKING:
    from pathlib import Path

    from promptvision.plugins.catalog import Catalog, ToolRecord
    from promptvision.plugins.describe import Described
    from promptvision.plugins.discovery import Plugin
    from promptvision.plugins.registry import Registry
    from promptvision.settings import Settings
    from promptvision.tools.requirements import Missing

__all__ = ["list_plugin_commands", "load_listing"]


def list_plugin_commands() -> list[tuple[str, str]]:
    """Name and summary of each command of installed plugins, without the core's."""
    key = cache_key()
    if (document := _read(key)) is None:
        from promptvision.settings import load_settings

        return [*_load(key, load_settings())[1]]
    return [(str(name), str(summary)) for name, summary in document["commands"]]


def load_listing(settings: Settings) -> Described:
    """The plugins and their tools, to be described; plugins are imported only if something has changed.

    Args:
        settings: the settings in force. With ``strict_plugins`` the plugins are always imported.

    Raises:
        PluginError: a plugin is not loaded, though not disabled, and ``settings.strict_plugins`` is set.
    """
    key = cache_key()
    if settings.strict_plugins or (document := _read(key)) is None:
        return _load(key, settings)[0]
    from promptvision.plugins.catalog import Catalog

    try:
        catalog = Catalog.from_values(document["catalog"])
    except (AttributeError, KeyError, TypeError, ValueError):  # not written by this version
        return _load(key, settings)[0]
    _log(catalog.warnings)
    return _Cached(catalog, settings)


def _log(warnings: Iterable[str]) -> None:
    import logging

    log = logging.getLogger(__name__)
    for line in warnings:
        log.warning("%s", line)


class _Cached:
    """A cached catalog, with the state of this machine."""

    def __init__(self, catalog: Catalog, settings: Settings) -> None:
        from promptvision.plugins.catalog import ToolRecord
        from promptvision.plugins.readiness import Readiness
        from promptvision.tools.requirements import Missing

        self.catalog = catalog
        self.settings = settings
        shadowed = {name: Missing(what, fix) for name, (what, fix) in catalog.shadowed_models.items()}
        specs = {spec.id: spec for spec in catalog.specs}
        self._readiness = Readiness[ToolRecord](specs, shadowed, settings, lambda tool: tool.is_remote)

    def missing(self, tool: ToolRecord) -> list[Missing]:
        """The requirements of a tool that are not met here."""
        return self._readiness.missing(tool)


def _read(key: str) -> dict[str, Any] | None:
    document = read_cached(key)
    if document is None:
        return None
    try:
        uncertain = {str(name): str(outcome) for name, outcome in document["uncertain"].items()}
        is_valid = not uncertain or _outcomes(uncertain) == uncertain
        return document if is_valid and "commands" in document and "catalog" in document else None
    except (AttributeError, KeyError, TypeError):
        return None


def _load(key: str, settings: Settings) -> tuple[Registry, list[tuple[str, str]]]:
    """Load all plugins, and write the cache."""
    from promptvision.plugins.commands import Command
    from promptvision.plugins.registry import Registry

    began_ns = time.time_ns()
    registry = Registry.load(settings)
    commands = [
        (command.name, command.summary if isinstance(command, Command) else command.get_short_help_str(80))
        for _, command in registry.plugin_commands()
        if command.name
    ]
    document = {
        "commands": commands,
        "catalog": registry.catalog.values(),
        "uncertain": {_label(plugin): _outcome(plugin) for plugin in registry.plugins if plugin.is_uncertain},
    }
    write_cached(key, document, _files(registry.plugins, settings), began_ns)
    return registry, commands


# Plugins whose offers may change although no file does


def _outcomes(labels: Iterable[str]) -> dict[str, str]:
    """What loading some plugins, and only those, gives now."""
    from promptvision.plugins.discovery import find_plugins, load_plugin, new_manager

    manager, found = new_manager(), {}
    for plugin in find_plugins():
        if _label(plugin) in labels:
            load_plugin(manager, plugin)
            found[_label(plugin)] = _outcome(plugin)
    return found


def _label(plugin: Plugin) -> str:
    return f"{plugin.name} {plugin.label}"


def _outcome(plugin: Plugin) -> str:
    """A text that is equal for equal offers, or for the same failure."""
    import hashlib

    from promptvision.plugins.manifest import describe

    counts = {hook: len(made) for hook, made in plugin.offers.items()}
    offers = describe(plugin).model_dump_json() if plugin.offers else plugin.cause
    return hashlib.sha256(f"{plugin.state} {counts} {offers}".encode()).hexdigest()


# The files that a catalog is made from


def _files(plugins: Iterable[Plugin], settings: Settings) -> Iterator[Path]:
    import sys
    import sysconfig
    from pathlib import Path

    from promptvision.plugins.environments import manifest_path

    installed = tuple({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    names = {name for name in sys.modules if name.startswith("promptvision.")}
    for plugin in plugins:
        if plugin.python:
            yield manifest_path(plugin.name, settings)
            continue
        yield from _package_files(plugin.entry_point.module)
        yield from _metadata_files(plugin)
        names.update(plugin.imported)
    for name in names:
        file = getattr(sys.modules.get(name), "__file__", None)
        is_installed = file and file.startswith(installed) and not name.startswith("promptvision.")
        if file and not is_installed and name.partition(".")[0] not in sys.stdlib_module_names:
            yield Path(file)


def _package_files(module: str) -> Iterator[Path]:
    """The files and folders of the package that a module is in, or its file."""
    from importlib.util import find_spec
    from pathlib import Path

    try:
        spec = find_spec(module.partition(".")[0])
    except (ImportError, ValueError):
        return
    if spec is None or module.startswith("promptvision."):
        return
    if not spec.submodule_search_locations:
        yield from [Path(spec.origin)] if spec.origin else []
    for location in spec.submodule_search_locations or ():
        yield Path(location)
        for path in Path(location).rglob("*"):
            if "__pycache__" not in path.parts:
                yield path


def _metadata_files(plugin: Plugin) -> Iterator[Path]:
    from pathlib import Path

    dist = plugin.entry_point.dist
    for file in (dist and dist.files) or ():
        if file.name in ("METADATA", "entry_points.txt"):
            yield Path(str(file.locate()))
