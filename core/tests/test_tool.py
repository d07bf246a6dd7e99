"""Operations, tools and phrases refuse what cannot work, at once and by name."""

from __future__ import annotations

import math
from typing import Any

import pytest
from pydantic import Field, ValidationError

from promptvision.tools import operations
from promptvision.tools.tool import Args, Operation, Phrase, Result, Tool
from promptvision.types import ImageRef


class TurnArgs(Args):
    image_url: ImageRef
    degrees: float = 90


class TurnResult(Result):
    turned_url: ImageRef | None = None


def turn(**changes: Any) -> Operation:
    given: dict[str, Any] = {
        "name": "turn",
        "description": "Turn it.",
        "args": TurnArgs,
        "result": TurnResult,
    }
    return Operation(**{**given, **changes})


def run(args: TurnArgs, context: object) -> TurnResult:
    return TurnResult()


@pytest.mark.parametrize("name", ["a", "turn_2", "x" * 64])
def test_good_names(name: str) -> None:
    assert turn(name=name).name == name
    assert Tool(name=name, operation=turn(), run=run).name == name


@pytest.mark.parametrize(
    "name", ["", "Turn", "2turn", "_turn", "turn-it", "turn.it", "x" * 65, "türn", "turn\n"]
)
def test_bad_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="must match"):
        turn(name=name)
    with pytest.raises(ValueError, match="must match"):
        Tool(name=name, operation=turn(), run=run)


def test_operation_needs_a_description() -> None:
    with pytest.raises(ValueError, match="operation 'turn' needs a description"):
        turn(description=" ")


def test_models_default_to_those_of_the_operation_and_must_derive_from_them() -> None:
    class WithMore(TurnArgs):
        smooth: bool = False

    assert Tool(name="t", operation=turn(), run=run).args is TurnArgs
    assert Tool(name="t", operation=turn(), run=run, args=WithMore).args is WithMore
    with pytest.raises(
        ValueError, match="args model DetectArgs must derive from TurnArgs of operation 'turn'"
    ):
        Tool(name="t", operation=turn(), run=run, args=operations.DetectArgs)
    with pytest.raises(ValueError, match="result model BwResult must derive from TurnResult"):
        Tool(name="t", operation=turn(), run=run, result=operations.BwResult)


@pytest.mark.parametrize("where", ["", "module", "module.run", "module:", ":run", "a b:c", "a:b.c"])
def test_import_string_is_checked(where: str) -> None:
    with pytest.raises(ValueError, match=r"run must have the form 'package\.module:callable'"):
        Tool(name="t", operation=turn(), run=where)


def test_callable_is_imported_only_when_asked_for() -> None:
    lazy = Tool(name="t", operation=turn(), run="promptvision_nowhere.turn:run")
    with pytest.raises(ModuleNotFoundError):
        lazy.load()
    assert Tool(name="t", operation=turn(), run="math:sqrt").load() is math.sqrt
    assert Tool(name="t", operation=turn(), run=run).load() is run


def test_owner_is_filled_in_on_a_copy() -> None:
    tool = Tool(name="t", operation=turn(), run=run)
    owned = tool.owned_by("bw", "1.2")
    assert (owned.plugin, owned.version) == ("bw", "1.2")
    assert (tool.plugin, tool.version) == ("", "")


def test_phrases_may_be_plain_text_and_know_their_slots() -> None:
    operation = turn(phrases=("turn it", Phrase("turn it by {degrees}", (("degrees", 5),))))
    assert operation.phrases[0] == Phrase("turn it")
    assert [phrase.slots for phrase in operation.phrases if isinstance(phrase, Phrase)] == [(), ("degrees",)]


@pytest.mark.parametrize(
    ("phrase", "fault"),
    [
        ("turn it by {angle}", "names 'angle', which is not an argument; use one of image_url, degrees"),
        (Phrase("turn it", (("angle", 5),)), "names 'angle'"),
        ("from {degrees} to {degrees}", "names a slot twice"),
    ],
)
def test_phrase_that_cannot_fill_an_argument_is_refused(phrase: Phrase | str, fault: str) -> None:
    with pytest.raises(ValueError, match=f"operation 'turn': phrase .* {fault}"):
        turn(phrases=(phrase,))
    with pytest.raises(ValueError, match=f"tool 't': phrase .* {fault}"):
        Tool(name="t", operation=turn(), run=run, phrases=(phrase,))


def test_unknown_arguments_and_numbers_that_json_does_not_have_are_refused() -> None:
    for wrong in ({"angle": 3}, {"degrees": math.inf}, {"degrees": math.nan}):
        with pytest.raises(ValidationError):
            TurnArgs.model_validate({"image_url": "a" * 64, **wrong})

    class Measured(Result):
        size: float
        parts: list[float] = Field(default_factory=list)

    for values in ({"size": math.nan}, {"size": 1, "parts": [math.inf]}):
        with pytest.raises(ValidationError, match="finite number"):
            Measured.model_validate(values)


def test_summary_is_the_message_or_the_results_or_done() -> None:
    class Counted(Result):
        count_balls_result: int | None = None
        size: int = 3

    assert Counted(count_balls_result=4).summary() == "count balls: 4"
    assert Counted(count_balls_result=4, message="Four.").summary() == "Four."
    assert Counted().summary() == "Done."


def test_accepts_must_be_a_function() -> None:
    with pytest.raises(TypeError, match="tool 'bw': accepts must be a function or None"):
        Tool(name="bw", operation=operations.CONVERT_TO_BW, run="a:b", accepts="yes")  # type: ignore[arg-type]
