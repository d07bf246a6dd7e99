from __future__ import annotations

import json
from typing import Any

import pytest

from promptvision.builtin.planner.antecedents import Earlier, earlier_calls, with_antecedents
from promptvision.builtin.planner.phrases import Match
from promptvision.llm.messages import Message, ToolCall
from promptvision.llm.planner import PlannerFunction

PAINT = PlannerFunction(name="paint", description="", parameters={}, target="what")
READ = PlannerFunction(name="read", description="", parameters={})


def called(number: int, name: str, arguments: dict[str, Any] | str, result: str) -> list[Message]:
    call = ToolCall(id=f"c{number}", name=name, arguments=arguments)
    return [
        Message(role="assistant", tool_calls=(call,)),
        Message(role="tool", content=result, tool_call_id=call.id, name=name),
    ]


def match(target: str | None, *, is_follow_up: bool = False) -> Match:
    arguments = (() if target is None else (("what", target),)) + (("prompt", "blue"),)
    return Match(PAINT, arguments, 5, is_follow_up=is_follow_up)


def test_calls_about_things_are_read_newest_first() -> None:
    messages = [
        *called(1, "paint", {"what": "red ball"}, '{"success": true}'),
        *called(2, "read", {}, '{"success": true}'),
        *called(3, "paint", '{"prompt": "blue"}', '{"success": false, "error": "no"}'),
        *called(4, "paint", {"what": "cone"}, json.dumps({"success": True, "bounding_boxes": []})),
        *called(5, "paint", "not json", "cut o"),
    ]
    assert list(earlier_calls(messages, [PAINT, READ])) == [
        Earlier(None, True),
        Earlier("cone", False),
        Earlier(None, False),
        Earlier("red ball", True),
    ]


def test_it_after_a_failure_is_what_could_not_be_found() -> None:
    (read,) = with_antecedents([match(None, is_follow_up=True)], [Earlier("orange flower", False)])
    assert read.arguments == (("what", "orange flower"), ("prompt", "blue"))
    assert not read.is_follow_up


def test_it_after_a_success_is_resolved_by_the_core() -> None:
    follow_up = match(None, is_follow_up=True)
    assert with_antecedents([follow_up], [Earlier("red ball", True), Earlier("cone", False)]) == [follow_up]
    assert with_antecedents([follow_up], []) == [follow_up]


@pytest.mark.parametrize(
    ("target", "named", "expected"),
    [
        ("left one", "red balls", "left red ball"),
        ("two largest ones", "the red ball", "two largest red balls"),
        ("darker one", "blue boxes", "darker blue box"),
        ("red one", "balls", "red one"),
        ("left one", "ball. box", "left one"),
        ("left ball", "boxes", "left ball"),
    ],
)
def test_one_takes_the_noun_of_the_last_call(target: str, named: str, expected: str) -> None:
    (read,) = with_antecedents([match(target)], [Earlier(None, True), Earlier(named, True)])
    assert dict(read.arguments)["what"] == expected
