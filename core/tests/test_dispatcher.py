"""Dispatching the planner's calls: names, operations and repeated calls."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest

from promptvision import tool
from promptvision.agent.calls.artifacts import Artifacts
from promptvision.agent.calls.dispatcher import MAX_ERRORS, ToolCallDispatcher
from promptvision.agent.calls.record import StepRecord
from promptvision.agent.calls.runner import StepRunner
from promptvision.agent.journal import Journal
from promptvision.agent.outcome import ToolOutcome, outcomes_of
from promptvision.builtin.memory import MemoryConversationStore
from promptvision.conversations.async_store import AsyncConversationStore
from promptvision.conversations.turn import TurnKey
from promptvision.errors import ToolFailed
from promptvision.images.handles import ImageTable
from promptvision.llm.messages import ToolCall
from promptvision.runtime.cancellation import CancelToken
from promptvision.testing.agents import make_agent
from promptvision.tools.requirements import Requirements
from promptvision.tools.tool import Operation, Tool


class Harness:
    """A dispatcher over a real journal and tools; one always fails, one cannot run here."""

    def __init__(self) -> None:
        self.ran: list[str] = []

        @tool
        def look(subject: str, place: str = "") -> str:
            """Look for a subject."""
            self.ran.append(subject)
            return f"{subject} is there"

        @tool
        def rest() -> str:
            """Rest."""
            self.ran.append("rest")
            return "rested"

        @tool
        def fail(subject: str) -> str:
            """Fail."""
            raise ToolFailed(f"there is no {subject}")

        absent = Requirements(binaries={"no-such-program": "apt-get install it"})
        operation = Operation(
            name="fly", description="Fly.", args=look.tool.args, result=look.tool.operation.result
        )
        fly = Tool(name="fly", operation=operation, run="nowhere:run", requires=absent)
        self.services = make_agent([look, rest, fail, fly]).services
        self.store = MemoryConversationStore()
        key = TurnKey("ann", "c", "p")
        self.turn = self.store.claim_turn(key, prompt="x", fingerprint="f", owner="o", lease_s=60)
        journal = Journal(AsyncConversationStore(self.store), self.turn, [])
        self.runner = StepRunner(
            self.services.registry,
            self.services.runtime,
            StepRecord(ImageTable(), journal),
            Artifacts(),
            cancel=CancelToken(),
            deadline=time.monotonic() + 60,
            max_calls=20,
        )
        registry = self.services.registry
        self.dispatcher = ToolCallDispatcher(
            self.runner, journal, registry.functions(), registry.unavailable()
        )

    def answer(self, name: str, arguments: str | dict[str, Any], call_id: str = "c") -> ToolOutcome:
        call = ToolCall(id=call_id, name=name, arguments=arguments)
        return asyncio.run(self.dispatcher.answer(self.dispatcher.prepare(call)))

    def journaled(self) -> list[ToolOutcome]:
        stored = self.store.turn("ann", self.turn.id)
        assert stored is not None
        return list(outcomes_of(stored.events))


@pytest.fixture
def harness() -> Harness:
    return Harness()


def test_outcome_is_journaled_once_as_it_is_returned(harness: Harness) -> None:
    outcomes = [
        harness.answer("look", {"subject": "moon"}, "1"),
        harness.answer("look", '{"subject": "moon"}', "2"),
        harness.answer("fail", {"subject": "sun"}, "3"),
        harness.answer("swim", {}, "4"),
    ]
    assert harness.journaled() == outcomes
    assert [outcome.call_id for outcome in outcomes] == ["1", "2", "3", "4"]
    assert [outcome.failed for outcome in outcomes] == [False, False, True, True]
    assert outcomes[0].message().tool_call_id == "1"


def test_equal_call_runs_once_and_a_second_repeat_demands_an_answer(harness: Harness) -> None:
    first = harness.answer("look", {"subject": "moon"}, "1")
    again = harness.answer("look", {"subject": "moon"}, "2")
    assert harness.ran == ["moon"]
    assert json.loads(again.content) == {
        "note": "this call was made already in this turn; here is its result again",
        **json.loads(first.content),
    }
    assert not harness.dispatcher.must_answer
    harness.answer("look", {"subject": "moon"}, "3")
    assert harness.dispatcher.must_answer


def test_call_that_cannot_be_read_does_not_repeat_one_without_arguments(harness: Harness) -> None:
    assert not harness.answer("rest", {}).failed
    assert json.loads(harness.answer("rest", "{").content)["kind"] == "arguments"
    assert "note" in json.loads(harness.answer("rest", "").content)
    assert harness.ran == ["rest"]


def test_order_of_the_arguments_of_a_repeated_call_does_not_matter(harness: Harness) -> None:
    harness.answer("look", {"subject": "moon", "place": "sky"}, "1")
    harness.answer("look", '{"place": "sky", "subject": "moon"}', "2")
    harness.answer("look", {"subject": "moon", "place": "sea"}, "3")
    assert harness.ran == ["moon", "moon"]


def test_unknown_function_names_the_nearest_one_that_can_run(harness: Harness) -> None:
    error = json.loads(harness.answer("lok", {}).content)["error"]
    assert "no function 'lok'" in error
    assert "Did you mean 'look'?" in error
    assert "fly" not in error


def test_arguments_that_cannot_be_read_or_are_wrong_can_be_corrected(harness: Harness) -> None:
    for arguments in ("{", '{"subject": 5, "more": 1}', "{}"):
        content = json.loads(harness.answer("look", arguments).content)
        assert (content["success"], content["kind"]) == (False, "arguments")
    assert harness.ran == []


def test_function_that_keeps_failing_is_refused(harness: Harness) -> None:
    kinds = [
        json.loads(harness.answer("fail", {"subject": str(number)}).content)["kind"]
        for number in range(MAX_ERRORS + 1)
    ]
    assert kinds == ["failed"] * MAX_ERRORS + ["stopped"]
    assert harness.dispatcher.must_answer
    assert len(harness.runner.record.steps) == MAX_ERRORS


def test_function_that_cannot_run_here_is_answered_with_the_fix(harness: Harness) -> None:
    outcome = harness.answer("fly", {"subject": "x"})
    assert "apt-get install it" in outcome.summary
    assert [step.needs_setup for step in harness.runner.record.steps] == [True]
