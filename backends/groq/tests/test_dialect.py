from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from promptvision.plugin import operations
from promptvision_groq.dialect import lenient

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "image_url": {"type": "string", "minLength": 1, "description": "The image."},
        "steps": {"type": "integer", "minimum": 1, "default": 28, "description": "Steps."},
        "mode": {"enum": ["a", "b"], "type": "string", "default": "a"},
    },
    "required": ["image_url"],
    "additionalProperties": False,
}
TYPES = st.sampled_from(["string", "integer", "number", "boolean", "array", "object", "null"])
FIELDS: st.SearchStrategy[dict[str, Any]] = st.one_of(
    TYPES.map(lambda kind: {"type": kind}),
    st.lists(TYPES, min_size=1, unique=True).map(lambda kinds: {"type": kinds}),
    st.lists(TYPES, min_size=1, unique=True).map(lambda kinds: {"anyOf": [{"type": kind} for kind in kinds]}),
)


def test_text_null_and_unknown_fields_are_accepted() -> None:
    parameters = lenient(SCHEMA)["parameters"]
    assert "additionalProperties" not in parameters
    assert parameters["required"] == SCHEMA["required"]
    assert parameters["properties"]["image_url"] == SCHEMA["properties"]["image_url"]
    assert parameters["properties"]["steps"] == {
        "anyOf": [{"type": "integer", "minimum": 1}, {"type": "string"}, {"type": "null"}],
        "default": 28,
        "description": "Steps.",
    }


@pytest.mark.parametrize("schema", [SCHEMA, *(one.args.model_json_schema() for one in operations.ALL)])
def test_declared_schema_is_not_changed(schema: dict[str, Any]) -> None:
    before = copy.deepcopy(schema)
    Draft202012Validator.check_schema(lenient(schema)["parameters"])
    assert schema == before


@given(st.dictionaries(st.text(min_size=1), FIELDS), st.data())
def test_every_optional_field_accepts_text_and_null(fields: dict[str, Any], data: st.DataObject) -> None:
    required = data.draw(st.lists(st.sampled_from(sorted(fields)), unique=True) if fields else st.just([]))
    schema = lenient({"type": "object", "properties": fields, "required": required})["parameters"]
    validator = Draft202012Validator(schema)
    assert validator.is_valid(dict.fromkeys(fields, "7") | {"unknown": 1})
    assert validator.is_valid({name: "7" if name in required else None for name in fields})
