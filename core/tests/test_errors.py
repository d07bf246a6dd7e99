"""The error tree: its drawing, its messages, its fields."""

from __future__ import annotations

import re

import pytest

from promptvision import errors
from promptvision.errors import (
    ArgumentsError,
    Busy,
    PluginError,
    PromptvisionError,
    ProviderError,
    SetupError,
)


def test_drawing_in_the_docstring_is_the_tree() -> None:
    drawn: dict[str, str] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"    ([│├└─ ]*)([A-Z]\w+)\b", line)
        if found:
            path = [*path[: len(found[1]) // 4], found[2]]
            drawn[found[2]] = path[-2] if len(path) > 1 else "Exception"
    real = {name: getattr(errors, name).__base__.__name__ for name in errors.__all__}
    assert drawn == real


def test_every_error_is_described() -> None:
    assert all(getattr(errors, name).__doc__ for name in errors.__all__)


def test_hint_follows_the_message() -> None:
    assert str(SetupError("x is missing", hint="pip install x")) == "x is missing; pip install x"
    assert str(PromptvisionError("x is missing")) == "x is missing"


def test_plugin_error_begins_with_the_plugin() -> None:
    error = PluginError("bw", "no tools", hint="add one")
    assert (str(error), error.plugin) == ("bw: no tools; add one", "bw")


@pytest.mark.parametrize(
    ("given", "problems"), [("a: is needed", ["a: is needed"]), (["a", "b"], ["a", "b"])]
)
def test_arguments_error_keeps_one_line_per_field(given: list[str] | str, problems: list[str]) -> None:
    error = ArgumentsError(given)
    assert error.problems == problems
    assert str(error) == "; ".join(problems)


def test_fields_that_handlers_need_are_attributes() -> None:
    assert Busy("later", retry_after_s=3).retry_after_s == 3
    error = ProviderError(
        "no", kind="rate_limit", retryable=True, retry_after_s=2, body={"a": 1}, hint="wait"
    )
    assert (error.kind, error.retryable, error.retry_after_s, error.body) == ("rate_limit", True, 2, {"a": 1})
    assert str(error) == "no; wait"
