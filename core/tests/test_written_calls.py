from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptvision.llm.repair import repair_arguments
from promptvision.llm.written_calls import looks_like_call, parse_written_calls
from promptvision.testing.llm_faults import FAILED_GENERATIONS, failed_generation

ARGUMENTS = {"image_url": "img_1", "prompt": 'the "big" lion } {', "boxes": [[1, 2, 3, 4]]}
SCHEMA: dict[str, Any] = {"type": "object", "properties": {name: {} for name in ARGUMENTS}}
CALL_SHAPES = [shape for shape in FAILED_GENERATIONS if shape not in ("prose", "absent")]


@pytest.mark.parametrize("shape", CALL_SHAPES)
def test_shape_becomes_the_call_that_was_meant(shape: str) -> None:
    meant = parse_written_calls(failed_generation(shape, "detect_objects", ARGUMENTS))
    (call,) = meant.calls
    assert call.name == "detect_objects"
    assert repair_arguments(call.arguments, SCHEMA) == (ARGUMENTS, [])
    assert meant.prose == ""


@pytest.mark.parametrize(
    ("text", "name", "arguments"),
    [
        ('<function=find>{"q": "x", "n": "5"}</function>', "find", {"q": "x", "n": "5"}),
        ('<function=find{"q": "x"},-----', "find", {"q": "x"}),
        ('<function=find={"q": "x"}></function>', "find", {"q": "x"}),
        ('<function(find)>{"q": "x"}', "find", {"q": "x"}),
        ('<function="find">{"q": "x"}</function>', "find", {"q": "x"}),
        ('I will look.\n<function=find>{"q": "x"}</function>', "find", {"q": "x"}),
        ("<function=find></function>", "find", ""),
        ("<function=find>", "find", ""),
        ('find{"q": "x"}</function>', "find", {"q": "x"}),
        ('find({"q": "x"})', "find", {"q": "x"}),
        ('{"tool_calls":[{"function":{"name":"find"},"parameters":{"q":"x"}}]}', "find", {"q": "x"}),
        ('{"tool_calls":[{"function":"find","parameters":{"q":"x"}}]}', "find", {"q": "x"}),
        ('```\n{"type": "function", "name": "find", "parameters": {"q": "x"}}\n```', "find", {"q": "x"}),
        ('<tool_call>\n{"name": "find", "arguments": {"q": "x"}}\n</tool_call>', "find", {"q": "x"}),
        ('<|python_tag|>{"name": "find", "parameters": {"q": "x"}}', "find", {"q": "x"}),
        ('Here: [{"name": "find", "arguments": {"q": "x"}}]', "find", {"q": "x"}),
        ('{"name": "brave.search", "arguments": "{\\"q\\": \\"x\\"}"}', "brave.search", '{"q": "x"}'),
        ('{"name": "find", "arguments": null}', "find", ""),
    ],
)
def test_variants_written_by_real_models(text: str, name: str, arguments: object) -> None:
    assert [(call.name, call.arguments) for call in parse_written_calls(text).calls] == [(name, arguments)]


@pytest.mark.parametrize(
    "text",
    [
        '<function=find>{"q": 1}</function><function=show>{"q": 2}</function>',
        '{"tool_calls": [{"name": "find", "arguments": {"q": 1}}, {"name": "show", "arguments": {"q": 2}}]}',
        '{"name": "find", "arguments": {"q": 1}}; {"name": "show", "arguments": {"q": 2}}',
    ],
)
def test_several_calls_keep_their_order_and_get_ids_of_their_own(text: str) -> None:
    calls = parse_written_calls(text).calls
    assert [(call.name, call.arguments) for call in calls] == [("find", {"q": 1}), ("show", {"q": 2})]
    assert calls[0].id != calls[1].id


@pytest.mark.parametrize(
    "text",
    [
        "There are two lions.",
        "The size (in pixels) is {640, 480}.",
        'A {"colour": "red"} thing, as JSON says.',
    ],
)
def test_prose_is_an_answer(text: str) -> None:
    meant = parse_written_calls(f"  {text}\n")
    assert (meant.calls, meant.prose) == ((), text)


@pytest.mark.parametrize(
    "text",
    [
        None,
        7,
        "",
        "  \n",
        '<function=find>{"q": "x"',
        "<function=fin",
        '{"tool_calls": [{"function": {"name": "find"}, "par',
        'I call "tool_calls" now',
        '{"name": "find"}',
        '{"colour": "red"}',
        "```json\nnothing\n```",
        "<tool-use>find the lion</tool-use>",
        '{"name": "find", "arguments": {"x": NaN}}',
        '{"name": "find", "arguments": {"x": 1e999}}',
    ],
)
def test_unreadable_text_is_neither_call_nor_answer(text: object) -> None:
    meant = parse_written_calls(text)
    assert (meant.calls, meant.prose) == ((), "")


@pytest.mark.parametrize(
    ("text", "is_call"),
    [
        ("<function=find>", True),
        (' ```json\n{"tool_calls": []}', True),
        ("<tool_call>{}", True),
        ("The <function=find> tag is text.", False),
        ("A lion.", False),
        ('{"name": "Leo"}', False),
    ],
)
def test_looks_like_call_only_where_the_text_begins_with_one(text: str, is_call: bool) -> None:
    assert looks_like_call(text) is is_call


FRAMES = [
    "<function=",
    "</function>",
    "find",
    ">",
    "{",
    "}",
    "[",
    "]",
    '"',
    "\\",
    ", ",
    " ",
    "```json\n",
    "<tool-use>",
]
FIELDS = ['"q": ', '"name": "find"', '"arguments": ', '"tool_calls": ', '{"function": ', "1e999", "\x00"]
PIECES = st.sampled_from([*FRAMES, *FIELDS])


@given(st.lists(PIECES, max_size=60).map("".join))
def test_anything_is_read_without_an_error(text: str) -> None:
    meant = parse_written_calls(text)
    assert len(meant.calls) <= 16
    assert not (meant.calls and meant.prose)
    for call in meant.calls:
        assert call.name
        assert isinstance(call.arguments, str) or json.dumps(dict(call.arguments))


@pytest.mark.parametrize(
    "unit",
    [
        "{",
        "[",
        '{"a":',
        "<function=f>",
        "<function=f>{",
        "<function=f",
        "f{",
        '{"name":"f","arguments":{}}',
        " ",
    ],
)
def test_hostile_lengths_take_no_time(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))
    started = time.process_time()
    assert len(parse_written_calls(text).calls) <= 16
    assert time.process_time() - started < 1.0
