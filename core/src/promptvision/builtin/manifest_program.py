"""The program that prints the manifest of an installed plugin, run in the plugin's own environment."""

from __future__ import annotations

import sys

from promptvision.plugins.discovery import PluginState
from promptvision.plugins.manifest import describe
from promptvision.plugins.registry import Registry
from promptvision.settings import Settings

__all__ = ["main"]


def main(name: str) -> int:
    """Print the manifest; 1, with the reason on stderr, if the plugin cannot be loaded."""
    registry = Registry.load(Settings.from_mapping({}))
    plugin = next((one for one in registry.plugins if one.name == name), None)
    if plugin is None or plugin.state is not PluginState.LOADED:
        cause = "it is not installed there" if plugin is None else plugin.cause
        sys.stderr.write(f"plugin {name!r}: {cause}\n")
        return 1
    sys.stdout.write(describe(plugin).model_dump_json())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
