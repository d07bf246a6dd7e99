from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptvision.errors import ArgumentsError
from promptvision.llm.repair import MAX_CHARS, repair_arguments
from promptvision.tools import operations

SEGMENT = operations.SEGMENT.args.model_json_schema()
INPAINT = operations.INPAINT.args.model_json_schema()
MIXED: dict[str, Any] = {
    "type": "object",
    "$defs": {"Size": {"type": "object", "properties": {"w": {"type": "integer"}}, "required": ["w"]}},
    "properties": {
        "n": {"type": "integer"},
        "x": {"type": "number"},
        "flag": {"type": "boolean"},
        "text": {"type": "string"},
        "size": {"$ref": "#/$defs/Size"},
        "maybe": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "level": {"enum": [1, 2, 3]},
        "free": {"type": "object", "additionalProperties": True},
        "either": {"type": ["integer", "string"]},
    },
}


@pytest.mark.parametrize("raw", ["", "  ", "null", '""', '"null"', "{}", '"{}"', {}])
def test_nothing_means_no_arguments(raw: Any) -> None:
    assert repair_arguments(raw, MIXED) == ({}, [])


def test_json_quoted_twice_is_loaded_twice() -> None:
    assert repair_arguments(json.dumps('{"n": 3}'), MIXED) == ({"n": 3}, [])


@pytest.mark.parametrize(
    ("field", "written", "meant"),
    [
        ("n", "20", 20),
        ("n", "20.0", 20),
        ("n", 120000.0, 120000),
        ("x", "0.5", 0.5),
        ("x", "3", 3),
        ("x", 3.0, 3.0),
        ("flag", "true", True),
        ("size", '{"w": "4"}', {"w": 4}),
        ("maybe", "7", 7),
        ("maybe", None, None),
        ("maybe", "null", None),
        ("level", "2", 2),
        ("free", '{"any": "1"}', {"any": "1"}),
        # Valid and irreparable values are unchanged: pydantic reports what is wrong.
        ("text", "20", "20"),
        ("text", "null", "null"),
        ("either", "20", "20"),
        ("n", "2.5", "2.5"),
        ("n", 2.5, 2.5),
        ("n", "many", "many"),
        ("flag", "1", "1"),
        ("x", "NaN", "NaN"),
        ("x", [1], [1]),
    ],
)
def test_field_is_coerced_to_its_declared_type(field: str, written: Any, meant: Any) -> None:
    arguments, _ = repair_arguments({field: written}, MIXED)
    assert arguments == {field: meant}
    assert type(arguments[field]) is type(meant)


def test_boxes_as_text_become_boxes() -> None:
    arguments, notes = repair_arguments(
        '{"image_url": "img_1", "bounding_boxes": "[[1, 2, 3, 4], \\"[5,6,7,8]\\"]"}', SEGMENT
    )
    assert arguments["bounding_boxes"] == [[1, 2, 3, 4], [5, 6, 7, 8]]
    assert notes == ["bounding_boxes: text read as array", "bounding_boxes[1]: text read as array"]


def test_null_is_left_out_where_it_is_not_allowed_so_that_the_default_holds() -> None:
    arguments, notes = repair_arguments({"steps": None, "strength": "null", "seed": None}, INPAINT)
    assert arguments == {"seed": None}
    assert notes == ["strength: text read as null"]


def test_unknown_arguments_are_dropped_and_noted() -> None:
    assert repair_arguments({"n": 1, "depth": 9, "size": {"w": 1, "h": 2}}, MIXED) == (
        {"n": 1, "size": {"w": 1}},
        ["depth: unknown argument dropped", "size.h: unknown argument dropped"],
    )


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ('{"n": 1', "not valid JSON"),
        ("{n: 1}", "not valid JSON"),
        ('{"n": NaN}', "NaN is not allowed"),
        ("[" * 100_000, "not valid JSON"),
        (" " * MAX_CHARS + "{}", "longer than"),
        ('{"n": ' + "9" * 5000 + "}", "not valid JSON"),
        ('{"x": 1e999}', "1e999 is too large"),
        ("[1, 2]", "must be one JSON object, not array"),
        ("7", "must be one JSON object, not integer"),
        ('"find the lion"', "not valid JSON"),
    ],
)
def test_non_object_is_refused_in_one_line(raw: str, says: str) -> None:
    with pytest.raises(ArgumentsError, match=says) as caught:
        repair_arguments(raw, MIXED)
    assert len(caught.value.problems) == 1
    assert "\n" not in str(caught.value)


TEXT = st.text(st.sampled_from('ab01.-"\\{}[]:, \n\0é\ud800'), max_size=30)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from([*MIXED["properties"], "other"])
SCHEMAS = st.sampled_from([MIXED, SEGMENT, INPAINT])


@given(st.dictionaries(FIELDS, JSON | JSON.map(json.dumps)))
def test_repairing_twice_changes_nothing_more(raw: dict[str, Any]) -> None:
    once, _ = repair_arguments(json.dumps(raw), MIXED)
    assert repair_arguments(once, MIXED) == (once, [])


@given(TEXT | JSON.map(json.dumps), SCHEMAS)
def test_any_text_gives_known_arguments_or_one_arguments_error(raw: str, schema: dict[str, Any]) -> None:
    try:
        arguments, _ = repair_arguments(raw, schema)
    except ArgumentsError:
        return
    assert set(arguments) <= set(schema["properties"])


@given(JSON, JSON)
def test_any_schema_is_repaired_or_refused(value: Any, part: Any) -> None:
    schema = {"type": "object", "properties": {"a": {"anyOf": [{"$ref": "#/properties/a"}, part]}}}
    arguments, _ = repair_arguments({"a": value}, schema)
    assert set(arguments) <= {"a"}
