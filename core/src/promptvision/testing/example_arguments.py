"""Arguments of a call made from the schema of a tool, where its author has given no example."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

__all__ = ["complete_arguments", "example_value"]

TEXT = "text"
WHOLE, PART = 8, 0.5
"""An integer and another number, where they are within the bounds."""


def complete_arguments(model: type[BaseModel], given: Mapping[str, Any]) -> dict[str, Any]:
    """Add what a call still needs: each required argument, and one optional argument where one of several is.

    Args:
        model: the argument model of a tool.
        given: the arguments so far, such as images.

    Returns:
        Arguments that are valid, or those with all required ones if none of the attempts is.
    """
    schema = model.model_json_schema()
    properties = {name: _resolve(part, schema) for name, part in schema.get("properties", {}).items()}
    needed = {
        name: example_value(properties[name], schema)
        for name in schema.get("required", ())
        if name in properties and name not in given
    }
    arguments = {**given, **needed}
    optional = (
        {name: example_value(part, schema)} for name, part in properties.items() if name not in arguments
    )
    attempts: Iterator[dict[str, Any]] = ({**arguments, **one} for one in ({}, *optional))
    return next((attempt for attempt in attempts if _is_valid(model, attempt)), arguments)


def example_value(part: Mapping[str, Any], schema: Mapping[str, Any]) -> Any:
    """A value for one part of a JSON schema: its first example, constant or choice, else one of its type.

    Args:
        part: the part.
        schema: the whole, which holds the definitions that the part refers to.
    """
    part = _resolve(part, schema)
    if values := part.get("examples") or part.get("enum") or ([part["const"]] if "const" in part else []):
        return values[0]
    kind = part.get("type")
    if kind in ("integer", "number"):
        return _number(part, is_whole=kind == "integer")
    if kind == "array":
        return [example_value(part.get("items", {}), schema)] * max(part.get("minItems", 1), 1)
    if kind == "object":
        members = part.get("properties", {})
        return {name: example_value(members[name], schema) for name in part.get("required", ())}
    return True if kind == "boolean" else TEXT


def _resolve(part: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The part itself, behind references and the choice of null."""
    if "$ref" in part:
        return _resolve(schema["$defs"][part["$ref"].rpartition("/")[2]], schema)
    choices = [one for one in part.get("anyOf", ()) if one.get("type") != "null"]
    return _resolve({**choices[0], **_own(part)}, schema) if choices else part


def _own(part: Mapping[str, Any]) -> dict[str, Any]:
    return {"examples": part["examples"]} if "examples" in part else {}


def _number(part: Mapping[str, Any], *, is_whole: bool) -> float:
    usual = WHOLE if is_whole else PART
    step = 1 if is_whole else PART / 2
    lowest = part.get("minimum", part.get("exclusiveMinimum", usual - step) + step)
    highest = part.get("maximum", part.get("exclusiveMaximum", max(usual, lowest) + step) - step)
    return type(usual)(min(max(usual, lowest), highest))


def _is_valid(model: type[BaseModel], arguments: Mapping[str, Any]) -> bool:
    try:
        model.model_validate(arguments)
    except ValidationError:
        return False
    return True
