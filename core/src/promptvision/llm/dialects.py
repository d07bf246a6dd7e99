"""Dialects of JSON Schema for function parameters; hosts differ in the keywords that they require or reject.

A dialect is a pure function from the schema of :class:`~promptvision.llm.messages.Function` to the
``function`` object on the wire, without its name and description.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["Dialect", "allow_types", "plain", "strict"]

Dialect = Callable[[Mapping[str, Any]], dict[str, Any]]
"""From declared parameters to ``{"parameters": ...}``, with ``strict`` where it applies."""

_UNION_KEYS = ("anyOf", "oneOf", "allOf")
_NOT_STRICT = ("default", "minLength", "maxLength", "title", "uniqueItems")
_SAYS_WHAT = frozenset(("type", "enum", "const", "$ref", *_UNION_KEYS))
_MAX_DEPTH = 32


def plain(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema as declared, for hosts that accept any JSON Schema."""
    return {"parameters": dict(parameters)}


def strict(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema in the subset that the strict mode of structured outputs accepts.

    All fields are required and optional ones are nullable, no object takes unknown fields, no ``$ref`` has
    sibling keys, and unsupported keywords are removed (a default moves into the description). A schema that
    the mode cannot express, such as an object with arbitrary keys, is returned as declared and without
    ``strict``.

    Source: the list of supported schemas in the guide to structured outputs of the chat-completions API.
    """
    try:
        return {"parameters": _strict(parameters, 0), "strict": True}
    except ValueError:
        return plain(parameters)


def allow_types(field: Mapping[str, Any], *types: str) -> dict[str, Any]:
    """Return the schema of a field that also accepts other JSON types.

    The description stays at the top level, where models read it.

    Args:
        field: JSON schema of one field.
        types: names of JSON types, such as ``string`` and ``null``.
    """
    outside = {key: field[key] for key in ("description", "default") if key in field}
    inside = {key: value for key, value in field.items() if key not in outside}
    parts = list(inside["anyOf"]) if set(inside) == {"anyOf"} else [inside]
    known = {kind for part in parts for kind in _types(part)}
    parts += [{"type": kind} for kind in types if kind not in known]
    return {**(parts[0] if len(parts) == 1 else {"anyOf": parts}), **outside}


def _strict(node: Any, depth: int) -> Any:
    if depth > _MAX_DEPTH or not isinstance(node, Mapping):
        raise ValueError("not a schema that strict mode can express")
    if not _SAYS_WHAT & node.keys():
        raise ValueError("strict mode does not support untyped values")
    schema = {key: value for key, value in node.items() if key not in _NOT_STRICT}
    if node.get("default") is not None:
        default = f"Default {json.dumps(node['default'])}."
        schema["description"] = f"{node.get('description', '')} {default}".strip()
    if "$ref" in schema and len(schema) > 1:
        schema["anyOf"] = [{"$ref": schema.pop("$ref")}]
    for key in ("$defs", "definitions"):
        if key in schema:
            schema[key] = {name: _strict(part, depth + 1) for name, part in schema[key].items()}
    for key in _UNION_KEYS:
        if key in schema:
            schema[key] = [_strict(part, depth + 1) for part in schema[key]]
    if "items" in schema:
        schema["items"] = _strict(schema["items"], depth + 1)
    if "object" in _types(schema):
        schema.update(_strict_object(schema, depth))
    return schema


def _strict_object(schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
    if schema.get("additionalProperties") or "properties" not in schema:
        raise ValueError("strict mode does not support objects with arbitrary keys")
    required = schema.get("required", ())
    fields = {name: _strict(field, depth + 1) for name, field in schema["properties"].items()}
    return {
        "properties": {
            n: field if n in required else allow_types(field, "null") for n, field in fields.items()
        },
        "required": list(fields),
        "additionalProperties": False,
    }


def _types(schema: Mapping[str, Any]) -> list[str]:
    declared = schema.get("type", [])
    return [declared] if isinstance(declared, str) else list(declared)
