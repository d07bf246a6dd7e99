"""The steps of one turn and the images they made, journaled as they start and end."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any, NamedTuple

from promptvision.agent.calls.request import OperationRequest
from promptvision.agent.journal import Entry, Journal
from promptvision.agent.outcome import ToolOutcome
from promptvision.agent.planning.observation import observe
from promptvision.agent.reply import MadeImage, Step, image_ids
from promptvision.conversations.turn import EventKind
from promptvision.errors import Cancelled, SetupError
from promptvision.images.handles import ImageTable
from promptvision.needs import NeedsSetup
from promptvision.runtime.context import SavedImage
from promptvision.runtime.runtime import CallResult
from promptvision.tools.tool import Args, Tool

__all__ = ["StartedStep", "StepRecord"]


class StartedStep(NamedTuple):
    """A step that is journaled as started.

    Args:
        number: its number in the turn, from 1.
        names: of the operation, the tool and the plugin.
        arguments: its arguments as JSON.
        image_ids: the images among them.
        started_at: ``time.monotonic()``.
    """

    number: int
    names: dict[str, Any]
    arguments: dict[str, Any]
    image_ids: tuple[str, ...]
    started_at: float


class StepRecord:
    """Numbers the steps of a turn, journals them, and keeps their results and images.

    Args:
        table: the conversation's images; new ones are added.
        journal: records a step before it runs; None for a call outside of conversations.
        turn_seq: position of the turn in its conversation.
    """

    def __init__(self, table: ImageTable, journal: Journal | None = None, turn_seq: int = 0) -> None:
        self.table = table
        self.steps: list[Step] = []
        self.images: list[MadeImage] = []
        self._journal = journal
        self._turn_seq = turn_seq
        self._running = 0

    def __len__(self) -> int:
        """How many steps have started."""
        return len(self.steps) + self._running

    async def start(self, tool: Tool, args: Args | None, call_id: str) -> StartedStep:
        """Journal the start of a step.

        Args:
            tool: the tool that runs.
            args: its arguments; None when it cannot run here.
            call_id: the planner's call; empty for a prerequisite.
        """
        step = StartedStep(
            number=len(self) + 1,
            names={"operation": tool.operation.name, "tool": tool.name, "plugin": tool.plugin},
            arguments={} if args is None else args.model_dump(mode="json", exclude_none=True),
            image_ids=tuple(image_ids(args)),
            started_at=time.monotonic(),
        )
        self._running += 1
        if self._journal is not None:
            data = {
                "step": step.number,
                "call_id": call_id,
                "arguments": step.arguments,
                "image_ids": list(step.image_ids),
                **step.names,
            }
            await self._journal.write((EventKind.STEP_STARTED, data, None))
        return step

    def finish(self, started: StartedStep, call: CallResult, request: OperationRequest) -> ToolOutcome:
        """Add the images and the step of a finished call, and journal them with its outcome."""
        result = call.result
        entries = [self._add_image(image, started) for image in call.saved]
        step = Step(
            **started.names,
            status="done",
            arguments=started.arguments,
            result=result.model_dump(mode="json", exclude_none=True),
            seconds=round(call.seconds, 4),
            cached=call.cached,
            message=result.message,
            models=call.models,
            details=call.notes,
            image_ids=tuple(dict.fromkeys((*started.image_ids, *image_ids(result)))),
        )
        notes = [*request.notes, *request.messages]
        outcome = ToolOutcome(
            call_id=request.call_id,
            operation=request.operation,
            content=observe(result, self.table, notes) if request.call_id else "",
            summary=" ".join(dict.fromkeys((result.summary(), *request.messages))),
            failed=not result.success,
            result=result,
        )
        self._end(started, step, entries, outcome)
        return outcome

    def fail(self, started: StartedStep, error: Exception, needs: NeedsSetup | None = None) -> None:
        """Add a step that raised, and journal it; ``needs`` is what to set up before it can succeed."""
        step = Step(
            **started.names,
            status="cancelled" if isinstance(error, Cancelled) else "failed",
            arguments=started.arguments,
            seconds=round(time.monotonic() - started.started_at, 4),
            message=str(error),
            needs_setup=isinstance(error, SetupError) or needs is not None,
            setup=needs,
            image_ids=started.image_ids,
        )
        self._end(started, step, [], None)

    def _end(
        self, started: StartedStep, step: Step, entries: list[Entry], outcome: ToolOutcome | None
    ) -> None:
        self._running -= 1
        self.steps.append(step)
        if self._journal is None:
            return
        data = {"step": started.number, **step.stored()}
        if outcome is not None and outcome.call_id:
            data["outcome"] = outcome.stored()
        self._journal.post(*entries, (EventKind.STEP_FINISHED, data, None))

    def _add_image(self, image: SavedImage, started: StartedStep) -> Entry:
        maker = started.names["operation"]
        record = self.table.add(
            image.id, image.kind, image.parent, maker, image.width, image.height, self._turn_seq
        )
        self.images.append({"id": image.id, "handle": record.handle, "kind": image.kind})
        return EventKind.IMAGE, asdict(record), image.id
