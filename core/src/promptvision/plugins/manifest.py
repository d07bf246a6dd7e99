"""The manifest of a plugin: written in the plugin's own environment, read where it is not installed.

A field whose type the core knows (images, boxes, targets and lists of them) keeps its type; any other field
keeps its JSON schema and is validated in the plugin's environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import EntryPoint
from pathlib import Path
from types import GenericAlias
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, create_model
from pydantic_core import to_jsonable_python

from promptvision.errors import ToolFailed
from promptvision.models.spec import ModelSpec
from promptvision.plugins.admission import CORE
from promptvision.plugins.discovery import GROUP, Plugin
from promptvision.tools.artifacts import plain_type
from promptvision.tools.requirements import Requirements, has_module
from promptvision.tools.schema import function_parameters
from promptvision.tools.tool import Args, Operation, Phrase, RemoteResult, Result, Tool
from promptvision.types import Box, ImageRef, ImageText, MaskRef, Point, Target

__all__ = ["Manifest", "describe", "read_manifest", "runs_elsewhere"]

VERSION = 1
_TYPES: dict[str, Any] = {kind.__name__: kind for kind in (Box, ImageRef, ImageText, MaskRef, Point, Target)}


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FieldEntry(_Entry):
    """A field of an argument or result model; ``kind`` names a type of the core, else the schema applies."""

    kind: str | None = None
    is_list: bool = False
    is_optional: bool = False
    is_required: bool = True
    default: Any = None
    description: str | None = None
    json_schema: dict[str, Any] = {}


class OperationEntry(_Entry):
    """An operation; an operation of the core has no models here."""

    name: str
    description: str = ""
    args: dict[str, FieldEntry] = {}
    result: dict[str, FieldEntry] = {}
    phrases: tuple[tuple[str, tuple[tuple[str, Any], ...]], ...] = ()


class ToolEntry(_Entry):
    """A tool with the fields that its models add to those of the operation."""

    name: str
    operation: OperationEntry
    args: dict[str, FieldEntry] = {}
    result: dict[str, FieldEntry] = {}
    priority: int
    slow_priority: int | None = None
    limits: str = ""
    phrases: tuple[tuple[str, tuple[tuple[str, Any], ...]], ...] = ()
    cacheable: bool = True
    takes_complements: bool = False
    leaves_machine: bool = False
    costs_money: bool = False
    requires: dict[str, Any] = {}


class Manifest(_Entry):
    """The offers of a plugin. ``variables`` are the settings that it reads."""

    manifest: int
    plugin: str
    distribution: str
    version: str
    module: str
    tools: tuple[ToolEntry, ...] = ()
    models: tuple[dict[str, Any], ...] = ()
    variables: tuple[str, ...] = ()


def runs_elsewhere(args: Args, context: Any) -> Result:
    """Replaces a tool's function where its plugin is not installed."""
    raise ToolFailed(
        "this tool runs in a separate environment", hint="set PROMPTVISION_EXECUTOR to processes"
    )


# Reading


def read_manifest(path: Path, python: str) -> Plugin:
    """The plugin that a manifest describes.

    Args:
        path: the manifest.
        python: interpreter of the plugin's environment.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not a manifest of this version.
    """
    manifest = Manifest.model_validate_json(path.read_bytes())
    if manifest.manifest != VERSION:
        raise ValueError(f"version {manifest.manifest} is not {VERSION}")
    operations: dict[str, Operation] = {}
    return Plugin(
        manifest.plugin,
        manifest.distribution,
        manifest.version,
        EntryPoint(manifest.plugin, manifest.module, GROUP),
        python=python,
        variables=manifest.variables,
        offers={
            "promptvision_tools": [_read_tool(entry, operations, python) for entry in manifest.tools],
            "promptvision_models": [ModelSpec.from_values(values) for values in manifest.models],
        },
    )


def _read_tool(entry: ToolEntry, operations: dict[str, Operation], python: str) -> Tool:
    name = entry.operation.name
    operation = operations.setdefault(name, CORE.get(name) or _read_operation(entry.operation))
    return Tool(
        name=entry.name,
        operation=operation,
        run=f"{__name__}:{runs_elsewhere.__name__}",
        args=_read_model(f"{name}_args", operation.args, entry.args),
        result=_read_model(f"{name}_result", operation.result, entry.result, RemoteResult),
        priority=entry.priority,
        slow_priority=entry.slow_priority,
        requires=Requirements.from_values(entry.requires),
        limits=entry.limits,
        phrases=_read_phrases(entry.phrases),
        cacheable=entry.cacheable,
        takes_complements=entry.takes_complements,
        leaves_machine=entry.leaves_machine,
        costs_money=entry.costs_money,
        python=python,
    )


def _read_operation(entry: OperationEntry) -> Operation:
    return Operation(
        name=entry.name,
        description=entry.description,
        args=_read_model(f"{entry.name}_args", Args, entry.args),
        result=_read_model(f"{entry.name}_result", RemoteResult, entry.result),
        phrases=_read_phrases(entry.phrases),
    )


def _read_model(
    name: str, base: type[Any], fields: Mapping[str, FieldEntry], mixin: type | None = None
) -> Any:
    bases = (mixin, base) if mixin is not None and not issubclass(base, mixin) else (base,)
    if not fields and bases == (base,):
        return base
    made = {name: (_annotation(field), _field_info(field)) for name, field in fields.items()}
    return create_model(name, __base__=bases, **made)  # type: ignore[call-overload]


def _annotation(field: FieldEntry) -> Any:
    if field.kind is None:
        return Annotated[Any, WithJsonSchema(field.json_schema)]
    item = _TYPES[field.kind]
    kind = GenericAlias(list, (item,)) if field.is_list else item
    return kind | None if field.is_optional else kind


def _field_info(field: FieldEntry) -> Any:
    default = ... if field.is_required else field.default
    return Field(default, description=field.description, validate_default=default is not None)


def _read_phrases(phrases: tuple[tuple[str, tuple[tuple[str, Any], ...]], ...]) -> tuple[Phrase, ...]:
    return tuple(Phrase(text, fixed) for text, fixed in phrases)


# Writing


def describe(plugin: Plugin) -> Manifest:
    """The manifest of a loaded plugin."""
    sections = plugin.offers.get("promptvision_settings", ())
    return Manifest(
        manifest=VERSION,
        plugin=plugin.name,
        distribution=plugin.distribution,
        version=plugin.version,
        module=plugin.entry_point.value,
        tools=tuple(_write_tool(tool) for tool in plugin.offers.get("promptvision_tools", ())),
        models=tuple(
            to_jsonable_python(asdict(spec)) for spec in plugin.offers.get("promptvision_models", ())
        ),
        variables=tuple(name for section in sections for name in section.variables()),
    )


def _write_tool(tool: Tool) -> ToolEntry:
    requires = to_jsonable_python(asdict(tool.requires))
    requires["modules"] = {
        name: fix for name, fix in tool.requires.modules.items() if not has_module(name)
    }  # requirements met here may be missing where the manifest is read
    return ToolEntry(
        name=tool.name,
        operation=_write_operation(tool.operation),
        args=_write_fields(tool.args, tool.operation.args),
        result=_write_fields(tool.result, tool.operation.result),
        priority=tool.priority,
        slow_priority=tool.slow_priority,
        limits=tool.limits,
        phrases=_write_phrases(tool.phrases),
        cacheable=tool.cacheable,
        takes_complements=tool.takes_complements,
        leaves_machine=tool.leaves_machine,
        costs_money=tool.costs_money,
        requires=requires,
    )


def _write_operation(operation: Operation) -> OperationEntry:
    if CORE.get(operation.name) == operation:
        return OperationEntry(name=operation.name)
    return OperationEntry(
        name=operation.name,
        description=operation.description,
        args=_write_fields(operation.args, Args),
        result=_write_fields(operation.result, Result),
        phrases=_write_phrases(operation.phrases),
    )


def _write_phrases(phrases: tuple[Phrase | str, ...]) -> tuple[tuple[str, tuple[tuple[str, Any], ...]], ...]:
    return tuple((phrase.text, phrase.fixed) for phrase in phrases if isinstance(phrase, Phrase))


def _write_fields(model: type[BaseModel], base: type[BaseModel]) -> dict[str, FieldEntry]:
    """The fields that a model adds to its base."""
    if model is base:
        return {}
    schemas = function_parameters(model)["properties"]
    return {
        name: _write_field(field, schemas.get(name, {}))
        for name, field in model.model_fields.items()
        if name not in base.model_fields or base.model_fields[name].annotation != field.annotation
    }


def _write_field(field: Any, schema: dict[str, Any]) -> FieldEntry:
    kind = plain_type(field.annotation)
    is_list = get_origin(kind) is list and bool(get_args(kind))
    item = get_args(kind)[0] if is_list else kind
    default = None if field.is_required() else field.get_default(call_default_factory=True)
    return FieldEntry(
        kind=item.__name__ if item in _TYPES.values() else None,
        is_list=is_list,
        is_optional=type(None) in get_args(field.annotation),
        is_required=field.is_required(),
        default=to_jsonable_python(default),
        description=field.description,
        json_schema=schema,
    )
