"""Evaluators are checked when declared, offered by plugins, and summarise what they measure."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint
from typing import Any

import pytest

from promptvision.plugins.evaluators import Evaluator, mean_metric, ratio_metric
from promptvision.plugins.registry import Registry
from promptvision.settings import Settings

OFFERING = """
from promptvision.plugin import Evaluator, hookimpl

@hookimpl
def promptvision_evaluators():
    return [
        Evaluator(
            name="greetings",
            operation="greet_user",
            summary="a text file",
            accepts=lambda data: data.suffix == ".txt",
            create="pathlib:Path",
        )
    ]
"""
FAILING = OFFERING.replace("return [", "raise RuntimeError('no data') if 1 else [")


def declare(**fields: Any) -> Evaluator:
    values: dict[str, Any] = {
        "name": "pairs",
        "operation": "detect_objects",
        "summary": "pairs",
        "accepts": lambda data: True,
        "create": "pathlib:Path",
    }
    return Evaluator(**{**values, **fields})


def test_failing_evaluator_hook_does_not_affect_other_plugins(
    plant: Callable[..., list[EntryPoint]],
) -> None:
    plant("promptvision-broken", FAILING)
    registry = Registry.load(Settings(), plant("promptvision-greet", OFFERING))
    assert [evaluator.name for evaluator in registry.evaluators()] == ["greetings"]
    states = {plugin.name: plugin.cause for plugin in registry.plugins}
    assert states["broken"] == "promptvision_evaluators: RuntimeError: no data"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": 1}, "Evaluator 1: name must be a str"),
        ({"accepts": "all"}, "accepts must be a function of a Path"),
        ({"options": ["size"]}, "options must be a dict of name to description"),
    ],
)
def test_a_wrong_type_names_the_field(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(TypeError, match=words):
        declare(**fields)


def test_create_is_an_import_string() -> None:
    with pytest.raises(ValueError, match=r"create must have the form 'package.module:callable', not 'Path'"):
        declare(create="Path")
    assert declare().load().__name__ == "Path"


def test_metrics_over_all_and_over_some_examples() -> None:
    accuracy = ratio_metric("accuracy", [1, 3], [2, 8])
    assert accuracy.value == pytest.approx(40)
    assert accuracy.resample is not None
    assert accuracy.resample([0, 0, 1]) == pytest.approx(100 * 5 / 12)
    assert mean_metric("seconds", [1.0, 2.0], unit="s", scale=1.0).value == 1.5
    assert ratio_metric("none", [0.0], [0.0]).value is None
