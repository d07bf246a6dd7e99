"""The OpenAPI document, generated from the models of the routes."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from promptvision.agent.agent import Agent
from promptvision.agent.request import ID_PATTERN, MAX_ID_CHARS
from promptvision.llm.planner import PlannerFunction
from promptvision.server.approvals import WAITING, AnswerBody
from promptvision.server.batches import BatchBody
from promptvision.server.bodies import ChatBody, Json, TitleBody
from promptvision.server.conversations import MAX_LIST, MAX_OFFSET, MAX_PAGE
from promptvision.server.variants import MAX_WIDTH
from promptvision.tools.artifacts import plain_type, target_field
from promptvision.tools.schema import function_parameters
from promptvision.types import ImageRef, Target

__all__ = ["get_openapi", "openapi_document"]

Schema = dict[str, Any]

_ID: Schema = {"type": "string", "minLength": 1, "maxLength": MAX_ID_CHARS, "pattern": ID_PATTERN}
_TEXT: Schema = {"type": "string"}
_MAYBE: Schema = {"type": ["string", "null"]}
_NUMBER: Schema = {"type": "integer"}
_STATUS: Schema = {"enum": ["done", "failed", "cancelled", "interrupted"]}
_PROBLEM = {
    "description": "RFC 9457 problem document with a plain 'error' string.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


async def get_openapi(request: Request) -> Response:
    """Return the OpenAPI 3.1 document of this server."""
    return Json(openapi_document(request.app.state.agent, request.scope.get("root_path", "")))


def openapi_document(agent: Agent, root_path: str = "") -> Schema:
    """Create the OpenAPI 3.1 document; each operation of an installed tool has its own path.

    Args:
        agent: the agent whose tools are described.
        root_path: prefix under which the app is mounted or proxied.
    """
    return {
        "openapi": "3.1.0",
        "info": {"title": "promptvision", "version": _version(), "license": {"name": "Apache-2.0"}},
        "servers": [{"url": root_path or "/"}],
        "paths": {**_fixed_paths(), **_tool_paths(agent)},
        "components": {
            "schemas": {"Problem": _problem_schema(), "Reply": _reply_schema(), **_other_schemas()},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"bearer": []}] if agent.settings.api_keys else [],
    }


def _version() -> str:
    from promptvision import __version__

    return str(__version__)


def _fixed_paths() -> Schema:
    chat = function_parameters(ChatBody)
    answers = {**_json(_ref("Reply")), "text/event-stream": {}}
    turn, path = _path("turn_id", _ID), _path("conversation_id", _ID)
    image = _path("image_id", {"type": "string", "pattern": "^[0-9a-f]{64}$"})
    width = _query("width", 1, MAX_WIDTH)
    page = [_query("limit", 1, MAX_PAGE), _query("before", 1, MAX_OFFSET)]
    listed = [_query("limit", 0, MAX_LIST), _query("offset", 0, MAX_OFFSET)]
    conversation = _json(_ref("Conversation"))
    batch, batch_id = _json(_ref("Batch")), _path("batch_id", _ID)
    batch_body = function_parameters(BatchBody)
    return {
        "/batches": {
            "post": _operation("Start a batch", batch, body=batch_body, status=("202",), has_user=False)
        },
        "/batches/{batch_id}": {"get": _operation("How far a batch is", batch, batch_id)},
        "/batches/{batch_id}/cancel": {
            "post": _operation("Cancel a batch", batch, batch_id, status=("200", "202"))
        },
        "/batches/{batch_id}/results": {
            "get": _operation("Its images as a zip file", {"application/zip": {}}, batch_id)
        },
        "/chat": {"post": _chat(_operation("Run one turn", answers, body=chat, has_user=False))},
        "/turns/{turn_id}/events": {
            "get": _operation("Events of a turn (AG-UI 1.0)", {"text/event-stream": {}}, turn)
        },
        "/turns/{turn_id}/cancel": {
            "post": _operation("Cancel a running turn", _json(_ref("Cancelled")), turn, status=("200", "202"))
        },
        "/turns/{turn_id}/approvals": {
            "get": _operation("Steps of a turn that wait for approval", _json(_ref("Approvals")), turn)
        },
        "/turns/{turn_id}/approvals/{approval_id}": {
            "post": _operation(
                "Approve or refuse a step",
                _json(_ref("Answered")),
                turn,
                _path("approval_id", _ID),
                body=function_parameters(AnswerBody),
            )
        },
        "/images": {"post": _operation("Store an image", _json(_ref("Image")), status=("201",), upload=True)},
        "/images/{image_id}": {
            "get": _operation(
                "A stored image",
                {"image/*": {}},
                image,
                width,
                status=("200", "304", "307"),
            )
        },
        "/tools": {"get": _operation("Operations, schemas and tools", _json())},
        "/conversations": {"get": _operation("The user's conversations", _json(), *listed)},
        "/conversations/{conversation_id}": {
            "get": _operation("Turns and images of a conversation", conversation, path, *page),
            "patch": _operation("Rename it", conversation, path, body=function_parameters(TitleBody)),
            "delete": _operation("Delete it", {}, path, status=("204",)),
        },
        "/health": {"get": _open("Liveness: the process answers", _json())},
        "/ready": {"get": _open("Readiness: the process can run turns", _json(), "200", "503")},
        "/metrics": {"get": _open("Prometheus metrics", {"text/plain": {}})},
    }


def _chat(operation: Schema) -> Schema:
    """``POST /chat`` with its second answer, while a step waits for approval."""
    waiting = {"description": "A step waits for approval", "content": _json(_ref("Waiting"))}
    return {**operation, "responses": {**operation["responses"], "202": waiting}}


def _tool_paths(agent: Agent) -> Schema:
    return {
        f"/tools/{function.name}": {
            "post": _operation(function.description, _json(_ref("Reply")), body=_tool_body(agent, function))
        }
        for function in agent.registry.functions()
    }


def _tool_body(agent: Agent, function: PlannerFunction) -> Schema:
    """The arguments of an operation outside a conversation: other prerequisites than images are filled in.

    A prerequisite is made from a target, so either of them is required.
    """
    args = agent.registry.candidates(function.name)[0].args
    body: Schema = dict(function.parameters)
    filled = [name for name, field in args.model_fields.items() if field.is_required()]
    filled = [name for name in filled if name not in body["required"]]
    images = [name for name in filled if plain_type(args.model_fields[name].annotation) is ImageRef]
    others, target = [name for name in filled if name not in images], target_field(args)
    body["required"] = [*images, *body["required"]]
    targets = [name for name, field in args.model_fields.items() if plain_type(field.annotation) is Target]
    for name in targets:  # surrounding whitespace is removed before the length is checked
        body["properties"] = {**body["properties"], name: _with_text(body["properties"][name])}
    if others and target is not None and target not in body["required"]:
        body["anyOf"] = [{"required": others}, {"required": [target]}]
    return body


def _with_text(schema: Schema) -> Schema:
    if "anyOf" in schema:
        return {**schema, "anyOf": [_with_text(kind) for kind in schema["anyOf"]]}
    return {**schema, "pattern": r"\S"} if schema.get("type") == "string" else schema


def _json(schema: Schema | None = None) -> Schema:
    return {"application/json": {"schema": schema or {"type": "object"}}}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _path(name: str, schema: Schema) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _query(name: str, least: int, most: int) -> Schema:
    schema = {"type": "integer", "minimum": least, "maximum": most}
    return {"name": name, "in": "query", "required": False, "schema": schema}


def _user() -> Schema:
    described = "Owner of the data; with API keys, the key determines it."
    return {"name": "user_id", "in": "query", "required": False, "schema": _ID, "description": described}


def _operation(
    summary: str,
    content: Schema,
    *parameters: Schema,
    status: tuple[str, ...] = ("200",),
    body: Schema | None = None,
    upload: bool = False,
    has_user: bool = True,
) -> Schema:
    """One operation.

    Args:
        summary: its summary.
        content: content of its successful responses.
        parameters: parameters in addition to ``user_id``.
        status: codes of responses that are not problem documents; only those of 2xx and 5xx have the content.
        body: schema of a JSON body.
        upload: whether it takes a file.
        has_user: whether the query may name the user.
    """
    responses: Schema = {code: {"description": "Success"} for code in status}
    for code in status:
        if content and code[0] in "25":
            responses[code]["content"] = content
    made: Schema = {
        "summary": summary,
        "parameters": [*([_user()] if has_user else []), *parameters],
        "responses": {**responses, "default": _PROBLEM},
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


def _open(summary: str, content: Schema, *status: str) -> Schema:
    """An operation that needs no API key and does not depend on the user."""
    return {**_operation(summary, content, status=status or ("200",), has_user=False), "security": []}


def _object(properties: Schema, **more: Any) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties), **more}


def _problem_schema() -> Schema:
    return _object({"type": _TEXT, "title": _TEXT, "status": _NUMBER, "detail": _TEXT, "error": _TEXT})


def _other_schemas() -> Schema:
    turn = {
        "turn_id": _TEXT,
        "seq": _NUMBER,
        "prompt_id": _TEXT,
        "prompt": _TEXT,
        "status": {"enum": [*_STATUS["enum"], "running"]},
        "created_at": {"type": "number"},
        "reply": {"anyOf": [_ref("Reply"), {"type": "null"}]},
    }
    item = {
        "number": _NUMBER,
        "name": _TEXT,
        "status": {"enum": ["waiting", "done", "failed", "cancelled"]},
        "text_response": _TEXT,
        "image_url": _MAYBE,
    }
    batch = {
        "batch_id": _TEXT,
        "prompt": _TEXT,
        "status": {"enum": [*_STATUS["enum"], "running"]},
        "total": _NUMBER,
        "done": _NUMBER,
        "failed": _NUMBER,
        "items": {"type": "array", "items": _object(item)},
    }
    approval = {
        "approval_id": _TEXT,
        "step": _NUMBER,
        "operation": _TEXT,
        "tool": _TEXT,
        "plugin": _TEXT,
        "question": _TEXT,
        "arguments": {"type": "object"},
    }
    waiting = {"status": {"const": WAITING}, "text_response": _TEXT, "turn_id": _TEXT}
    return {
        "Approval": _object(approval),
        "Approvals": _object({"approvals": {"type": "array", "items": _ref("Approval")}}),
        "Answered": _object({"turn_id": _TEXT, "approval_id": _TEXT, "approved": {"type": "boolean"}}),
        "Waiting": _object({**waiting, "approval": _ref("Approval")}),
        "Batch": _object(batch),
        "Cancelled": _object({"turn_id": _TEXT, "status": _TEXT}),
        "Image": _object(
            {
                "image_id": _TEXT,
                "image_url": _TEXT,
                "media_type": _TEXT,
                "width": _NUMBER,
                "height": _NUMBER,
                "notes": {"type": "array", "items": _TEXT},
            }
        ),
        "Conversation": _object(
            {
                "id": _TEXT,
                "title": _TEXT,
                "turns": {"type": "array", "items": _object(turn)},
                "images": {"type": "array", "items": {"type": "object"}},
                "next_before": {"type": ["integer", "null"]},
            }
        ),
    }


def _reply_schema() -> Schema:
    step = {
        "operation": _TEXT,
        "tool": _TEXT,
        "plugin": _TEXT,
        "status": _STATUS,
        "arguments": {"type": "object"},
        "result": {"type": ["object", "null"]},
        "seconds": {"type": "number"},
        "cached": {"type": "boolean"},
        "message": _MAYBE,
        "models": {"type": "array", "items": _TEXT},
        "details": {"type": "array", "items": _TEXT},
    }
    return {
        "type": "object",
        "description": "In addition, all result fields of the turn, flat.",
        "properties": {
            "text_response": _TEXT,
            "image_url": _MAYBE,
            "steps": {"type": "array", "items": {"type": "object", "properties": step}},
            "turn_id": _TEXT,
            "conversation_id": _TEXT,
            "prompt_id": _TEXT,
            "status": _STATUS,
            "planner": _TEXT,
        },
        "required": ["text_response", "image_url", "steps", "status"],
        "additionalProperties": True,
    }
