"""``GET /tools`` and ``POST /tools/{operation}``."""

from __future__ import annotations

from typing import Any, get_args

from pydantic.fields import FieldInfo
from starlette.requests import Request
from starlette.responses import Response

from promptvision.agent.agent import Agent
from promptvision.errors import ArgumentsError, InputError, NotFound
from promptvision.plugins.describe import describe_operations
from promptvision.server.bodies import IMAGE_BODY, Json, read_json
from promptvision.server.identity import user_of
from promptvision.server.images import image_source, image_urls
from promptvision.tools.artifacts import plain_type
from promptvision.types import ImageRef, MaskRef

__all__ = ["list_tools", "run_tool"]

_CHAT_ONLY = ("turn_id", "conversation_id", "prompt_id", "planner", "notes")


async def list_tools(request: Request) -> Response:
    """List every operation with its schema and its tools, including those that cannot run here."""
    agent: Agent = request.app.state.agent
    user_of(request, agent.settings)
    return Json({"operations": describe_operations(agent.registry)})


async def run_tool(request: Request) -> Response:
    """Run one operation without a planner."""
    agent: Agent = request.app.state.agent
    user = user_of(request, agent.settings)
    name = request.path_params["operation"]
    tools = agent.registry.candidates(name)
    if not tools:
        raise NotFound(f"no operation {name[:64]!r}", hint="GET /tools lists them")
    values = await read_json(request, IMAGE_BODY)
    known = {field: info for tool in reversed(tools) for field, info in tool.args.model_fields.items()}
    if unknown := [field for field in values if field not in known]:
        names = ", ".join(known)
        raise ArgumentsError([f"{field[:64]}: no such argument; use {names}" for field in unknown[:9]])
    if wrong := [
        field for field, value in values.items() if not _has_json_type(known[field].annotation, value)
    ]:
        raise ArgumentsError(
            [f"{field}: give a JSON number or boolean as the schema says" for field in wrong]
        )
    if empty := [field for field, value in values.items() if value is None and not _takes_null(known[field])]:
        raise ArgumentsError([f"{field}: null is not accepted; leave it out" for field in empty])
    for field, info in known.items():
        kind, value = plain_type(info.annotation), values.get(field)
        if kind in (ImageRef, MaskRef) and value is not None:
            values[field] = _source(request, field, value)
        elif kind == list[ImageRef] and isinstance(value, list):
            values[field] = [_source(request, field, each) for each in value]
    reply = await agent.call_tool(name, values, user_id=user, allow_paths=False)
    document = reply.document(image_urls(request))
    return Json({key: value for key, value in document.items() if key not in _CHAT_ONLY})


def _takes_null(field: FieldInfo) -> bool:
    """Whether a field accepts null; a field with a default is omitted instead."""
    return type(None) in get_args(field.annotation)


def _has_json_type(annotation: Any, value: Any) -> bool:
    """False for text or a boolean in place of a number and vice versa, which tools would convert silently."""
    kind = plain_type(annotation)
    if value is None or kind not in (bool, int, float):
        return True
    return isinstance(value, bool) if kind is bool else type(value) in (int, float)


def _source(request: Request, field: str, value: Any) -> Any:
    if not isinstance(value, str):
        raise InputError(f"{field}: give the URL of an image as a string")
    return image_source(request, value)
