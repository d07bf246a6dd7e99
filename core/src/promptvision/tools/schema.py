"""JSON schemas for function calling, self-contained and in the subset that LLM hosts accept.

Hosts support only part of JSON Schema: OpenAI's strict mode requires ``additionalProperties: false``,
``anyOf`` for unions and ``items`` for arrays, and supports few formats; several hosts require descriptions
that are never null. The schemas of this module have no ``$ref``, ``title`` or ``default: null``, and a
description for every property.
"""

from __future__ import annotations

from collections.abc import Collection
from copy import deepcopy
from functools import lru_cache
from typing import Any

from pydantic import BaseModel

__all__ = ["function_parameters"]

_MAX_DEPTH = 32
_DATA = ("const", "default", "enum", "required")
_FORMATS = frozenset(
    ("date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid")
)  # those that OpenAI's guide to structured outputs lists as supported


def function_parameters(model: type[BaseModel], optional: Collection[str] = ()) -> dict[str, Any]:
    """The JSON schema of an argument model.

    Args:
        model: the argument model.
        optional: required fields that the caller may omit because the core can fill them in.
    """
    flat = deepcopy(_flat_schema(model))
    flat["required"] = [name for name in flat.get("required", ()) if name not in optional]
    return flat


@lru_cache(maxsize=512)  # each agent and each turn asks for those of all tools
def _flat_schema(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema()
    definitions = schema.pop("$defs", {})
    flat: dict[str, Any] = _flatten(schema, definitions, depth=0)
    flat.pop("description", None)
    for name, field in flat.get("properties", {}).items():
        field["description"] = field.get("description") or name.replace("_", " ")
    flat.setdefault("properties", {})
    return flat


def _flatten(node: Any, definitions: dict[str, Any], depth: int) -> Any:
    if depth > _MAX_DEPTH:
        raise ValueError("argument models must not refer to themselves: LLM hosts need a finite schema")
    if isinstance(node, list):
        return [_flatten(item, definitions, depth + 1) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target = definitions[node["$ref"].rpartition("/")[2]]
        return _flatten({**target, **{k: v for k, v in node.items() if k != "$ref"}}, definitions, depth + 1)
    flat: dict[str, Any] = {}
    for key, value in node.items():
        if key == "properties":
            flat[key] = {name: _flatten(item, definitions, depth + 1) for name, item in value.items()}
        elif key == "prefixItems":
            flat["items"] = _any_of(_flatten(value, definitions, depth + 1))
        elif _is_dropped(key, value):
            continue
        elif key in _DATA:
            flat[key] = value
        else:
            flat["anyOf" if key == "oneOf" else key] = _flatten(value, definitions, depth + 1)
    if flat.get("type") == "object":
        flat.setdefault("additionalProperties", False)
    return flat


def _is_dropped(key: str, value: Any) -> bool:
    if key == "default":
        return value is None
    return key in ("title", "discriminator") or (key == "format" and value not in _FORMATS)


def _any_of(schemas: list[Any]) -> Any:
    """One schema for the items of a tuple; their number stays in ``minItems`` and ``maxItems``."""
    different = [schema for index, schema in enumerate(schemas) if schema not in schemas[:index]]
    return different[0] if len(different) == 1 else {"anyOf": different}
