"""The functions of a request: all callable, within the budget, with schemas where the words point."""

from __future__ import annotations

import json
from typing import Any

import pytest

from promptvision.llm.brevity import FUNCTION_TOKENS, brief_schema, functions_on_the_wire
from promptvision.llm.dialects import Dialect, plain, strict
from promptvision.llm.messages import Function, Message, ToolCall
from promptvision.llm.planner import PlannerFunction
from promptvision.testing.agents import make_registry
from promptvision.tools import operations
from promptvision.tools.tool import Phrase, Tool
from promptvision_basics.plugin import promptvision_tools

CORE = [
    Tool(name=f"t_{made.name}", operation=made, run="nowhere:run", limits="Slow.") for made in operations.ALL
]
ALL = make_registry([*CORE, *promptvision_tools()]).functions()


def sent(
    *words: str,
    functions: Any = ALL,
    dialect: Dialect = plain,
    budget_tokens: int = FUNCTION_TOKENS,
    called: str = "",
) -> dict[str, dict[str, Any]]:
    """Name to the function on the wire."""
    messages = [Message(role="user", content=text) for text in words]
    if called:
        call = ToolCall(id="1", name=called, arguments="{}")
        messages.append(Message(role="assistant", content="", tool_calls=(call,)))
    tools = functions_on_the_wire(functions, messages, dialect, budget_tokens)
    assert {tool["type"] for tool in tools} == {"function"}
    return {tool["function"]["name"]: tool["function"] for tool in tools}


def has_schema(function: dict[str, Any]) -> bool:
    return bool(function["parameters"]["properties"])


def tokens(functions: dict[str, dict[str, Any]]) -> float:
    whole = [{"type": "function", "function": function} for function in functions.values()]
    return len(json.dumps(whole, ensure_ascii=False, separators=(",", ":"))) / 4


@pytest.mark.parametrize("dialect", [plain, strict])
@pytest.mark.parametrize("words", ["crop it to 16:9 and make it brighter", "hello", ""])
def test_all_functions_are_there_and_within_the_budget(words: str, dialect: Dialect) -> None:
    functions = sent(words, dialect=dialect)
    assert list(functions) == [function.name for function in ALL]
    assert tokens(functions) < FUNCTION_TOKENS + 20


ROOM = int(tokens(sent("", budget_tokens=0))) + 500
"""Enough for the schemas of about three functions."""


def test_functions_that_the_words_point_at_have_their_schemas() -> None:
    functions = sent("crop it to 16:9 and make it brighter", budget_tokens=ROOM)
    assert has_schema(functions["crop_image"])
    assert has_schema(functions["adjust_image"])
    assert not has_schema(functions["combine_images"])
    assert has_schema(sent("把图片旋转90度", budget_tokens=ROOM)["rotate_image"])


def test_function_without_a_schema_names_its_arguments_and_takes_any() -> None:
    function = sent("hello", budget_tokens=0)["blur_image"]
    assert function["parameters"] == {"type": "object", "properties": {}, "additionalProperties": True}
    assert (
        "Arguments: image_url, target, keep_target, style (blur|pixelate|solid), " in function["description"]
    )
    assert "strict" not in sent("hello", budget_tokens=0, dialect=strict)["blur_image"]


def test_everything_has_its_schema_where_it_fits() -> None:
    assert all(map(has_schema, sent("hello", functions=ALL[:5]).values()))


def test_functions_called_before_and_the_last_words_count_and_older_words_do_not() -> None:
    def chosen(*words: str, **options: Any) -> bool:
        return has_schema(sent(*words, budget_tokens=ROOM, **options)["draw_text"])

    assert chosen("write hello on it")
    assert chosen("write hello on it", "a bit larger")
    assert not chosen("write hello on it", "rotate it", "flip it")
    assert chosen("write hello on it", "rotate it", "flip it", called="draw_text")


def test_limits_are_stated_in_the_system_prompt_only() -> None:
    assert any("Limits" in function.description for function in ALL)
    assert all("Limits" not in function["description"] for function in sent("hello").values())


def test_wording_counts_more_than_single_words() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "description": "x" * 400}}}
    functions = [
        PlannerFunction(name="one", description="Paint the red ball.", parameters=schema),
        PlannerFunction(
            name="two", description="Other.", parameters=schema, phrases=(Phrase("recolor {a}"),)
        ),
    ]
    found = sent("recolor the red ball", functions=functions, budget_tokens=250)
    assert [has_schema(function) for function in found.values()] == [False, True]


def test_plain_function_needs_no_phrases() -> None:
    function = Function(name="find", description="", parameters={"type": "object", "properties": {}})
    assert sent("find it", functions=[function])["find"]["description"] == "find"


def test_brief_schema_keeps_what_an_llm_reads() -> None:
    schema = {
        "type": "object",
        "additionalProperties": False,
        "required": [],
        "properties": {
            "seed": {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}], "description": "Seed."},
            "style": {"type": "string", "enum": ["a", "b"], "default": "a", "maxLength": 5},
            "boxes": {"type": "array", "minItems": 1, "items": {"type": "array", "maxItems": 4}},
            "either": {"anyOf": [{"type": "string", "pattern": "x"}, {"type": "number"}]},
            "title": {"type": "string", "title": "Title"},
        },
    }
    before = json.dumps(schema)
    assert brief_schema(schema) == {
        "type": "object",
        "properties": {
            "seed": {"type": "integer", "minimum": 0, "description": "Seed."},
            "style": {"type": "string", "enum": ["a", "b"], "default": "a"},
            "boxes": {"type": "array", "items": {"type": "array"}},
            "either": {"anyOf": [{"type": "string"}, {"type": "number"}]},
            "title": {"type": "string"},
        },
    }
    assert json.dumps(schema) == before
