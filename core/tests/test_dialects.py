from __future__ import annotations

import copy
from typing import Any

import pytest

from promptvision.llm.dialects import Dialect, allow_types, plain, strict
from promptvision.tools import operations

ALL = [operation.args.model_json_schema() for operation in operations.ALL]
SCHEMA: dict[str, Any] = {
    "type": "object",
    "$defs": {"Size": {"type": "object", "properties": {"w": {"type": "integer"}}, "required": ["w"]}},
    "properties": {
        "image_url": {"type": "string", "minLength": 1, "description": "The image."},
        "steps": {"type": "integer", "minimum": 1, "default": 28, "description": "Steps."},
        "seed": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None},
        "mode": {"enum": ["a", "b"], "type": "string", "default": "a"},
        "size": {"$ref": "#/$defs/Size", "description": "How large."},
    },
    "required": ["image_url", "size"],
    "additionalProperties": False,
}


def walk(node: Any) -> list[dict[str, Any]]:
    """All objects in a schema."""
    if isinstance(node, list):
        return [found for item in node for found in walk(item)]
    if not isinstance(node, dict):
        return []
    return [node, *(found for item in node.values() for found in walk(item))]


def test_strict_field_by_field() -> None:
    wire = strict(SCHEMA)
    assert wire["strict"] is True
    assert wire["parameters"]["required"] == ["image_url", "steps", "seed", "mode", "size"]
    assert wire["parameters"]["properties"] == {
        "image_url": {"type": "string", "description": "The image."},
        "steps": {
            "anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}],
            "description": "Steps. Default 28.",
        },
        "seed": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "mode": {
            "anyOf": [{"enum": ["a", "b"], "type": "string"}, {"type": "null"}],
            "description": 'Default "a".',
        },
        "size": {"anyOf": [{"$ref": "#/$defs/Size"}], "description": "How large."},
    }
    assert wire["parameters"]["$defs"]["Size"]["additionalProperties"] is False


@pytest.mark.parametrize("schema", [SCHEMA, *ALL])
def test_strict_keeps_the_rules_of_the_mode_everywhere(schema: dict[str, Any]) -> None:
    for node in walk(strict(schema)["parameters"]):
        assert "$ref" not in node or len(node) == 1
        assert "default" not in node
        if node.get("type") == "object":
            assert node["additionalProperties"] is False
            assert node["required"] == list(node["properties"])


@pytest.mark.parametrize(
    "field",
    [{"type": "object"}, {"type": "object", "additionalProperties": True}, {"type": "array", "items": True}],
)
def test_what_strict_mode_cannot_express_is_sent_as_declared(field: dict[str, Any]) -> None:
    schema = {"type": "object", "properties": {"a": field}, "required": ["a"]}
    assert strict(schema) == {"parameters": schema}


def test_allow_types_keeps_the_description_outside() -> None:
    field = {"type": "integer", "minimum": 1, "default": 28, "description": "Steps."}
    assert allow_types(field, "string", "null") == {
        "anyOf": [{"type": "integer", "minimum": 1}, {"type": "string"}, {"type": "null"}],
        "default": 28,
        "description": "Steps.",
    }


def test_allow_types_adds_no_type_twice() -> None:
    nullable = {"anyOf": [{"type": "integer"}, {"type": "null"}], "description": "Seed."}
    assert allow_types(nullable, "null") == nullable
    assert allow_types({"type": ["string", "null"]}, "string", "null") == {"type": ["string", "null"]}


@pytest.mark.parametrize("dialect", [plain, strict])
@pytest.mark.parametrize("schema", [SCHEMA, *ALL])
def test_dialects_leave_the_declared_schema_alone(schema: dict[str, Any], dialect: Dialect) -> None:
    before = copy.deepcopy(schema)
    dialect(schema)
    assert schema == before
