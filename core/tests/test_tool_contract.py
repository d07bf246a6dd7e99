"""The tool contract finds planted faults, each by the test that is named after it."""

from __future__ import annotations

import os
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from promptvision.testing import ToolContract
from promptvision.tools.decorator import ToolLike, tool
from promptvision.tools.requirements import Requirements
from promptvision.tools.tool import Tool


@tool
def good(image: Image.Image, levels: int = 2) -> Image.Image:
    """Reduce an image to few levels.

    Args:
        levels: how many grey values become one.
    """
    return image.convert("L").point(lambda value: value // levels * levels)


class TestGoodTool(ToolContract):
    tool = good
    plugin_module = "promptvision.builtin.plugin"


def contract(made: ToolLike, module: str = "promptvision.builtin.plugin") -> ToolContract:
    class Planted(ToolContract):
        tool = made
        plugin_module = module

    return Planted()


def test_short_description_is_found() -> None:
    @tool
    def brief(image: Image.Image) -> Image.Image:
        """Edit."""
        return image

    with pytest.raises(AssertionError, match="a word, not a sentence"):
        contract(brief).test_every_argument_is_described()


def test_open_object_is_found() -> None:
    @tool
    def loose(image: Image.Image, options: dict[str, Any]) -> Image.Image:
        """Edit with options."""
        return image

    with pytest.raises(AssertionError, match="accepts any member"):
        contract(loose).test_schema_is_closed()


@pytest.mark.parametrize("statement", ["import sqlite3, httpx", "print('hello')", "raise OSError('no')"])
def test_module_with_side_effects_is_found(
    statement: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "planted_plugin.py").write_text(statement)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(AssertionError):
        contract(good, "planted_plugin").test_module_imports_nothing_heavy_and_prints_nothing()


def test_output_on_stdout_is_found(capfd: pytest.CaptureFixture[str]) -> None:
    @tool
    def loud(image: Image.Image) -> Image.Image:
        """Edit and print."""
        print("hello")
        return image

    with pytest.raises(AssertionError):
        contract(loud).test_call_prints_nothing_on_stdout(capfd)


def test_result_that_differs_with_the_same_seed_is_found() -> None:
    @tool
    def random_levels(image: Image.Image) -> float:
        """Edit with a random number of levels."""
        return random.random()

    with pytest.raises(AssertionError):
        contract(random_levels).test_same_seed_gives_the_same_result()
    fixed = replace(random_levels.tool, cacheable=False)
    with pytest.raises(pytest.skip.Exception, match="declares that equal calls may differ"):
        contract(fixed).test_same_seed_gives_the_same_result()


def test_undeclared_model_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(args: Any, context: Any) -> Any:
        context.lease("hidden")
        return good.tool.load()(args, context)

    made = Tool(name="hidden", operation=good.tool.operation, run=run)
    monkeypatch.setattr("promptvision.runtime.context.CallContext.lease", lambda self, *models: None)
    with pytest.raises(AssertionError):
        contract(made).test_only_declared_models_are_leased(monkeypatch)


def test_tool_that_ignores_cancellation_is_found() -> None:
    @tool
    def never_checks(image: Image.Image) -> int:
        """Count the pixels."""
        return image.width * image.height

    with pytest.raises(pytest.fail.Exception, match="as if nothing had happened"):
        contract(never_checks).test_cancelled_call_stops()


def test_argument_without_a_description_is_found() -> None:
    @tool
    def bare(image: Image.Image, levels: int = 2) -> Image.Image:
        """Reduce an image to few levels."""
        return image

    with pytest.raises(AssertionError, match="'levels' has no description"):
        contract(bare).test_every_argument_is_described()


def test_call_that_writes_a_file_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "temporary"))

    @tool
    def write_file(image: Image.Image) -> int:
        """Write a file beside the images."""
        (tmp_path / "write_file").write_text("x")
        return image.width

    with pytest.raises(AssertionError, match=r"the call writes .*write_file"):
        contract(write_file).test_call_writes_no_files()


def test_call_that_changes_the_environment_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMPTVISION_TRIAL_COUNT", "0")

    @tool
    def count(image: Image.Image) -> int:
        """Count the calls."""
        os.environ["PROMPTVISION_TRIAL_COUNT"] += "1"
        return image.width

    with pytest.raises(AssertionError, match=r"the call changes os\.environ"):
        contract(count).test_call_changes_no_state_of_the_process()


def test_bare_exception_on_an_odd_image_is_found() -> None:
    @tool
    def fragile(image: Image.Image) -> int:
        """Look at one pixel."""
        return 100 // (image.width - 1)

    with pytest.raises(ZeroDivisionError):
        contract(fragile).test_odd_images_give_a_result_or_a_clear_error("L", (1, 1))


def test_tool_that_cannot_run_here_is_skipped_with_the_reason() -> None:
    needs = Requirements(binaries={"no-such-program": "apt install it"})
    made = Tool(name="needy", operation=good.tool.operation, run="nowhere:run", requires=needs)
    for call in (contract(made).test_result_is_json, contract(made).test_cancelled_call_stops):
        with pytest.raises(pytest.skip.Exception, match="no-such-program"):
            call()
