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


class Site:
    """A dispatcher over a real journal and two tools, one of which always fails."""

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
def site() -> Site:
    return Site()


def test_outcome_is_journaled_once_as_it_is_returned(site: Site) -> None:
    outcomes = [
        site.answer("look", {"subject": "moon"}, "1"),
        site.answer("look", '{"subject": "moon"}', "2"),
        site.answer("fail", {"subject": "sun"}, "3"),
        site.answer("swim", {}, "4"),
    ]
    assert site.journaled() == outcomes
    assert [outcome.call_id for outcome in outcomes] == ["1", "2", "3", "4"]
    assert [outcome.failed for outcome in outcomes] == [False, False, True, True]
    assert outcomes[0].message().tool_call_id == "1"


def test_equal_call_runs_once_and_a_second_repeat_demands_an_answer(site: Site) -> None:
    first = site.answer("look", {"subject": "moon"}, "1")
    again = site.answer("look", {"subject": "moon"}, "2")
    assert site.ran == ["moon"]
    assert json.loads(again.content) == {
        "note": "this call was made already in this turn; here is its result again",
        **json.loads(first.content),
    }
    assert not site.dispatcher.must_answer
    site.answer("look", {"subject": "moon"}, "3")
    assert site.dispatcher.must_answer


def test_call_that_cannot_be_read_does_not_repeat_one_without_arguments(site: Site) -> None:
    assert not site.answer("rest", {}).failed
    assert json.loads(site.answer("rest", "{").content)["kind"] == "arguments"
    assert "note" in json.loads(site.answer("rest", "").content)
    assert site.ran == ["rest"]


def test_order_of_the_arguments_of_a_repeated_call_does_not_matter(site: Site) -> None:
    site.answer("look", {"subject": "moon", "place": "sky"}, "1")
    site.answer("look", '{"place": "sky", "subject": "moon"}', "2")
    site.answer("look", {"subject": "moon", "place": "sea"}, "3")
    assert site.ran == ["moon", "moon"]


def test_unknown_function_names_the_nearest_one_that_can_run(site: Site) -> None:
    error = json.loads(site.answer("lok", {}).content)["error"]
    assert "no function 'lok'" in error
    assert "Did you mean 'look'?" in error
    assert "fly" not in error


def test_arguments_that_cannot_be_read_or_are_wrong_can_be_corrected(site: Site) -> None:
    for arguments in ("{", '{"subject": 5, "more": 1}', "{}"):
        content = json.loads(site.answer("look", arguments).content)
        assert (content["success"], content["kind"]) == (False, "arguments")
    assert site.ran == []


def test_function_that_keeps_failing_is_refused(site: Site) -> None:
    kinds = [
        json.loads(site.answer("fail", {"subject": str(number)}).content)["kind"]
        for number in range(MAX_ERRORS + 1)
    ]
    assert kinds == ["failed"] * MAX_ERRORS + ["stopped"]
    assert site.dispatcher.must_answer
    assert len(site.runner.record.steps) == MAX_ERRORS


def test_function_that_cannot_run_here_is_answered_with_the_fix(site: Site) -> None:
    outcome = site.answer("fly", {"subject": "x"})
    assert "apt-get install it" in outcome.summary
    assert [step.needs_setup for step in site.runner.record.steps] == [True]
