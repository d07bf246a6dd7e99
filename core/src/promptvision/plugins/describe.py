"""Plugins and operations as plain JSON, for ``plugins --json``, ``tools --json`` and ``GET /tools``."""

from __future__ import annotations

from typing import Any

from promptvision.plugins.discovery import Plugin
from promptvision.plugins.registry import Registry
from promptvision.tools.artifacts import image_fields, link_types, plain_type
from promptvision.tools.schema import function_parameters
from promptvision.tools.tool import Tool
from promptvision.types import ImageRef, MaskRef

__all__ = ["describe_operations", "describe_plugin"]


def describe_operations(registry: Registry) -> list[dict[str, Any]]:
    """Every operation with its schema and its tools, best first; ``available``: whether one can run here.

    A tool under ``shadowed`` lost a clash with a tool of the operation; it is called by its qualified name,
    ``plugin:tool``.
    """
    functions = {function.name: function for function in registry.functions()}
    described = []
    for name in sorted(registry.operations):
        tools = registry.candidates(name)
        function = functions.get(name)
        described.append(
            {
                "operation": name,
                "description": registry.operations[name].description,
                "available": function is not None,
                "images": list(image_fields(tools[0].args)),
                "image_lists": [
                    field
                    for field, info in tools[0].args.model_fields.items()
                    if plain_type(info.annotation) == list[ImageRef]
                ],
                "masks": [field for field, kind in link_types(tools[0].args).items() if kind is MaskRef],
                "parameters": function.parameters if function else function_parameters(tools[0].args),
                "tools": [_describe_tool(registry, tool) for tool in tools],
                "shadowed": [
                    {
                        **_describe_tool(registry, shadowed.tool),
                        "operation": shadowed.tool.operation.name,
                        "reason": shadowed.reason,
                    }
                    for shadowed in registry.shadowed.values()
                    if shadowed.rival.operation.name == name
                ],
            }
        )
    return described


def _describe_tool(registry: Registry, tool: Tool) -> dict[str, Any]:
    missing = registry.missing(tool)
    return {
        "tool": tool.name,
        "plugin": tool.plugin,
        "version": tool.version,
        "priority": tool.priority,
        "available": not missing,
        "missing": [{"what": one.what, "fix": one.fix} for one in missing],
        "gpu": str(tool.requires.gpu),
        "models": list(tool.requires.chosen_models(registry.settings.value)),
        "limits": tool.limits,
        "leaves_machine": tool.leaves_machine,
        "costs_money": tool.costs_money,
    }


def describe_plugin(registry: Registry, plugin: Plugin) -> dict[str, Any]:
    """One plugin: its state, the cause of a failure, and its offers."""
    models = [
        registry.models[name] for name in registry.models if registry.models[name].plugin == plugin.name
    ]
    return {
        "name": plugin.name,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "state": str(plugin.state),
        "cause": plugin.cause,
        "import_ms": None if plugin.import_ms is None else round(plugin.import_ms, 1),
        "tools": [tool.name for tool in registry.tools.values() if tool.plugin == plugin.name],
        "shadowed": [
            {"tool": shadowed.tool.name, "reason": shadowed.reason}
            for shadowed in registry.shadowed.values()
            if shadowed.tool.plugin == plugin.name
        ],
        "models": [{"id": spec.id, "license": spec.license, "source": spec.source} for spec in models],
        "offers": sorted(hook.removeprefix("promptvision_") for hook, made in plugin.offers.items() if made),
    }
