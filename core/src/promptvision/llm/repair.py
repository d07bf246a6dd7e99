"""Repair of tool-call arguments written by an LLM.

Only the JSON types are corrected, never the meaning; pydantic validates the values afterwards.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from promptvision.errors import ArgumentsError

__all__ = ["MAX_CHARS", "finite_float", "load_json", "refuse_constant", "repair_arguments"]

MAX_CHARS = 200_000
"""Longer argument texts are rejected without parsing."""

_MAX_DEPTH = 16
_MISSING = object()


def repair_arguments(
    raw: str | Mapping[str, Any], schema: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """Convert arguments as an LLM wrote them to an object that pydantic can validate.

    JSON text is parsed, twice if it was quoted twice; an empty text means no arguments. Per field, text
    where the schema expects an array, object, number or boolean is parsed as JSON; ``3.0`` becomes ``3``
    where an integer is expected; null is dropped where it is not allowed, so that the default applies;
    unknown keys are dropped.

    Args:
        raw: a JSON text, or an object.
        schema: JSON schema of the arguments, self-contained.

    Returns:
        The arguments, and one line for each repair that the planner should know about.

    Raises:
        ArgumentsError: the text is not a JSON object; the message says where parsing failed.
    """
    notes: list[str] = []
    value = _load_arguments(raw)
    return _Repair(schema, notes).repair_object(value, schema, ""), notes


def load_json(text: str) -> Any:
    """Parse JSON according to RFC 8259, without NaN and Infinity.

    Raises:
        ValueError: the text is not JSON, nested too deeply, or longer than :data:`MAX_CHARS`.
    """
    if len(text) > MAX_CHARS:
        raise ValueError(f"longer than {MAX_CHARS} characters")
    try:
        return _DECODER.decode(text)
    except RecursionError as exc:
        raise ValueError("nested too deeply") from exc


def refuse_constant(name: str) -> NoReturn:
    """Reject NaN and Infinity, which Python's json accepts."""
    raise ValueError(f"{name} is not allowed in JSON")


def finite_float(digits: str) -> float:
    """Parse a number; reject one that is too large, since it would become Infinity."""
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"{digits[:40]} is too large a number")
    return number


_DECODER = json.JSONDecoder(parse_constant=refuse_constant, parse_float=finite_float)


def _load_arguments(raw: str | Mapping[str, Any]) -> Mapping[str, Any]:
    value: Any = raw
    try:
        for _ in range(2):
            if isinstance(value, str):
                value = load_json(value) if value.strip() else None
    except ValueError as exc:
        raise ArgumentsError(f"arguments are not valid JSON ({exc}); send one JSON object") from exc
    if value is None or value == "":
        return {}
    if not isinstance(value, Mapping):
        raise ArgumentsError(f"arguments must be one JSON object, not {_type_of(value)}")
    return value


def _type_of(value: Any) -> str:
    """Return the JSON schema type of a value."""
    if value is None:
        return "null"
    for kind, name in ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string")):
        if isinstance(value, kind):
            return name
    return "object" if isinstance(value, Mapping) else "array"


def _fits(value: Any, types: set[str]) -> bool:
    kind = _type_of(value)
    if kind == "integer":
        return bool(types & {"integer", "number"})
    if kind == "number" and "number" not in types:
        return "integer" in types and value.is_integer()
    return kind in types or value is None


class _Repair:
    """One repair, with the root schema for references and the notes so far."""

    def __init__(self, root: Mapping[str, Any], notes: list[str]) -> None:
        self._root = root
        self._notes = notes

    def repair_object(self, value: Mapping[str, Any], schema: Mapping[str, Any], path: str) -> dict[str, Any]:
        properties = schema.get("properties", {})
        keeps_unknown = schema.get("additionalProperties", not properties and bool(path))
        repaired: dict[str, Any] = {}
        for key, item in value.items():
            where = f"{path}.{key}" if path else str(key)
            if key in properties:
                result = self._repair(item, properties[key], where)
                if result is not _MISSING:
                    repaired[key] = result
            elif keeps_unknown:
                repaired[key] = item
            else:
                self._notes.append(f"{where[:80]}: unknown argument dropped")
        return repaired

    def _repair(self, value: Any, schema: Mapping[str, Any], path: str) -> Any:
        if isinstance(value, str) and schema.get("type") == "string":  # what most arguments are
            return value
        variants = list(self._variants(schema, 0))
        types = {kind for variant in variants for kind in _types(variant)}
        if not types or path.count(".") + path.count("[") > _MAX_DEPTH:
            return value
        if isinstance(value, str) and "string" not in types:
            value = self._unquote(value, types, path)
        if value is None and "null" not in types:
            return _MISSING
        if isinstance(value, float) and value.is_integer() and "integer" in types and "number" not in types:
            return int(value)
        return self._repair_nested(value, variants, path)

    def _unquote(self, value: str, types: set[str], path: str) -> Any:
        try:
            loaded = load_json(value)
        except ValueError:
            return value
        if not _fits(loaded, types):
            return value
        self._notes.append(f"{path[:80]}: text read as {_type_of(loaded)}")
        return loaded

    def _repair_nested(self, value: Any, variants: list[Mapping[str, Any]], path: str) -> Any:
        """Repair the items of an array or object, unless several variants match it."""
        fitting = [variant for variant in variants if _type_of(value) in _types(variant)]
        if len(fitting) != 1:
            return value
        if isinstance(value, Mapping):
            return self.repair_object(value, fitting[0], path)
        items = fitting[0].get("items")
        if isinstance(value, list) and isinstance(items, Mapping):
            repaired = [self._repair(item, items, f"{path}[{index}]") for index, item in enumerate(value)]
            return [old if new is _MISSING else new for old, new in zip(value, repaired, strict=True)]
        return value

    def _variants(self, schema: Any, depth: int) -> Iterator[Mapping[str, Any]]:
        """The schemas that a value may match, with references and unions resolved."""
        if not isinstance(schema, Mapping) or depth > _MAX_DEPTH:
            return
        if "$ref" in schema:
            yield from self._variants(self._refer(str(schema["$ref"])), depth + 1)
            return
        parts = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
        if not parts:
            yield schema
            return
        for part in parts:
            yield from self._variants(part, depth + 1)

    def _refer(self, pointer: str) -> Any:
        found: Any = self._root
        for step in pointer.removeprefix("#/").split("/"):
            found = found.get(step) if isinstance(found, Mapping) else None
        return found


def _types(schema: Mapping[str, Any]) -> set[str]:
    declared = schema.get("type")
    if isinstance(declared, str):
        return {declared}
    if isinstance(declared, list):
        return set(declared)
    allowed = schema.get("enum", [schema["const"]] if "const" in schema else [])
    return {_type_of(value) for value in allowed}
