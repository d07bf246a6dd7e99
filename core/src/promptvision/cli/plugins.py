"""``promptvision plugins``: the installed plugins and their state, and commands that change them."""

from __future__ import annotations

from typing import Any

import click

from promptvision.cli.isolate import isolate
from promptvision.cli.output import echo_json, echo_table, say
from promptvision.cli.plugins_manage import install, search, uninstall

__all__ = ["plugins"]

_HEAD = ("PLUGIN", "DISTRIBUTION", "VERSION", "LICENSE", "API", "STATE", "IMPORT MS", "OFFERS OR CAUSE")


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@click.option("--details", is_flag=True, help="Show the traceback of each failed plugin.")
@click.pass_context
def plugins(ctx: click.Context, as_json: bool, details: bool) -> int:
    """List plugins with their state, including broken ones."""
    return 0 if ctx.invoked_subcommand else _list(as_json=as_json, details=details)


for _command in (install, uninstall, search, isolate):
    plugins.add_command(_command)


def _list(*, as_json: bool, details: bool) -> int:
    from promptvision.plugins.describe import describe_plugins
    from promptvision.plugins.listing import load_listing
    from promptvision.settings import load_settings

    listing = load_listing(load_settings().model_copy(update={"strict_plugins": False}))
    described = describe_plugins(listing)
    if as_json:
        echo_json({"plugins": described})
        return 0
    echo_table(_HEAD, [_row(one) for one in described])
    if details:
        for plugin in listing.catalog.plugins:
            if plugin.details:
                say(f"\n{plugin.distribution} {plugin.version}:\n{plugin.details}")
    return 0


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    return (
        one["name"],
        one["distribution"],
        one["version"],
        one["license"][:16],
        "" if one["api"] is None else str(one["api"]),
        one["state"],
        "" if one["import_ms"] is None else f"{one['import_ms']:.0f}",
        "; ".join(filter(None, (_offers(one), _costs(one), one["cause"] or _shadowed(one)))),
    )


def _costs(one: dict[str, Any]) -> str:
    gpu = {"preferred": "uses a GPU if there is one", "required": "needs a GPU"}.get(one["gpu"], "")
    heavy = f"imports {', '.join(one['heavy_modules'])} when it is loaded" if one["heavy_modules"] else ""
    return "; ".join(filter(None, (gpu, heavy)))


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
