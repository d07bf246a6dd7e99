"""``promptvision plugins``: the installed plugins and their state."""

from __future__ import annotations

from typing import Any

import click

from promptvision.cli.isolate import isolate
from promptvision.cli.output import echo_json, echo_table, say

__all__ = ["plugins"]


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@click.option("--details", is_flag=True, help="Show the traceback of each failed plugin.")
@click.pass_context
def plugins(ctx: click.Context, as_json: bool, details: bool) -> int:
    """List plugins with their state, including broken ones."""
    return 0 if ctx.invoked_subcommand else _list(as_json=as_json, details=details)


plugins.add_command(isolate)


def _list(*, as_json: bool, details: bool) -> int:
    from promptvision.plugins.describe import describe_plugin
    from promptvision.plugins.registry import Registry
    from promptvision.settings import load_settings

    settings = load_settings().model_copy(update={"strict_plugins": False})
    registry = Registry.load(settings)
    described = [describe_plugin(registry, plugin) for plugin in registry.plugins]
    if as_json:
        echo_json({"plugins": described})
        return 0
    rows = [
        (
            one["name"],
            one["distribution"],
            one["version"],
            one["state"],
            "" if one["import_ms"] is None else f"{one['import_ms']:.0f}",
            "; ".join(filter(None, (_offers(one), one["cause"] or _shadowed(one)))),
        )
        for one in described
    ]
    echo_table(("PLUGIN", "DISTRIBUTION", "VERSION", "STATE", "IMPORT MS", "OFFERS OR CAUSE"), rows)
    if details:
        for plugin in registry.plugins:
            if plugin.details:
                say(f"\n{plugin.distribution} {plugin.version}:\n{plugin.details}")
    return 0


def _shadowed(one: dict[str, Any]) -> str:
    return "; ".join(shadowed["reason"] for shadowed in one["shadowed"])


def _offers(one: dict[str, Any]) -> str:
    parts = []
    if one["tools"]:
        parts.append("tools: " + ", ".join(one["tools"]))
    if one["models"]:
        parts.append("models: " + ", ".join(f"{model['id']} ({model['license']})" for model in one["models"]))
    others = [name for name in one["offers"] if name not in ("tools", "models")]
    parts.extend(name.replace("_", " ") for name in others)
    return "; ".join(parts)
