"""Dialects of JSON Schema: what one host demands of a function's parameters, another refuses.

Each dialect is a pure function from the schema of :class:`~promptvision.llm.messages.Function` to the
``function`` object on the wire, without its name and description.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["Dialect", "lenient", "plain", "strict"]

Dialect = Callable[[Mapping[str, Any]], dict[str, Any]]
"""Parameters as declared to ``{"parameters": ...}``, with ``strict`` where it applies."""

_NULL = {"type": "null"}
_STRING = {"type": "string"}
_UNION_KEYS = ("anyOf", "oneOf", "allOf")
_NOT_STRICT = ("default", "minLength", "maxLength", "title", "uniqueItems")
_SAYS_WHAT = frozenset(("type", "enum", "const", "$ref", *_UNION_KEYS))
_MAX_DEPTH = 32


def plain(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The schema as declared, for hosts that take any JSON Schema."""
    return {"parameters": dict(parameters)}


def lenient(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """For hosts that check calls themselves, and too early, as Groq does.

    Every field may also be text, and null where it may be left out; unknown fields pass. What the host lets
    through is put right by :mod:`promptvision.llm.repair` and judged by pydantic.
    """
    required = parameters.get("required", ())
    schema = {key: value for key, value in parameters.items() if key != "additionalProperties"}
    schema["properties"] = {
        name: _widen(field, [_STRING] if name in required else [_STRING, _NULL])
        for name, field in parameters.get("properties", {}).items()
    }
    return {"parameters": schema}


def strict(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """OpenAI's strict mode, in which the host makes the model keep to the schema.

    All fields are required and those that may be left out are nullable, no object takes unknown fields, no
    ``$ref`` has sibling keys, and keywords that the mode refuses are gone (a default is told in the
    description instead). A schema that the mode cannot express, such as an object of any keys, is sent as
    declared and without ``strict``.

    Source of the rules: OpenAI's guide to structured outputs, "Supported schemas".
    """
    try:
        return {"parameters": _strict(parameters, 0), "strict": True}
    except ValueError:
        return plain(parameters)


def _strict(node: Any, depth: int) -> Any:
    if depth > _MAX_DEPTH or not isinstance(node, Mapping):
        raise ValueError("no schema that strict mode can express")
    if not _SAYS_WHAT & node.keys():
        raise ValueError("strict mode has no values of any type")
    schema = {key: value for key, value in node.items() if key not in _NOT_STRICT}
    if node.get("default") is not None:
        told = f"Default {json.dumps(node['default'])}."
        schema["description"] = f"{node.get('description', '')} {told}".strip()
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
        raise ValueError("strict mode has no objects of any keys")
    required = schema.get("required", ())
    fields = {name: _strict(field, depth + 1) for name, field in schema["properties"].items()}
    return {
        "properties": {n: field if n in required else _widen(field, [_NULL]) for n, field in fields.items()},
        "required": list(fields),
        "additionalProperties": False,
    }


def _types(schema: Mapping[str, Any]) -> list[str]:
    declared = schema.get("type", [])
    return [declared] if isinstance(declared, str) else list(declared)


def _widen(field: Mapping[str, Any], further: list[dict[str, str]]) -> dict[str, Any]:
    """Let a field also be of further types; its description stays outside, where models read it."""
    outside = {key: field[key] for key in ("description", "default") if key in field}
    inside = {key: value for key, value in field.items() if key not in outside}
    parts = list(inside["anyOf"]) if set(inside) == {"anyOf"} else [inside]
    known = {kind for part in parts for kind in _types(part)}
    parts += [part for part in further if part["type"] not in known]
    return {**(parts[0] if len(parts) == 1 else {"anyOf": parts}), **outside}
