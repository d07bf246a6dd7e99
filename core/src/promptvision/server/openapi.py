"""The OpenAPI document, made of the models that the routes use."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from promptvision.agent.agent import Agent
from promptvision.server.bodies import ChatBody, Json, TitleBody
from promptvision.tools.schema import function_parameters

__all__ = ["get_openapi", "openapi_document"]

_USER = {
    "name": "user_id",
    "in": "query",
    "required": False,
    "schema": {"type": "string"},
    "description": "Whose things; with API keys the key says so.",
}
_PROBLEM = {
    "description": "RFC 9457 problem document with a plain 'error' string.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


async def get_openapi(request: Request) -> Response:
    """The OpenAPI 3.1 document of this server as it is installed."""
    return Json(openapi_document(request.app.state.agent))


def openapi_document(agent: Agent) -> dict[str, Any]:
    """The OpenAPI 3.1 document; each operation that an installed tool can fulfil has a path of its own."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "promptvision", "version": _version(), "license": {"name": "Apache-2.0"}},
        "paths": {**_fixed_paths(), **_tool_paths(agent)},
        "components": {
            "schemas": {"Problem": _problem_schema(), "Reply": _reply_schema()},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"bearer": []}] if agent.settings.api_keys else [],
    }


def _version() -> str:
    from promptvision import __version__

    return str(__version__)


def _fixed_paths() -> dict[str, Any]:
    reply = _json({"$ref": "#/components/schemas/Reply"})
    answers = {**reply, "text/event-stream": {}}
    return {
        "/chat": {"post": _operation("Run one turn", answers, body=function_parameters(ChatBody))},
        "/turns/{turn_id}/events": {
            "get": _operation("Events of a turn (AG-UI 1.0)", {"text/event-stream": {}}, "turn_id")
        },
        "/turns/{turn_id}/cancel": {
            "post": _operation("Stop a running turn", _json(), "turn_id", status="202")
        },
        "/images": {"post": _operation("Store a picture", _json(), status="201", upload=True)},
        "/images/{image_id}": {"get": _operation("A stored picture", {"image/*": {}}, "image_id")},
        "/tools": {"get": _operation("Operations, schemas and tools", _json())},
        "/conversations": {"get": _operation("The user's conversations", _json())},
        "/conversations/{conversation_id}": {
            "get": _operation("One conversation", _json(), "conversation_id"),
            "patch": _operation("Rename it", _json(), "conversation_id", body=function_parameters(TitleBody)),
            "delete": _operation("Delete it", {}, "conversation_id", status="204"),
        },
        "/health": {"get": _operation("The process answers", _json())},
        "/ready": {"get": _operation("It can do its work", _json())},
        "/metrics": {"get": _operation("Prometheus metrics", {"text/plain": {}})},
    }


def _tool_paths(agent: Agent) -> dict[str, Any]:
    answer = _json({"$ref": "#/components/schemas/Reply"})
    return {
        f"/tools/{function.name}": {
            "post": _operation(function.description, answer, body=function.parameters)
        }
        for function in agent.registry.functions()
    }


def _json(schema: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"application/json": {"schema": schema or {"type": "object"}}}


def _operation(
    summary: str,
    content: dict[str, Any],
    parameter: str | None = None,
    *,
    status: str = "200",
    body: dict[str, Any] | None = None,
    upload: bool = False,
) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [_USER]
    if parameter is not None:
        parameters.append({"name": parameter, "in": "path", "required": True, "schema": {"type": "string"}})
    success: dict[str, Any] = {"description": "Success"}
    if content:
        success["content"] = content
    made: dict[str, Any] = {
        "summary": summary,
        "parameters": parameters,
        "responses": {status: success, "default": _PROBLEM},
    }
    if upload:
        file = {
            "type": "object",
            "properties": {"file": {"type": "string", "format": "binary"}},
            "required": ["file"],
        }
        made["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": file}}}
    elif body is not None:
        made["requestBody"] = {"required": True, "content": _json(body)}
    return made


def _problem_schema() -> dict[str, Any]:
    text = {"type": "string"}
    return {
        "type": "object",
        "properties": {
            "type": text,
            "title": text,
            "status": {"type": "integer"},
            "detail": text,
            "error": text,
        },
        "required": ["type", "title", "status", "detail", "error"],
    }


def _reply_schema() -> dict[str, Any]:
    text: dict[str, Any] = {"type": "string"}
    maybe = {"type": ["string", "null"]}
    step = {
        "type": "object",
        "properties": {
            "operation": text,
            "tool": text,
            "plugin": text,
            "status": {"enum": ["done", "failed", "cancelled", "interrupted"]},
            "arguments": {"type": "object"},
            "result": {"type": ["object", "null"]},
            "seconds": {"type": "number"},
            "cached": {"type": "boolean"},
            "message": maybe,
        },
    }
    return {
        "type": "object",
        "description": "Besides these, every result field of the turn, flat.",
        "properties": {
            "text_response": text,
            "image_url": maybe,
            "steps": {"type": "array", "items": step},
            "turn_id": text,
            "conversation_id": text,
            "prompt_id": text,
            "status": {"enum": ["done", "failed", "cancelled", "interrupted"]},
            "planner": text,
        },
        "required": ["text_response", "image_url", "steps", "status"],
        "additionalProperties": True,
    }
