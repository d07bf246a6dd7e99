"""The catalog: a description of all plugins and their tools as plain values, which can be cached as JSON.

It contains what plugins declare, and no state of the machine: whether a tool can run here is checked when
the catalog is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

from promptvision.models.spec import ModelSpec
from promptvision.tools.ranked import Ranked
from promptvision.tools.requirements import Gpu, Requirements

if TYPE_CHECKING:
    from promptvision.plugins.admission import Shadowed, ShadowedModel
    from promptvision.plugins.availability import Availability
    from promptvision.plugins.discovery import Plugin
    from promptvision.tools.tool import Operation, Tool

__all__ = ["Catalog", "Loaded", "PluginRecord", "ShadowRecord", "ToolRecord", "make_catalog"]


@dataclass(frozen=True, kw_only=True)
class ToolRecord(Ranked):
    """What a tool declares.

    Args:
        operation: name of its operation.
        is_general: whether it accepts all arguments of its operation.
        is_remote: whether the settings let it run on other machines.
        images: names of the arguments that are images.
        image_lists: names of the arguments that are lists of images.
        masks: names of the arguments that are masks.
        parameters: JSON schema of its arguments.
        filled: required arguments that the core fills in.

    The other fields are those of :class:`~promptvision.tools.tool.Tool`.
    """

    name: str
    plugin: str
    version: str
    operation: str
    priority: int
    slow_priority: int | None
    requires: Requirements
    limits: str
    leaves_machine: bool
    costs_money: bool
    is_general: bool
    is_remote: bool
    images: tuple[str, ...]
    image_lists: tuple[str, ...]
    masks: tuple[str, ...]
    parameters: Mapping[str, Any]
    filled: tuple[str, ...]

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Self:
        """A record from the values of ``asdict``, after JSON."""
        made = {name: tuple(values[name]) for name in ("images", "image_lists", "masks", "filled")}
        return cls(**{**values, **made, "requires": Requirements.from_values(values["requires"])})


@dataclass(frozen=True)
class ShadowRecord:
    """A tool that lost a clash to a tool of the operation ``rival``."""

    tool: ToolRecord
    rival: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class PluginRecord:
    """A plugin's state and offers.

    Args:
        details: traceback of a failure.
        import_ms: time of the last import, in milliseconds.
        heavy_modules: heavy modules that were first imported by this plugin.
        license: of its distribution; empty if the metadata does not name one.
        api: version of the plugin API that it was written for; None when it was not imported.
        gpu: the strongest need of its tools.
        tools: names of its admitted tools.
        models: id, licence and source of its admitted models.
        offers: hooks that returned something.

    The other fields are those of :class:`~promptvision.plugins.discovery.Plugin`.
    """

    name: str
    distribution: str
    version: str
    state: str
    cause: str
    details: str
    import_ms: float | None
    heavy_modules: tuple[str, ...]
    license: str
    api: int | None
    gpu: str
    tools: tuple[str, ...]
    models: tuple[tuple[str, str, str], ...]
    offers: tuple[str, ...]

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Self:
        """A record from the values of ``asdict``, after JSON."""
        made = {name: tuple(values[name]) for name in ("heavy_modules", "tools", "offers")}
        return cls(**{**values, **made, "models": tuple(tuple(one) for one in values["models"])})


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """All plugins with their tools.

    Args:
        plugins: in the order of precedence.
        operations: name to description.
        tools: the admitted tools.
        shadowed: tools that lost a clash.
        specs: the admitted models.
        shadowed_models: ``plugin:model`` of each model that lost a clash, to the reason and the fix.
        warnings: what :meth:`Registry.load` has logged.
    """

    plugins: tuple[PluginRecord, ...]
    operations: Mapping[str, str]
    tools: tuple[ToolRecord, ...]
    shadowed: tuple[ShadowRecord, ...]
    specs: tuple[ModelSpec, ...]
    shadowed_models: Mapping[str, tuple[str, str]]
    warnings: tuple[str, ...]

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Self:
        """A catalog from the values of ``asdict``, after JSON.

        Raises:
            TypeError, ValueError, KeyError: they do not describe a catalog.
        """
        return cls(
            plugins=tuple(map(PluginRecord.from_values, values["plugins"])),
            operations=values["operations"],
            tools=tuple(map(ToolRecord.from_values, values["tools"])),
            shadowed=tuple(
                ShadowRecord(ToolRecord.from_values(one["tool"]), one["rival"], one["reason"])
                for one in values["shadowed"]
            ),
            specs=tuple(map(ModelSpec.from_values, values["specs"])),
            shadowed_models={name: (what, fix) for name, (what, fix) in values["shadowed_models"].items()},
            warnings=tuple(values["warnings"]),
        )

    def values(self) -> dict[str, Any]:
        """The catalog as values for JSON."""
        return asdict(self)


class Loaded(Protocol):
    """The part of a :class:`~promptvision.plugins.registry.Registry` that is described."""

    plugins: list[Plugin]
    tools: dict[str, Tool]
    shadowed: dict[str, Shadowed]
    operations: dict[str, Operation]
    models: dict[str, ModelSpec]
    shadowed_models: dict[str, ShadowedModel]
    availability: Availability
    warnings: tuple[str, ...]
    all_tools: Callable[[], list[Tool]]


def make_catalog(registry: Loaded) -> Catalog:
    """The catalog of loaded plugins."""
    records = {tool.qualified_name: _tool_record(registry, tool) for tool in registry.all_tools()}
    return Catalog(
        plugins=tuple(_plugin_record(registry, plugin) for plugin in registry.plugins),
        operations={name: operation.description for name, operation in registry.operations.items()},
        tools=tuple(records[tool.qualified_name] for tool in registry.tools.values()),
        shadowed=tuple(
            ShadowRecord(records[name], shadowed.rival.operation.name, shadowed.reason)
            for name, shadowed in registry.shadowed.items()
        ),
        specs=tuple(registry.models.values()),
        shadowed_models={name: (one.reason, one.fix) for name, one in registry.shadowed_models.items()},
        warnings=registry.warnings,
    )


def _tool_record(registry: Loaded, tool: Tool) -> ToolRecord:
    from promptvision.tools.artifacts import image_fields, link_types, plain_type
    from promptvision.tools.schema import function_parameters
    from promptvision.types import ImageRef, MaskRef

    return ToolRecord(
        name=tool.name,
        plugin=tool.plugin,
        version=tool.version,
        operation=tool.operation.name,
        priority=tool.priority,
        slow_priority=tool.slow_priority,
        requires=tool.requires,
        limits=tool.limits,
        leaves_machine=tool.leaves_machine,
        costs_money=tool.costs_money,
        is_general=tool.accepts is None,
        is_remote=registry.availability.is_remote(tool),
        images=tuple(image_fields(tool.args)),
        image_lists=tuple(
            field
            for field, info in tool.args.model_fields.items()
            if plain_type(info.annotation) == list[ImageRef]
        ),
        masks=tuple(field for field, kind in link_types(tool.args).items() if kind is MaskRef),
        parameters=function_parameters(tool.args),
        filled=tuple(sorted(registry.availability.filled(tool))),
    )


def _plugin_record(registry: Loaded, plugin: Plugin) -> PluginRecord:
    tools = [tool for tool in registry.all_tools() if tool.plugin == plugin.name and plugin.offers]
    models = [spec for spec in registry.models.values() if spec.plugin == plugin.name and plugin.offers]
    needs = [tool.requires.gpu for tool in tools]
    return PluginRecord(
        name=plugin.name,
        distribution=plugin.distribution,
        version=plugin.version,
        state=str(plugin.state),
        cause=plugin.cause,
        details=plugin.details,
        import_ms=None if plugin.import_ms is None else round(plugin.import_ms, 1),
        heavy_modules=plugin.heavy_modules,
        license=plugin.license,
        api=plugin.api,
        gpu=str(max(needs, key=list(Gpu).index, default=Gpu.NONE)),
        tools=tuple(tool.name for tool in registry.tools.values() if tool in tools),
        models=tuple((spec.id, spec.license, spec.source) for spec in models),
        offers=tuple(
            sorted(hook.removeprefix("promptvision_") for hook, made in plugin.offers.items() if made)
        ),
    )
