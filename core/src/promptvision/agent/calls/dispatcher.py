"""Dispatch the planner's calls: check names, run operations, answer repeated calls from memory."""

from __future__ import annotations

import asyncio
import difflib
import json
from dataclasses import dataclass, replace
from typing import Any

from promptvision.agent.calls.prepared import PreparedCall, prepare_call
from promptvision.agent.calls.request import OperationRequest
from promptvision.agent.calls.runner import StepRunner
from promptvision.agent.journal import Journal
from promptvision.agent.outcome import ToolOutcome
from promptvision.agent.planning.observation import FailureKind, observe_failure
from promptvision.conversations.turn import EventKind
from promptvision.errors import ArgumentsError, SetupError, ToolFailed
from promptvision.llm.messages import ToolCall
from promptvision.llm.planner import PlannerFunction

__all__ = ["ToolCallDispatcher", "error_outcome"]

MAX_ERRORS = 4
"""Failures of one function in one turn before further calls of it are refused."""
MAX_REPEATS = 2
"""Repeats of one call in one turn before the planner must answer."""


@dataclass(eq=False)
class _Answered:
    """A call that has an outcome, the current image if the call names none, and how often it was repeated."""

    call: PreparedCall
    image_id: str | None
    outcome: ToolOutcome
    repeats: int = 0


class ToolCallDispatcher:
    """Answers the calls of a planner in one turn.

    Args:
        runner: runs operations.
        journal: records the outcome of a call that ended without a finished step.
        functions: the functions that may be called.
        unavailable: functions whose calls are answered with what is missing.
    """

    def __init__(
        self,
        runner: StepRunner,
        journal: Journal,
        functions: tuple[PlannerFunction, ...],
        unavailable: tuple[PlannerFunction, ...] = (),
    ) -> None:
        self._runner = runner
        self._journal = journal
        self._functions = {function.name: function for function in (*functions, *unavailable)}
        self._answered: list[_Answered] = []
        self._errors: dict[str, int] = {}
        self.must_answer = False
        """Set when a call was repeated or a function has failed too often: no further call is allowed."""

    def prepare(self, call: ToolCall) -> PreparedCall:
        """Find the function of a call and repair its arguments."""
        return prepare_call(call, self._functions)

    async def answer(self, prepared: PreparedCall, after: asyncio.Future[Any] | None = None) -> ToolOutcome:
        """Run a call and return its journaled outcome.

        Args:
            prepared: the planner's call.
            after: see :class:`OperationRequest`.

        Raises:
            StopTurn: a limit is reached.
            Cancelled: cancellation was requested.
            StoreError: the journal cannot be written.
        """
        image_id = self._image_id(prepared)
        outcome = self._refuse(prepared) or self._repeat(prepared, image_id)
        if outcome is None:
            try:
                outcome = await self._runner.perform(_request(prepared, after))
                self._answered.append(_Answered(prepared, image_id, outcome))
                return outcome  # journaled with its step
            except (ArgumentsError, ToolFailed, SetupError) as exc:
                self._errors[prepared.call.name] = self._errors.get(prepared.call.name, 0) + 1
                kind: FailureKind = "arguments" if isinstance(exc, ArgumentsError) else "failed"
                outcome = error_outcome(prepared.call, kind, str(exc))
        await self._journal.write((EventKind.OBSERVATION, outcome.stored(), None))
        return outcome

    def _refuse(self, prepared: PreparedCall) -> ToolOutcome | None:
        """The outcome of a call that cannot run; None when it can."""
        call = prepared.call
        if prepared.function is None:
            return error_outcome(call, "arguments", self._unknown(call.name))
        if self._errors.get(call.name, 0) >= MAX_ERRORS:
            self.must_answer = True
            problem = f"{call.name} has failed {MAX_ERRORS} times in this turn; answer without it"
            return error_outcome(call, "stopped", problem)
        return None

    def _repeat(self, prepared: PreparedCall, image_id: str | None) -> ToolOutcome | None:
        """The outcome of an equal earlier call in this turn; None when there was none."""
        known = self._find(prepared, image_id)
        if known is None:
            return None
        known.repeats += 1
        self.must_answer = known.repeats >= MAX_REPEATS
        note = "this call was made already in this turn; here is its result again"
        content = json.dumps({"note": note, **json.loads(known.outcome.content)}, ensure_ascii=False)
        return replace(known.outcome, call_id=prepared.call.id, content=content)

    def _find(self, prepared: PreparedCall, image_id: str | None) -> _Answered | None:
        for answered in self._answered if prepared.is_readable else ():
            if answered.image_id == image_id and answered.call.repeats(prepared):
                return answered
        return None

    def _image_id(self, prepared: PreparedCall) -> str | None:
        """Id of the current image, which a call uses if it names none; None if it does."""
        current = None if prepared.names_an_image else self._runner.record.table.current
        return current.image_id if current else None

    def _unknown(self, name: str) -> str:
        names = sorted(name for name, function in self._functions.items() if not function.missing)
        close = difflib.get_close_matches(name, names, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        return f"There is no function {name[:64]!r}.{hint} The functions are: {', '.join(names) or 'none'}."


def _request(prepared: PreparedCall, after: asyncio.Future[Any] | None) -> OperationRequest:
    """What the runner is asked for.

    Raises:
        ArgumentsError: the arguments cannot be read.
    """
    if prepared.error is not None:
        raise prepared.error
    call = prepared.call
    return OperationRequest(
        operation=call.name, values=prepared.values, call_id=call.id, notes=prepared.notes, after=after
    )


def error_outcome(call: ToolCall, kind: FailureKind, message: str) -> ToolOutcome:
    """The outcome of a call that failed."""
    return ToolOutcome(
        call_id=call.id,
        operation=call.name,
        content=observe_failure(kind, message),
        summary=message,
        failed=True,
    )
