"""Plugins and operations as plain JSON, for ``plugins --json``, ``tools --json`` and ``GET /tools``."""

from __future__ import annotations

from typing import Any, Protocol

from promptvision.plugins.catalog import Catalog, PluginRecord, ToolRecord
from promptvision.settings import Settings
from promptvision.tools.requirements import Missing

__all__ = ["Described", "describe_operations", "describe_plugins"]


class Described(Protocol):
    """What is described: loaded plugins, or a cached catalog."""

    @property
    def settings(self) -> Settings:
        """The settings in force."""

    @property
    def catalog(self) -> Catalog:
        """What the plugins declare."""

    def missing(self, tool: ToolRecord) -> list[Missing]:
        """The requirements of a tool that are not met here."""


def describe_operations(source: Described) -> list[dict[str, Any]]:
    """Every operation with its schema and its tools, best first; ``available``: whether one can run here.

    A tool under ``shadowed`` lost a clash with a tool of the operation; it is called by its qualified name,
    ``plugin:tool``.
    """
    catalog = source.catalog
    return [
        {
            **_describe_operation(source, name),
            "shadowed": [
                {
                    **_describe_tool(source, shadowed.tool),
                    "operation": shadowed.tool.operation,
                    "reason": shadowed.reason,
                }
                for shadowed in catalog.shadowed
                if shadowed.rival == name
            ],
        }
        for name in sorted(catalog.operations)
    ]


def _describe_operation(source: Described, name: str) -> dict[str, Any]:
    prefer = source.settings.prefer
    tools = sorted(
        (tool for tool in source.catalog.tools if tool.operation == name),
        key=lambda tool: (tool.qualified_name not in prefer, -tool.rank, tool.name),
    )
    described = [_describe_tool(source, tool) for tool in tools]
    ready = [tool for tool, one in zip(tools, described, strict=True) if one["available"]]
    return {
        "operation": name,
        "description": source.catalog.operations[name],
        "available": bool(ready),
        "images": list(tools[0].images),
        "image_lists": list(tools[0].image_lists),
        "masks": list(tools[0].masks),
        "parameters": _parameters(ready) if ready else tools[0].parameters,
        "tools": described,
    }


def _parameters(ready: list[ToolRecord]) -> dict[str, Any]:
    """Those of the best tool that can run here; what the core fills in is optional."""
    best = next((tool for tool in ready if tool.is_general), ready[0])
    required = [name for name in best.parameters["required"] if name not in best.filled]
    return {**best.parameters, "required": required}


def _describe_tool(source: Described, tool: ToolRecord) -> dict[str, Any]:
    missing = source.missing(tool)
    return {
        "tool": tool.name,
        "plugin": tool.plugin,
        "version": tool.version,
        "priority": tool.priority,
        "available": not missing,
        "missing": [{"what": one.what, "fix": one.fix} for one in missing],
        "gpu": str(tool.requires.gpu),
        "models": list(tool.requires.chosen_models(source.settings.value)),
        "limits": tool.limits,
        "leaves_machine": tool.leaves_machine,
        "costs_money": tool.costs_money,
    }


def describe_plugins(source: Described) -> list[dict[str, Any]]:
    """Each plugin: its state, the cause of a failure, what it costs and what it offers."""
    return [_describe_plugin(source.catalog, plugin) for plugin in source.catalog.plugins]


def _describe_plugin(catalog: Catalog, plugin: PluginRecord) -> dict[str, Any]:
    return {
        "name": plugin.name,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "license": plugin.license,
        "api": plugin.api,
        "state": plugin.state,
        "cause": plugin.cause,
        "import_ms": plugin.import_ms,
        "heavy_modules": list(plugin.heavy_modules),
        "gpu": plugin.gpu,
        "tools": list(plugin.tools),
        "shadowed": [
            {"tool": shadowed.tool.name, "reason": shadowed.reason}
            for shadowed in catalog.shadowed
            if shadowed.tool.plugin == plugin.name
        ],
        "models": [
            {"id": id_, "license": license_, "source": source} for id_, license_, source in plugin.models
        ],
        "offers": list(plugin.offers),
    }
