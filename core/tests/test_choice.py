"""Which tools can run a request, and what is said when none can."""

from __future__ import annotations

from typing import Any

import pytest

from promptvision.agent.calls.choice import accepts, declined_error, raised_by, tools_that_invert
from promptvision.errors import SetupError, ToolFailed
from promptvision.testing.agents import make_registry
from promptvision.tools import operations
from promptvision.tools.operations import ImageArgs
from promptvision.tools.requirements import Requirements
from promptvision.tools.tool import Tool
from promptvision.types import ImageRef

ARGS = ImageArgs(image_url=ImageRef("1" * 64))


def run(args: Any, context: Any) -> Any:
    raise AssertionError("these tests run no tool")


def grey(**options: Any) -> Tool:
    return Tool(name="grey", operation=operations.CONVERT_TO_BW, run=run, **options)


def test_tool_without_a_condition_accepts_everything() -> None:
    assert accepts(grey(), ARGS)
    assert not accepts(grey(accepts=lambda args: False), ARGS)


def test_a_condition_that_raises_becomes_one_line_with_the_name_of_the_tool() -> None:
    def raises(args: Any) -> bool:
        raise KeyError("colour\nand more")

    with pytest.raises(ToolFailed, match="tool 'grey': accepts: KeyError"):
        accepts(grey(accepts=raises), ARGS)


def test_only_the_first_line_of_what_a_tool_raised_is_shown() -> None:
    error = raised_by(grey(), ValueError("first\nsecond"))
    assert str(error).endswith("tool 'grey': ValueError: first")


def test_everything_except_a_thing_needs_a_tool_that_inverts() -> None:
    plain = Tool(name="plain", operation=operations.SEGMENT, run=run)
    inverting = Tool(name="inverting", operation=operations.SEGMENT, run=run, takes_complements=True)
    everything = {"target": "everything except the lion"}
    assert tools_that_invert([plain, inverting], {"target": "the lion"}) == [plain, inverting]
    assert tools_that_invert([plain, inverting], everything) == [inverting]
    with pytest.raises(ToolFailed, match="segment_objects: cannot act on 'everything except the lion'"):
        tools_that_invert([plain], everything)


def test_declined_arguments_name_the_limits_and_what_to_install() -> None:
    here = grey(limits="It takes colour images only.", accepts=lambda args: False)
    registry = make_registry([here])
    error = declined_error(registry, "convert_to_bw", registry.runnable("convert_to_bw"))
    assert isinstance(error, ToolFailed)
    assert "It takes colour images only." in str(error)
    absent = Tool(
        name="better",
        operation=operations.CONVERT_TO_BW,
        run=run,
        requires=Requirements(modules={"no_such_module": "install it"}),
    )
    registry = make_registry([here, absent])
    error = declined_error(registry, "convert_to_bw", registry.runnable("convert_to_bw"))
    assert isinstance(error, SetupError)
    assert "tool 'better'" in str(error)
    assert "no_such_module" in str(error)
