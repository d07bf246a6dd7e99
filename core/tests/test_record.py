"""The record of a turn's steps: numbers, images, outcomes, and the journaled events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

import pytest

from promptvision.agent.calls.record import StepRecord
from promptvision.agent.calls.request import OperationRequest
from promptvision.agent.journal import Journal
from promptvision.agent.outcome import ToolOutcome
from promptvision.builtin.memory import MemoryConversationStore
from promptvision.conversations.async_store import AsyncConversationStore
from promptvision.conversations.turn import Event, EventKind, TurnKey
from promptvision.errors import Cancelled, SetupError, ToolFailed
from promptvision.images.handles import ImageTable
from promptvision.needs import NeedsSetup
from promptvision.runtime.context import SavedImage
from promptvision.runtime.runtime import CallResult
from promptvision.tools import operations
from promptvision.tools.context import ToolContext
from promptvision.tools.operations import ImageArgs
from promptvision.tools.tool import Args, Tool
from promptvision.types import ImageRef

INPUT, GREY = ImageRef("1" * 64), ImageRef("2" * 64)
ARGS = ImageArgs(image_url=INPUT)


def to_grey(args: Args, context: ToolContext) -> operations.BwResult:
    raise NotImplementedError


TOOL = Tool(name="grey", operation=operations.CONVERT_TO_BW, run=to_grey, plugin="basics")
NAMES = {"operation": "convert_to_bw", "tool": "grey", "plugin": "basics"}


def input_table() -> ImageTable:
    table = ImageTable()
    table.add(INPUT.id, "input", None, "", 60, 40, 1)
    return table


def finished_call(message: str | None = None) -> CallResult:
    result = operations.BwResult(original_image_url=INPUT, bw_image_url=GREY, message=message)
    saved = SavedImage(GREY.id, "edit", INPUT.id, 60, 40)
    return CallResult(result=result, saved=(saved,), seconds=0.123456, cached=False, models=("grey-1",))


def request_of(call_id: str = "c1", messages: Sequence[str] = ()) -> OperationRequest:
    return OperationRequest(
        operation="convert_to_bw", values={}, call_id=call_id, notes=["note"], messages=[*messages]
    )


class Harness:
    """A record that writes to the journal of a claimed turn in memory."""

    def __init__(self) -> None:
        store = MemoryConversationStore()
        self.turn = store.claim_turn(
            TurnKey("ann", "c", "p"), prompt="grey", fingerprint="f", owner="o", lease_s=60
        )
        self.events: list[Event] = []
        self.journal = Journal(AsyncConversationStore(store), self.turn, [self.events.append])
        self.record = StepRecord(input_table(), self.journal, turn_seq=3)

    def kinds(self) -> list[EventKind]:
        return [event.kind for event in self.events]


def test_start_is_journaled_before_it_returns() -> None:
    harness = Harness()

    async def start() -> None:
        step = await harness.record.start(TOOL, ARGS, "c1")
        assert harness.kinds() == [EventKind.STEP_STARTED]
        assert (step.number, step.names, step.image_ids) == (1, NAMES, (INPUT.id,))

    asyncio.run(start())
    data = harness.events[0].data
    assert data == {
        "step": 1,
        "call_id": "c1",
        "arguments": data["arguments"],
        "image_ids": [INPUT.id],
        **NAMES,
    }
    assert json.loads(json.dumps(data["arguments"])) == ARGS.model_dump(mode="json")


def test_steps_are_numbered_while_others_run() -> None:
    record = StepRecord(input_table())

    async def numbers() -> list[int]:
        first, second = await record.start(TOOL, ARGS, "a"), await record.start(TOOL, None, "b")
        record.fail(first, ToolFailed("no"))
        third = await record.start(TOOL, ARGS, "c")
        return [first.number, second.number, third.number]

    assert asyncio.run(numbers()) == [1, 2, 3]
    assert len(record) == 3
    assert len(record.steps) == 1


def test_finished_step_and_its_image_are_journaled_with_the_outcome() -> None:
    harness = Harness()

    async def run() -> ToolOutcome:
        started = await harness.record.start(TOOL, ARGS, "c1")
        outcome = harness.record.finish(started, finished_call(), request_of(messages=["Found it."]))
        await harness.journal.write()
        return outcome

    outcome = asyncio.run(run())
    assert harness.kinds() == [EventKind.STEP_STARTED, EventKind.IMAGE, EventKind.STEP_FINISHED]
    image, finished = harness.events[1], harness.events[2].data
    assert image.image_id == GREY.id
    assert (image.data["number"], image.data["parent"], image.data["maker"]) == (2, 1, "convert_to_bw")
    assert image.data["turn_seq"] == 3
    assert finished["step"] == 1
    assert ToolOutcome.from_stored(finished["outcome"]) == outcome
    assert json.loads(outcome.content)["bw_image_url"] == "img_2"
    assert json.loads(outcome.content)["notes"] == ["note", "Found it."]
    assert outcome.summary == "The image is black and white now. Found it."
    assert harness.record.images == [{"id": GREY.id, "handle": "img_2", "kind": "edit"}]
    (step,) = harness.record.steps
    assert (step.status, step.seconds, step.models) == ("done", 0.1235, ("grey-1",))
    assert step.image_ids == (INPUT.id, GREY.id)


def test_prerequisite_has_a_summary_and_no_content() -> None:
    harness = Harness()

    async def run() -> ToolOutcome:
        started = await harness.record.start(TOOL, ARGS, "")
        outcome = harness.record.finish(started, finished_call("Already grey."), request_of(call_id=""))
        await harness.journal.write()
        return outcome

    outcome = asyncio.run(run())
    assert (outcome.content, outcome.summary) == ("", "Already grey.")
    assert "outcome" not in harness.events[-1].data


NEEDS = NeedsSetup(models=["grey-1"], bytes=7, command="promptvision models pull grey-1")


@pytest.mark.parametrize(
    ("error", "needs", "status", "needs_setup"),
    [
        (ToolFailed("no"), None, "failed", False),
        (Cancelled("stopped"), None, "cancelled", False),
        (SetupError("no weights"), None, "failed", True),
        (ToolFailed("no"), NEEDS, "failed", True),
    ],
)
def test_failed_step_says_how_it_ended_and_what_it_needs(
    error: Exception, needs: NeedsSetup | None, status: str, needs_setup: bool
) -> None:
    harness = Harness()

    async def run() -> None:
        harness.record.fail(await harness.record.start(TOOL, ARGS, "c1"), error, needs)
        await harness.journal.write()

    asyncio.run(run())
    (step,) = harness.record.steps
    assert (step.status, step.message, step.needs_setup, step.setup) == (
        status,
        str(error),
        needs_setup,
        needs,
    )
    assert (step.result, step.image_ids) == (None, (INPUT.id,))
    assert harness.kinds() == [EventKind.STEP_STARTED, EventKind.STEP_FINISHED]
    assert harness.events[1].data["status"] == status
    assert len(harness.record) == 1


def test_record_without_a_journal_keeps_steps_and_images() -> None:
    record = StepRecord(input_table())

    async def run() -> ToolOutcome:
        return record.finish(await record.start(TOOL, ARGS, ""), finished_call(), request_of(call_id=""))

    assert not asyncio.run(run()).failed
    assert [step.tool for step in record.steps] == ["grey"]
    assert [image["handle"] for image in record.images] == ["img_2"]
