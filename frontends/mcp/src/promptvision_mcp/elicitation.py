"""Ask the user for missing arguments of a call, if the client supports it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

__all__ = ["complete_arguments"]

_KEY = "arguments"
_TYPES = ("string", "number", "integer", "boolean")
_KEYWORDS = ("type", "description", "enum", "minimum", "maximum", "minLength", "maxLength")


async def complete_arguments(
    context: ServerRequestContext[Any],
    params: types.CallToolRequestParams,
    schema: Mapping[str, Any],
    needs_image: str | None = None,
) -> dict[str, Any] | types.InputRequiredResult:
    """The arguments of a call with those that the user added.

    From protocol 2026-07-28 on, the client repeats the call with the answers; before, it answers a request
    of the server. A client that cannot ask, or a user who declines, leaves the arguments as they are.

    Args:
        context: of the call.
        params: of the call.
        schema: JSON schema of the arguments.
        needs_image: name of the image argument if there is no image that it could default to.
    """
    given = dict(params.arguments or {})
    answer = (params.input_responses or {}).get(_KEY)
    if answer is not None:
        return _with_answer(given, answer, schema)
    form = _form(given, schema, needs_image)
    if not form["properties"] or not _can_elicit(context.session.client_capabilities):
        return given
    message = f"{params.name} needs: {', '.join(form['properties'])}"
    if context.protocol_version in MODERN_PROTOCOL_VERSIONS:
        request = types.ElicitRequest(
            params=types.ElicitRequestFormParams(message=message, requested_schema=form)
        )
        return types.InputRequiredResult(input_requests={_KEY: request})
    if not context.session.can_send_request:
        return given
    asked = await context.session.elicit_form(message, form, related_request_id=context.request_id)
    return _with_answer(given, asked, schema)


def _form(given: Mapping[str, Any], schema: Mapping[str, Any], needs_image: str | None) -> dict[str, Any]:
    """A flat schema of the arguments that are missing and simple enough to ask for."""
    wanted = [*schema.get("required", ())]
    if needs_image is not None and needs_image not in wanted:
        wanted.append(needs_image)
    properties = {}
    for name in wanted:
        field = schema["properties"].get(name, {})
        if given.get(name) in (None, "") and field.get("type") in _TYPES:
            properties[name] = {key: field[key] for key in _KEYWORDS if key in field}
    return {"type": "object", "properties": properties, "required": [*properties]}


def _can_elicit(capabilities: types.ClientCapabilities | None) -> bool:
    """Whether the client shows forms; a bare ``elicitation: {}`` means that it does."""
    elicitation = None if capabilities is None else capabilities.elicitation
    return elicitation is not None and (elicitation.form is not None or elicitation.url is None)


def _with_answer(given: dict[str, Any], answer: Any, schema: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(answer, types.ElicitResult) or answer.action != "accept":
        return given
    added = {name: value for name, value in (answer.content or {}).items() if name in schema["properties"]}
    return {**added, **{name: value for name, value in given.items() if value not in (None, "")}}
