"""The commands of ``docs/eval.md`` name operations, tools, arguments, options and models that exist."""

from __future__ import annotations

import asyncio
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from promptvision import Agent
from promptvision.plugin import load_settings
from promptvision_eval.command import evaluate
from promptvision_eval.plugin import EVALUATORS

PAGE = Path(__file__).parents[3] / "docs" / "eval.md"
EXTRAS = ("captions", "images")


def commands() -> list[list[str]]:
    """The words of each command of the page, variables before it left out."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    text = "\n".join(block for language, block in blocks if not language)
    text = re.sub(r"<<'PYTHON'.*?^PYTHON", "", text, flags=re.DOTALL | re.MULTILINE)
    text = text.replace("\\\n", " ")
    function = re.search(r"^score\(\) \{ (.*?); \}$", text, re.MULTILINE)
    assert function is not None
    found = []
    for line in text.splitlines():
        words = shlex.split(line)
        while words and re.fullmatch(r"[A-Z_]+=\S+", words[0]):
            del words[0]
        if words[:1] == ["score"]:
            words = [*shlex.split(function[1])[:-3], words[1], "--data", *words[2:]]
        if words[:1] not in ([], ["score()"]):
            found.append(words)
    return found


def evaluations() -> Iterator[tuple[str, dict[str, Any]]]:
    """The operation and the options of each evaluation."""
    for words in commands():
        if words[:2] == ["promptvision", "eval"]:
            options, _, _ = evaluate.make_parser(click.Context(evaluate)).parse_args(words[2:])
            yield str(options["operation"]), options


@pytest.fixture(scope="module")
def registry() -> Any:
    agent = Agent(load_settings(conversations="memory:"))
    asyncio.run(agent.close())
    return agent.registry


def test_each_evaluation_can_be_run(registry: Any) -> None:
    found = list(evaluations())
    assert len(found) >= 11
    for operation, options in found:
        names = options.get("tools", [])
        evaluators = [each for each in EVALUATORS if each.operation == operation]
        known = {name for each in evaluators for name in each.options}
        assert {pair.partition("=")[0] for pair in options.get("options", [])} <= known
        assert {options.get("evaluator", evaluators[0].name)} <= {each.name for each in evaluators}
        if operation != "planner":
            tools = [tool for tool in registry.candidates(operation) if tool.name in names or not names]
            assert len(tools) >= len(names)
            given = {pair.partition("=")[0] for pair in options.get("pairs", [])}
            assert all(given <= set(tool.args.model_fields) for tool in tools)


def test_each_model_that_is_pulled_exists(registry: Any) -> None:
    pulled = {word for words in commands() if words[1:3] == ["models", "pull"] for word in words[3:]}
    assert len(pulled) >= 9
    assert pulled <= set(registry.models)


def test_each_distribution_that_is_installed_is_one_of_this_repository() -> None:
    names = {word for words in commands() if words[:2] == ["pip", "install"] for word in words[2:]}
    folders = {path.parent.name.replace("_", "-") for path in PAGE.parents[1].glob("*/*/pyproject.toml")}
    for name in names:
        base, _, extra = name.removesuffix("]").partition("[")
        assert base.removeprefix("promptvision-") in folders, name
        assert extra in ("", *EXTRAS)
