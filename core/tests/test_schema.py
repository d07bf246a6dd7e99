"""Function schemas: valid JSON Schema, self-contained, and what OpenAI's strict mode and Groq accept."""

from __future__ import annotations

import datetime
import json
import uuid
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, Optional

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from pydantic import BaseModel, Field, create_model

from promptvision.llm.dialects import strict
from promptvision.testing.agents import make_registry
from promptvision.tools import operations
from promptvision.tools.schema import function_parameters
from promptvision.tools.tool import Args, Operation, Tool
from promptvision.types import Box, ImageRef, ImageText, MaskRef, Point, Target

STRICT_KEYS = {
    *("type", "description", "enum", "const", "anyOf", "properties", "required", "additionalProperties"),
    *("items", "minItems", "maxItems", "pattern", "format"),
    *("multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
}
"""Keywords that OpenAI's guide to structured outputs lists as supported in strict mode."""
FORMATS = {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"}


def nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """A schema and every schema in it."""
    yield schema
    for part in (*schema.get("properties", {}).values(), *schema.get("anyOf", ()), schema.get("items")):
        if part is not None:
            yield from nodes(part)


def assert_strict(schema: dict[str, Any]) -> None:
    """The rules of the guide: one kind of union, closed objects, all fields required, known keywords."""
    Draft202012Validator.check_schema(schema)
    assert schema["type"] == "object"
    for node in nodes(schema):
        assert node.keys() <= STRICT_KEYS
        assert node.keys() & {"type", "anyOf", "enum", "const"}
        assert isinstance(node.get("description", ""), str)
        assert node.get("format", "uuid") in FORMATS
        if node.get("type") == "array":
            assert "items" in node
        if "properties" in node or node.get("type") == "object":
            assert node["additionalProperties"] is False
            assert sorted(node["required"]) == sorted(node["properties"])


def assert_plain(schema: dict[str, Any]) -> None:
    """What every host is sent, whatever its dialect: self-contained, closed, each field described."""
    Draft202012Validator.check_schema(schema)
    text = json.dumps(schema)
    assert "$ref" not in text
    assert "$defs" not in text
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) <= set(schema["properties"])
    assert all(isinstance(field["description"], str) for field in schema["properties"].values())
    assert all(field.get("default", 0) is not None for field in schema["properties"].values())


class Colour(Enum):
    """A colour."""

    RED = "red"
    BLUE = "blue"


class Inner(BaseModel):
    """Part of something."""

    title: str
    amount: int = 3


class Left(BaseModel):
    kind: Literal["left"]
    x: int


class Right(BaseModel):
    kind: Literal["right"]
    y: str


LEAVES = st.sampled_from(
    [
        *(str, int, float, bool, Colour, Inner, ImageRef, MaskRef, Box, Point, Target, ImageText),
        *(datetime.date, datetime.datetime, uuid.UUID, Path),
        Literal["a", "b"],
        Annotated[int, Field(ge=0, lt=9, multiple_of=2)],
        Annotated[str, Field(min_length=1, max_length=9, pattern="^a+$")],
        Annotated[Left | Right, Field(discriminator="kind")],
    ]
)


def list_of(kind: Any) -> Any:
    return list[kind]


def pair_of(kinds: tuple[Any, Any]) -> Any:
    first, second = kinds
    return tuple[first, second]  # type: ignore[valid-type]


def model_of(fields: dict[str, Any]) -> Any:
    definitions: dict[str, Any] = {name: (kind, ...) for name, kind in fields.items()}
    return create_model("Made", **definitions)


def nested(types: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        types.map(list_of),
        st.tuples(types, types).map(pair_of),
        st.sampled_from([set[str], frozenset[int]]),
        st.dictionaries(NAMES, types, min_size=1, max_size=3).map(model_of),
    )


NAMES = st.sampled_from(
    ["a", "title", "default", "items", "properties", "required", "enum", "type", "format"]
)
TYPES = st.recursive(LEAVES, nested, max_leaves=5)


@st.composite
def argument_models(draw: st.DrawFn) -> type[Args]:
    fields: dict[str, Any] = {}
    for name in draw(st.lists(NAMES, unique=True, max_size=5)):
        kind = draw(TYPES)
        may_be_none = draw(st.booleans())
        fields[name] = (Optional[kind], None) if may_be_none else (kind, ...)  # noqa: UP045  # kind is a value
    return create_model("Generated", __base__=Args, **fields)


@settings(max_examples=60, deadline=None)
@given(argument_models(), st.data())
def test_any_argument_model_gives_a_schema_that_hosts_accept(model: type[Args], data: st.DataObject) -> None:
    names = sorted(model.model_fields)
    optional = data.draw(st.sets(st.sampled_from(names)) if names else st.just(set()))
    schema = function_parameters(model, optional)
    assert_plain(schema)
    assert set(schema["properties"]) == set(names)
    assert not optional & set(schema["required"])
    wire = strict(schema)
    assert wire["strict"] is True
    assert_strict(wire["parameters"])


@pytest.mark.parametrize("operation", operations.ALL, ids=lambda operation: operation.name)
def test_operations_are_accepted(operation: Operation) -> None:
    schema = function_parameters(operation.args)
    assert_plain(schema)
    assert_strict(strict(schema)["parameters"])


def test_functions_that_the_planner_is_shown_are_accepted(tools: list[Tool]) -> None:
    functions = make_registry(tools).functions()
    assert functions
    for function in functions:
        assert_plain(function.parameters)
        assert_strict(strict(function.parameters)["parameters"])


def test_model_without_arguments_is_an_empty_object() -> None:
    assert function_parameters(Args) == {
        "type": "object",
        "properties": {},
        "required": [],
        "additionalProperties": False,
    }


def test_field_named_like_a_keyword_survives() -> None:
    model = create_model("Odd", __base__=Args, title=(str, ...), format=(Inner, ...))
    schema = function_parameters(model)
    assert schema["properties"]["title"]["type"] == "string"
    assert list(schema["properties"]["format"]["properties"]) == ["title", "amount"]


def test_lone_null_default_is_dropped_and_others_stay() -> None:
    model = create_model("M", __base__=Args, a=(int | None, None), b=(int, 0), c=(str, ""))
    fields = function_parameters(model)["properties"]
    assert "default" not in fields["a"]
    assert (fields["b"]["default"], fields["c"]["default"]) == (0, "")


def test_default_that_looks_like_a_schema_is_left_as_it_is() -> None:
    value = {"title": "x", "format": "path", "default": None}
    model = create_model("M", __base__=Args, a=(dict[str, Any], value))
    assert function_parameters(model)["properties"]["a"]["default"] == value


def test_free_object_keeps_its_meaning_and_is_sent_without_strict() -> None:
    model = create_model("M", __base__=Args, counts=(dict[str, int], ...))
    schema = function_parameters(model)
    assert schema["properties"]["counts"]["additionalProperties"] == {"type": "integer"}
    assert "strict" not in strict(schema)


def test_value_of_any_type_is_sent_without_strict() -> None:
    for kind in (Any, list[Any], list):
        model = create_model("M", __base__=Args, value=(kind, ...))
        assert "strict" not in strict(function_parameters(model))


def test_tuple_has_items_of_each_kind() -> None:
    model = create_model("M", __base__=Args, pair=(tuple[int, str], ...), same=(tuple[int, int], ...))
    fields = function_parameters(model)["properties"]
    assert fields["pair"]["items"] == {"anyOf": [{"type": "integer"}, {"type": "string"}]}
    assert fields["same"]["items"] == {"type": "integer"}
    assert (fields["same"]["minItems"], fields["same"]["maxItems"]) == (2, 2)


def test_model_that_refers_to_itself_is_refused() -> None:
    class Tree(Args):
        children: list[Tree] = Field(default_factory=list)

    Tree.model_rebuild(_types_namespace={"Tree": Tree})
    with pytest.raises(ValueError, match="must not refer to themselves"):
        function_parameters(Tree)
