"""The system prompt, derived from the installed plugins."""

from __future__ import annotations

from dataclasses import replace

from promptvision.agent.planning.prompt import system_prompt
from promptvision.testing.agents import make_registry
from promptvision.tools import operations
from promptvision.tools.requirements import Requirements
from promptvision.tools.tool import Tool

UNAVAILABLE = Requirements(binaries={"no-such-program": "apt-get install it"})


def prompt_of(tools: list[Tool]) -> str:
    registry = make_registry(tools)
    return system_prompt(registry.functions(), registry.unavailable())


def test_what_can_run_is_listed_with_its_limits(tools: list[Tool]) -> None:
    prompt = prompt_of([replace(one, limits="Slow.") for one in tools])
    for name in ("convert_to_bw", "detect_objects", "inpaint_image", "segment_objects"):
        assert f"\n- {name}: " in prompt
    assert prompt.count("Limits: Slow.") == 4
    assert "cannot run here" not in prompt


def test_what_cannot_run_is_one_line_with_the_fix_and_costs_nothing_elsewhere(tools: list[Tool]) -> None:
    reader = Tool(name="reader", operation=operations.EXTRACT_TEXT, run="nowhere:run", requires=UNAVAILABLE)
    with_it, without = prompt_of([*tools, reader]).split("\n"), prompt_of(tools).split("\n")
    further = [line for line in with_it if line not in without]
    assert further[1:] == [
        "- extract_text: Read the printed text in an image (OCR). Missing: tool 'reader': program "
        "'no-such-program' is not on the PATH; apt-get install it"
    ]
    assert "Do not call them" in further[0]
    assert len(with_it) == len(without) + 3, "a heading, a line and an empty line"


def test_prompt_is_the_same_for_the_same_plugins(tools: list[Tool]) -> None:
    unavailable = [replace(one, requires=UNAVAILABLE) for one in tools[:2]]
    assert prompt_of([*unavailable, *tools[2:]]) == prompt_of([*tools[:1:-1], *unavailable[::-1]])


def test_nothing_that_can_run_is_listed_with_what_is_missing(tools: list[Tool]) -> None:
    prompt = prompt_of([replace(one, requires=UNAVAILABLE) for one in tools])
    assert "No function can run here." in prompt
    assert prompt.count("apt-get install it") == 4
