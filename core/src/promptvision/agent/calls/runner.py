"""Run one operation: complete its arguments, run the best tool, fall back to the next one."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from promptvision.agent.calls.arguments import ArgumentReader, is_empty
from promptvision.agent.calls.artifacts import Artifacts
from promptvision.agent.calls.choice import (
    accepts,
    declined_error,
    failed_error,
    needs_of,
    raised_by,
    tools_that_invert,
    unavailable_error,
)
from promptvision.agent.calls.record import StepRecord
from promptvision.agent.calls.request import OperationRequest
from promptvision.agent.middleware import TurnMiddleware
from promptvision.agent.outcome import ToolOutcome
from promptvision.errors import (
    ArgumentsError,
    CallError,
    Cancelled,
    DeviceLost,
    LeaseLost,
    SetupError,
    StopTurn,
    ToolFailed,
    WorkerLost,
)
from promptvision.models.placement import is_out_of_memory
from promptvision.plugins.registry import Registry
from promptvision.runtime.cancellation import CancelToken
from promptvision.runtime.runtime import CallResult, Runtime
from promptvision.tools.artifacts import image_fields, link_types, missing_arguments, target_field
from promptvision.tools.targets import kept_part
from promptvision.tools.tool import Args, Tool
from promptvision.types import Box, ImageRef

__all__ = ["StepRunner"]

log = logging.getLogger(__name__)

MAX_DEPTH = 8
"""Longest chain of prerequisites."""


class StepRunner:
    """Runs operations for one turn.

    Args:
        registry: the installed tools and their availability.
        runtime: runs single tool calls.
        record: the steps and images of the turn; new ones are added.
        artifacts: typed results of earlier steps; new ones are added.
        cancel: checked between steps and by tools.
        deadline: ``time.monotonic()`` at which the turn must end.
        max_calls: limit of tool calls in one turn.
        on_progress: called with the step's number and its progress.
        middleware: called around each step; None if there is none.
        user_id: whose turn it is; the steps of different users take turns.
    """

    def __init__(
        self,
        registry: Registry,
        runtime: Runtime,
        record: StepRecord,
        artifacts: Artifacts,
        *,
        cancel: CancelToken,
        deadline: float,
        max_calls: int,
        on_progress: Callable[[int, float, float, str], None] | None = None,
        middleware: TurnMiddleware | None = None,
        user_id: str = "",
    ) -> None:
        self.record = record
        self.cancel = cancel
        self._registry = registry
        self._runtime = runtime
        self._arguments = ArgumentReader(record.table)
        self._artifacts = artifacts
        self._deadline = deadline
        self._max_calls = max_calls
        self._on_progress = on_progress
        self._middleware = middleware
        self._user_id = user_id
        self._needed: dict[int, tuple[str, ...]] = {}
        """The models of the operations that run or wait for their prerequisites, outermost first."""

    async def perform(self, request: OperationRequest, depth: int = 0) -> ToolOutcome:
        """Run an operation; prerequisites run first, as steps of their own.

        Args:
            request: the operation and its arguments.
            depth: length of the chain of prerequisites that led to it.

        Raises:
            ArgumentsError: an argument is wrong or missing, and the planner can correct it.
            ToolFailed: no tool could do it.
            SetupError: something must be installed or configured before a tool can run.
            StopTurn: a limit is reached.
            Cancelled: cancellation was requested.
        """
        name = request.operation
        tools = self._registry.runnable(name)
        if not tools:
            await self._fail(error := unavailable_error(self._registry, request), request)
            raise error
        tools = tools_that_invert(tools, request.values)
        if not (models := tools[0].requires.models):
            return await self._perform(tools, request, depth)
        self._announce(request, models)
        try:
            return await self._perform(tools, request, depth)
        finally:
            self._announce(request, ())

    def _announce(self, request: OperationRequest, models: tuple[str, ...]) -> None:
        """Announce to the pool which models are needed next: of prerequisites, then of their callers."""
        self._needed.pop(id(request), None)
        if models:
            self._needed[id(request)] = models
        soonest_first = reversed(self._needed.values())
        self._runtime.pool.announce(self, [model for models in soonest_first for model in models])

    async def _perform(self, tools: list[Tool], request: OperationRequest, depth: int) -> ToolOutcome:
        name = request.operation
        values, args = await self._complete(tools[0], request, depth)
        failures: list[ToolFailed | SetupError] = []
        for tool in tools:
            try:
                if type(args) is not tool.args:
                    args = self._arguments.validate(tool, values)
                if accepts(tool, args):
                    return await self._attempt(tool, args, request, is_last=tool is tools[-1])
            except (ToolFailed, SetupError) as exc:
                failures.append(exc)
        if not failures:
            declined = declined_error(self._registry, name, tools, request.values)
            if isinstance(declined, SetupError):
                await self._fail(declined, request)
            raise declined
        raise failed_error(self._registry, request, failures)

    # Arguments

    async def _complete(
        self, tool: Tool, request: OperationRequest, depth: int
    ) -> tuple[dict[str, Any], Args]:
        """Arguments with the current image and the products of prerequisites; as values and validated."""
        values, image = self._arguments.read(tool, request)
        target_name = target_field(tool.args)
        target = values.get(target_name) if target_name else None
        if target is not None and not isinstance(target, str):
            raise ArgumentsError(f"{target_name}: Input should be a valid string")
        links = {} if image is None else dict(link_types(tool.args))
        while True:
            try:
                return values, self._arguments.validate(tool, values)
            except ArgumentsError as exc:
                missing = missing_arguments(exc.__cause__) - values.keys()
                name = next((name for name in links if name in missing), None)
                if name is None or image is None:
                    raise
            kind = links.pop(name)
            artifact = self._artifacts.newest(kind, image, target)
            value = artifact.value if artifact else None
            if artifact is None:
                value = await self._produce(kind, name, image, target, request, depth)
            if value is not None:
                values[name] = value

    async def _produce(
        self, kind: Any, name: str, image: str, target: str | None, request: OperationRequest, depth: int
    ) -> Any:
        """Run the operation whose result has a type; None when there is none."""
        producers = self._registry.producers(kind)
        if not producers or depth >= MAX_DEPTH:
            return None
        operation, result_field = producers[0]
        values: dict[str, Any] = {image_fields(operation.args)[0]: ImageRef(image)}
        target_name = target_field(operation.args)
        if target_name is not None and target is not None:
            # Boxes cannot enclose "everything except"; the tool that takes the boxes inverts the mask.
            values[target_name] = (kind == list[Box] and kept_part(target)) or target
        elif target_name is not None and operation.args.model_fields[target_name].is_required():
            raise ArgumentsError(
                f"{name}: say what to look for, or give {name} itself; no earlier "
                "step was about an object in this image"
            )
        if "strict" in operation.args.model_fields:
            values["strict"] = True
        inner = OperationRequest(operation=operation.name, values=values)
        outcome = await self.perform(inner, depth + 1)
        message = outcome.result.message if outcome.result else None
        request.messages.extend(filter(None, (*inner.messages, message)))
        value = getattr(outcome.result, result_field)
        if is_empty(value):
            raise ToolFailed(outcome.summary)
        return value

    # Running

    async def _fail(self, error: SetupError, request: OperationRequest) -> None:
        """Record a failed step of the best tool that is not ready."""
        candidates = self._registry.candidates(request.operation)
        best = next((tool for tool in candidates if self._registry.missing(tool)), None)
        if best is not None:
            self.record.fail(await self.record.start(best, None, request.call_id), error, error.needs)

    async def _attempt(
        self, tool: Tool, args: Args, request: OperationRequest, *, is_last: bool
    ) -> ToolOutcome:
        """One step; a second one if the first ran out of memory, or lost its process and no tool is left.

        A step that lost its machine, or its GPU and got another process, is tried again before other tools.
        """
        try:
            return await self._step(tool, args, request)
        except ToolFailed as exc:
            ran_out_of_memory = exc.__cause__ is not None and is_out_of_memory(exc.__cause__)
            is_lost = isinstance(exc, WorkerLost) and _may_run_again(exc, is_last)
            if not (ran_out_of_memory or (is_lost and tool.cacheable)):
                raise
        if ran_out_of_memory:
            await asyncio.to_thread(self._runtime.pool.free_unused)
        return await self._step(tool, args, request)

    async def _step(self, tool: Tool, args: Args, request: OperationRequest) -> ToolOutcome:
        self._remaining()  # before the next check: a call that ran out of time is cancelled too
        self.cancel.check()
        if len(self.record) >= self._max_calls:
            raise StopTurn(f"the limit of {self._max_calls} tool calls in one turn is reached")
        step = await self.record.start(tool, args, request.call_id)
        try:
            run = partial(self._execute, tool, args, step.number)
            if self._middleware is None:
                call = await run()
            else:
                call = await self._middleware.around_step(step.number, tool, step.arguments, run)
        except (CallError, SetupError, Cancelled) as exc:
            self.record.fail(step, exc, needs_of(self._registry, request, exc))
            raise
        except LeaseLost:
            raise
        except Exception as exc:  # a tool may raise anything; it becomes one line with its name
            log.exception("%s: tool %r failed", tool.plugin, tool.name)
            failed = raised_by(tool, exc)
            self.record.fail(step, failed)
            raise failed from exc
        if request.after is not None:
            await asyncio.wait((request.after,))
        self._artifacts.add(args, call.result)
        return self.record.finish(step, call, request)

    async def _execute(self, tool: Tool, args: Args, number: int) -> CallResult:
        report = self._on_progress
        return await self._runtime.execute(
            tool,
            args,
            cancel=self.cancel,
            timeout_s=self._remaining(),
            on_progress=None if report is None else partial(report, number),
            user=self._user_id,
        )

    def _remaining(self) -> float:
        """Seconds until the turn must end, without the time that it waited for its user.

        Raises:
            StopTurn: there are none.
        """
        waited_s = self._middleware.waited_s if self._middleware is not None else 0.0
        remaining = self._deadline + waited_s - time.monotonic()
        if remaining <= 0:
            raise StopTurn("the time limit of the turn is reached")
        return remaining


def _may_run_again(lost: WorkerLost, is_last: bool) -> bool:
    """Whether the same call may succeed in another process; ``is_last``: no other tool is left to try."""
    if isinstance(lost, DeviceLost):
        return lost.is_replaced
    return is_last or lost.is_machine_lost
