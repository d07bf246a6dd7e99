"""The MCP tools: one for each operation that can run here, and a few for the conversation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import mcp_types as types

from promptvision.plugin import (
    ImageRef,
    MaskRef,
    Operation,
    PlannerFunction,
    Tool,
    function_parameters,
    image_fields,
)
from promptvision_mcp.conversation import image_arguments

if TYPE_CHECKING:
    from promptvision import Agent

__all__ = ["list_tools"]

_HANDLES = {
    "type": "array",
    "items": {"type": "object", "required": ["handle", "kind", "width", "height", "uri"]},
}
_READ_ONLY = types.ToolAnnotations(read_only_hint=True, open_world_hint=False)


def list_tools(agent: Agent, forms: str) -> list[types.Tool]:
    """All tools that can be called now.

    Args:
        agent: whose operations are listed.
        forms: description of the accepted forms of an image.
    """
    own = _own_tools(forms)
    names = {tool.name for tool in own}
    functions = [function for function in agent.registry.functions() if function.name not in names]
    return [*own, *(_describe(agent, function, forms) for function in functions)]


def _describe(agent: Agent, function: PlannerFunction, forms: str) -> types.Tool:
    tools = agent.registry.runnable(function.name)
    operation = agent.registry.operations[function.name]
    return types.Tool(
        name=function.name,
        title=function.name.replace("_", " ").capitalize(),
        description=function.description,
        input_schema=_input_schema(function, tools[0], forms),
        output_schema=_output_schema(operation),
        annotations=_annotations(operation, tools),
    )


def _input_schema(function: PlannerFunction, tool: Tool, forms: str) -> dict[str, Any]:
    """The schema of the planner's function, with more forms of images."""
    schema = dict(function.parameters)
    properties = {name: _without_null(field) for name, field in schema["properties"].items()}
    for name, kind in image_arguments(tool.args).items():
        if name in properties:
            what = f"Mask, white where to edit: {forms}." if kind is MaskRef else f"Image: {forms}."
            if name == function.image:
                what += " Default: the current image."
            properties[name] = {**properties[name], "description": what}
    return {**schema, "properties": properties}


def _output_schema(operation: Operation) -> dict[str, Any]:
    """The schema of the result. A fallback tool may add fields, so additional ones are allowed."""
    schema = function_parameters(operation.result)
    properties = {
        name: {key: value for key, value in _without_null(field).items() if key != "description"}
        for name, field in schema["properties"].items()
    }
    required = [name for name in schema["required"] if name in properties]
    return {"type": "object", "properties": {**properties, "images": _HANDLES}, "required": required}


def _without_null(field: dict[str, Any]) -> dict[str, Any]:
    """The schema of an optional field without null: a field without a value is omitted."""
    kinds = [kind for kind in field.get("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) != 1:
        return field
    return {**kinds[0], **{key: value for key, value in field.items() if key != "anyOf"}}


def _annotations(operation: Operation, tools: Sequence[Tool]) -> types.ToolAnnotations:
    """Images are immutable: nothing is destroyed. A tool that makes no edit only reads.

    A tool that needs a setting, such as an address or a key, calls a service.
    """
    is_read_only = not _edits(operation)
    return types.ToolAnnotations(
        read_only_hint=is_read_only,
        destructive_hint=False,
        idempotent_hint=all(tool.cacheable for tool in tools),
        open_world_hint=any(bool(tool.requires.settings) for tool in tools),
    )


def _edits(operation: Operation) -> bool:
    made = [
        name
        for name in image_fields(operation.result)
        if not name.startswith(("original_", "annotated_")) and name != "image_url"
    ]
    takes_image = any(kind is ImageRef for kind in image_arguments(operation.args).values())
    return bool(made) or not takes_image


def _own_tools(forms: str) -> list[types.Tool]:
    return [
        types.Tool(
            name="do",
            title="Edit or examine an image",
            description=(
                "Do what one sentence says to an image: promptvision plans the steps and runs its tools. Use "
                "it for whole jobs, such as 'replace the red ball with a blue cube'."
            ),
            input_schema={
                "type": "object",
                "properties": {
                    "prompt": {"type": "string", "description": "What to do, in one sentence."},
                    "image": {"type": "string", "description": f"Image: {forms}. Default: the current one."},
                },
                "required": ["prompt"],
                "additionalProperties": False,
            },
            output_schema={
                "type": "object",
                "properties": {
                    "text": {"type": "string"},
                    "steps": {"type": "array", "items": {"type": "object"}},
                    "images": _HANDLES,
                },
                "required": ["text", "steps", "images"],
            },
            annotations=types.ToolAnnotations(
                read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=True
            ),
        ),
        types.Tool(
            name="list_images",
            title="List images",
            description="List the images of this conversation with their handles, and which is current.",
            input_schema={"type": "object", "properties": {}, "additionalProperties": False},
            output_schema={
                "type": "object",
                "properties": {"current": {"type": ["string", "null"]}, "images": _HANDLES},
                "required": ["current", "images"],
            },
            annotations=_READ_ONLY,
        ),
        types.Tool(
            name="get_image",
            title="Show an image",
            description="Show an image of this conversation: a small version, and a link to the whole.",
            input_schema={
                "type": "object",
                "properties": {
                    "image": {"type": "string", "description": "Handle. Default: the current image."},
                    "show": {"enum": ["preview", "link"], "default": "preview"},
                },
                "additionalProperties": False,
            },
            output_schema={
                "type": "object",
                "properties": {"images": _HANDLES},
                "required": ["images"],
            },
            annotations=_READ_ONLY,
        ),
        types.Tool(
            name="undo",
            title="Undo",
            description="Go back to the image that the current one was made from. Nothing is deleted.",
            input_schema={"type": "object", "properties": {}, "additionalProperties": False},
            output_schema={
                "type": "object",
                "properties": {"current": {"type": "string"}, "images": _HANDLES},
                "required": ["current", "images"],
            },
            annotations=types.ToolAnnotations(
                read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=False
            ),
        ),
    ]
