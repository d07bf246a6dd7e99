"""The planner's calls: names checked, arguments repaired, repeats answered from memory."""

from __future__ import annotations

import asyncio
import difflib
import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from promptvision.agent.calls.runner import StepRunner
from promptvision.agent.planning.observation import FailureKind, observe_failure
from promptvision.errors import ArgumentsError, SetupError, ToolFailed
from promptvision.llm.messages import ToolCall
from promptvision.llm.planner import PlannerFunction
from promptvision.llm.repair import repair_arguments

__all__ = ["ToolCallDispatcher", "ToolOutcome", "call_key", "error_outcome"]

MAX_ERRORS = 4
"""Failures of one function in one turn before it is refused."""


@dataclass(frozen=True)
class ToolOutcome:
    """What the planner is told of one call.

    Args:
        content: for the LLM.
        summary: for people and for planners without an LLM.
        failed: whether the call did not work.
        is_journaled: whether the step's own event holds it already.
    """

    content: str
    summary: str
    failed: bool
    is_journaled: bool = False


class ToolCallDispatcher:
    """Answers the calls of a planner in one turn.

    Args:
        runner: fulfils operations.
        functions: what may be called.
        unavailable: what is answered with what it lacks.
    """

    def __init__(
        self,
        runner: StepRunner,
        functions: tuple[PlannerFunction, ...],
        unavailable: tuple[PlannerFunction, ...] = (),
    ) -> None:
        self._runner = runner
        self._functions = {function.name: function for function in (*functions, *unavailable)}
        self._answers: dict[str, ToolOutcome] = {}
        self._errors: Counter[str] = Counter()
        self.must_answer = False
        """Set when the same call came three times: the planner gets no further call."""
        self._repeats: Counter[str] = Counter()

    async def answer(self, call: ToolCall, after: asyncio.Future[Any] | None = None) -> ToolOutcome:
        """Make a call and say what came of it; only StopTurn, Cancelled and store failures are raised.

        Args:
            call: the planner's call.
            after: see :meth:`StepRunner.perform`.
        """
        function = self._functions.get(call.name)
        if function is None:
            return error_outcome("arguments", self._unknown(call.name))
        if self._errors[call.name] >= MAX_ERRORS:
            self.must_answer = True
            problem = f"{call.name} has failed {MAX_ERRORS} times in this turn; answer without it"
            return error_outcome("stopped", problem)
        try:
            values, notes = repair_arguments(call.arguments, function.parameters)
            key = self._key(function, values)
            if (known := self._answers.get(key)) is not None:
                return self._repeat(key, known)
            made = await self._runner.perform(call.name, values, call_id=call.id, notes=notes, after=after)
        except (ArgumentsError, ToolFailed, SetupError) as exc:
            self._errors[call.name] += 1
            return error_outcome("arguments" if isinstance(exc, ArgumentsError) else "failed", str(exc))
        answer = ToolOutcome(made.told, made.summary, failed=not made.result.success, is_journaled=True)
        self._answers[key] = answer
        return answer

    def _key(self, function: PlannerFunction, values: dict[str, object]) -> str:
        """What makes two calls the same; one that names no image means the current one."""
        current = self._runner.table.current
        meant = current.image_id if current and not values.get(function.image or "") else None
        return call_key(function.name, values, meant)

    def _repeat(self, key: str, known: ToolOutcome) -> ToolOutcome:
        self._repeats[key] += 1
        self.must_answer = self._repeats[key] >= 2
        note = "this call was made already in this turn; here is its result again"
        content = json.dumps({"note": note, **json.loads(known.content)}, ensure_ascii=False)
        return ToolOutcome(content, known.summary, known.failed)

    def _unknown(self, name: str) -> str:
        names = sorted(name for name, function in self._functions.items() if not function.missing)
        close = difflib.get_close_matches(name, names, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        return f"There is no function {name[:64]!r}.{hint} The functions are: {', '.join(names) or 'none'}."


def call_key(*parts: object) -> str:
    """Equal for calls with equal names and values, in whatever order the values were written."""
    return json.dumps(parts, sort_keys=True, default=str)


def error_outcome(kind: FailureKind, message: str) -> ToolOutcome:
    """What is told of a call that did not work."""
    return ToolOutcome(observe_failure(kind, message), message, failed=True)
