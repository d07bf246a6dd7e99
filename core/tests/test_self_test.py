"""Running each tool once on a sample image."""

from __future__ import annotations

import pytest

from promptvision.cli.self_test import check_tools
from promptvision.errors import ToolFailed
from promptvision.testing.agents import make_registry
from promptvision.tools import operations
from promptvision.tools.context import ToolContext
from promptvision.tools.operations import ImageArgs
from promptvision.tools.tool import Operation, Result, Tool
from promptvision.types import ImageRef


def test_each_tool_runs_with_arguments_that_are_made_up(
    tools: list[Tool], capsys: pytest.CaptureFixture[str]
) -> None:
    made = check_tools(make_registry(tools), tools)
    assert [(one.tool, one.is_ok) for one in made] == [(tool.name, True) for tool in tools]
    assert all(one.seconds >= 0 for one in made)
    assert f"  {tools[0].name}: works" in capsys.readouterr().err


def broken(args: ImageArgs, context: ToolContext) -> operations.BwResult:
    raise ToolFailed("the weights are damaged")


def test_a_failing_tool_is_reported_with_its_reason(
    tools: list[Tool], capsys: pytest.CaptureFixture[str]
) -> None:
    bad = Tool(name="bad", operation=operations.CONVERT_TO_BW, run=broken)
    made = check_tools(make_registry([*tools, bad]), [bad, tools[0]])
    assert [(one.tool, one.is_ok) for one in made] == [("bad", False), (tools[0].name, True)]
    assert "  bad: failed: the weights are damaged" in capsys.readouterr().err


class OddArgs(ImageArgs):
    numbers: list[int]


class OddResult(Result):
    odd_image_url: ImageRef


def never(args: OddArgs, context: ToolContext) -> OddResult:
    raise AssertionError("it must not run")


def test_a_tool_whose_arguments_cannot_be_made_up_is_not_run() -> None:
    odd = Tool(
        name="odd",
        operation=Operation(name="be_odd", description="Do something odd.", args=OddArgs, result=OddResult),
        run=never,
    )
    (made,) = check_tools(make_registry([odd]), [odd])
    assert (made.is_ok, made.message) == (True, "not run: it needs arguments that cannot be made up")
