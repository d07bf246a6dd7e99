"""Run one operation: complete its arguments, run the best tool, fall back to the next one."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from pydantic import ValidationError

from promptvision.agent.calls.artifacts import Artifacts
from promptvision.agent.journal import Entry, Journal
from promptvision.agent.outcome import ToolOutcome
from promptvision.agent.planning.observation import observe
from promptvision.agent.reply import MadeImage, Step, image_ids
from promptvision.conversations.turn import EventKind
from promptvision.errors import (
    ArgumentsError,
    CallError,
    Cancelled,
    LeaseLost,
    SetupError,
    StopTurn,
    ToolFailed,
    WorkerLost,
)
from promptvision.images.handles import ImageTable
from promptvision.models.placement import is_out_of_memory
from promptvision.plugins.registry import Registry
from promptvision.runtime.cancellation import CancelToken
from promptvision.runtime.context import Progress, SavedImage
from promptvision.runtime.runtime import CallResult, Runtime
from promptvision.tools.artifacts import image_fields, link_types, missing_arguments, target_field
from promptvision.tools.boxes import box_fields, read_boxes
from promptvision.tools.context import INPUT, MASK
from promptvision.tools.targets import is_complement, kept_part
from promptvision.tools.tool import Args, Tool
from promptvision.types import Box, ImageRef, MaskRef

__all__ = ["StepRunner"]

log = logging.getLogger(__name__)

MAX_DEPTH = 8
"""Longest chain of prerequisites."""


@dataclass(frozen=True, kw_only=True)
class _Request:
    """An operation to run.

    Args:
        operation: its name.
        values: the arguments so far.
        call_id: the planner's call; empty for a prerequisite.
        notes: what was changed in the arguments.
        after: the call before this one, when both run in parallel.
        messages: reports of its prerequisites; part of the outcome.
    """

    operation: str
    values: dict[str, Any]
    call_id: str = ""
    notes: Sequence[str] = ()
    after: asyncio.Future[Any] | None = None
    messages: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class _StartedStep:
    """A step that is journaled as started.

    Args:
        number: its number in the turn, from 1.
        tool: the tool that runs.
        arguments: its arguments as JSON.
        image_ids: the images among them.
        started_at: ``time.monotonic()``.
    """

    number: int
    tool: Tool
    arguments: dict[str, Any]
    image_ids: tuple[str, ...]
    started_at: float


class StepRunner:
    """Runs operations for one turn and keeps their results.

    Args:
        registry: the installed tools and their availability.
        runtime: runs single tool calls.
        table: the conversation's images; new ones are added.
        artifacts: typed results of earlier steps; new ones are added.
        cancel: checked between steps and by tools.
        deadline: ``time.monotonic()`` at which the turn must end.
        max_calls: limit of tool calls in one turn.
        turn_seq: position of the turn in its conversation.
        journal: where a step is written before it runs; None for a call outside of conversations.
        on_progress: called with the step's number and its progress.
    """

    def __init__(
        self,
        registry: Registry,
        runtime: Runtime,
        table: ImageTable,
        artifacts: Artifacts,
        *,
        cancel: CancelToken,
        deadline: float,
        max_calls: int,
        turn_seq: int = 0,
        journal: Journal | None = None,
        on_progress: Callable[[int, float, float, str], None] | None = None,
    ) -> None:
        self.table = table
        self.steps: list[Step] = []
        self.images: list[MadeImage] = []
        self.cancel = cancel
        self._registry = registry
        self._runtime = runtime
        self._artifacts = artifacts
        self._deadline = deadline
        self._max_calls = max_calls
        self._turn_seq = turn_seq
        self._journal = journal
        self._on_progress = on_progress
        self._running = 0

    async def perform(
        self,
        operation: str,
        values: dict[str, Any],
        *,
        call_id: str = "",
        notes: Sequence[str] = (),
        after: asyncio.Future[Any] | None = None,
    ) -> ToolOutcome:
        """Run an operation; prerequisites run first, as steps of their own.

        Args:
            operation: name of the operation.
            values: arguments; images as handles or references. Missing ones are filled in by type.
            call_id: the planner's call that the outcome answers.
            notes: notes for the planner in addition to the result.
            after: the call before this one, when both run in parallel: the images of this one are added
                after those of that one, so that handles do not depend on which call ends first.

        Raises:
            ArgumentsError: an argument is wrong or missing, and the planner can correct it.
            ToolFailed: no tool could do it.
            SetupError: something must be installed or configured before a tool can run.
            StopTurn: a limit is reached.
            Cancelled: cancellation was requested.
        """
        request = _Request(operation=operation, values=values, call_id=call_id, notes=notes, after=after)
        return await self._fulfil(request, depth=0)

    async def _fulfil(self, request: _Request, depth: int) -> ToolOutcome:
        tools = self._registry.runnable(request.operation)
        if not tools:
            raise await self._fail_unavailable(request)
        tools = _tools_that_invert(tools, request)
        values, args = await self._complete(tools[0], request, depth)
        failures: list[ToolFailed | SetupError] = []
        for tool in tools:
            try:
                if type(args) is not tool.args:
                    args = self._validate(tool, values)
                if _accepts(tool, args):
                    return await self._attempt(tool, args, request, is_last=tool is tools[-1])
            except (ToolFailed, SetupError) as exc:
                failures.append(exc)
        if not failures:
            raise await self._fail_declined(tools, request)
        kind = SetupError if all(isinstance(exc, SetupError) for exc in failures) else ToolFailed
        raise kind("; ".join(dict.fromkeys(str(exc) for exc in failures)))

    # Arguments

    async def _complete(self, tool: Tool, request: _Request, depth: int) -> tuple[dict[str, Any], Args]:
        """Arguments with the current image and the products of prerequisites; as values and validated."""
        values = {name: value for name, value in request.values.items() if not _is_empty(value)}
        fields = image_fields(tool.args)
        if fields and fields[0] not in values and tool.args.model_fields[fields[0]].is_required():
            values[fields[0]] = self._current()
        image = self._resolve(values.get(fields[0])) if fields else None
        if image is not None:
            self._read_boxes(tool, values, image, request)
        target_name = target_field(tool.args)
        target = values.get(target_name) if target_name else None
        if not isinstance(target, str | None):
            raise ArgumentsError(f"{target_name}: Input should be a valid string")
        links = {} if image is None else dict(link_types(tool.args))
        while True:
            try:
                return values, self._validate(tool, values)
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
        self, kind: Any, name: str, image: str, target: str | None, request: _Request, depth: int
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
                "step was about a thing in this image"
            )
        if "strict" in operation.args.model_fields:
            values["strict"] = True
        inner = _Request(operation=operation.name, values=values)
        outcome = await self._fulfil(inner, depth + 1)
        message = outcome.result.message if outcome.result else None
        request.messages.extend(filter(None, (*inner.messages, message)))
        value = getattr(outcome.result, result_field)
        if _is_empty(value):
            raise ToolFailed(outcome.summary)
        return value

    def _current(self) -> ImageRef:
        if self.table.current is None:
            raise ArgumentsError("there is no image in this conversation yet; send one with the request")
        return ImageRef(self.table.current.image_id)

    def _resolve(self, value: Any) -> str | None:
        if isinstance(value, ImageRef):
            return value.id
        if not isinstance(value, str):
            return None
        try:
            return self.table.resolve(value)
        except ValueError as exc:
            raise ArgumentsError(f"image: {exc}") from exc

    def _read_boxes(self, tool: Tool, values: dict[str, Any], image: str, request: _Request) -> None:
        """Replace boxes, in whatever form they were written, by boxes in pixels."""
        size = next(((r.width, r.height) for r in self.table.records if r.image_id == image), None)
        for name, is_list in box_fields(tool.args).items():
            if size is None or name not in values:
                continue
            boxes, notes = read_boxes(values[name], size, name=name)
            request.messages.extend(notes)
            if not is_list and len(boxes) > 1:
                raise ArgumentsError(f"{name}: give one box, not {len(boxes)}")
            values[name] = boxes if is_list else boxes[0]

    def _validate(self, tool: Tool, values: dict[str, Any]) -> Args:
        known = {name: value for name, value in values.items() if name in tool.args.model_fields}
        try:
            args = tool.args.model_validate(known, context={"resolve": self.table.resolve})
        except ValidationError as exc:
            raise ArgumentsError([_problem(error) for error in exc.errors()]) from exc
        for name, value in vars(args).items():
            if isinstance(value, MaskRef):
                self._check_mask(name, value)
        return args

    def _check_mask(self, name: str, mask: MaskRef) -> None:
        kinds = {record.kind for record in self.table.records if record.image_id == mask.id}
        if kinds and not kinds & {MASK, INPUT}:
            raise ArgumentsError(
                f"{name}: {self.table.show(mask)} is not a mask; leave it out or give a mask"
            )

    # Running

    async def _fail_unavailable(self, request: _Request) -> SetupError:
        """Journal a failed step of the best tool with the reason why no tool can run here."""
        name = request.operation
        error = SetupError(f"{name} cannot run here: {self._registry.missing_reason(name)}")
        for tool in self._registry.candidates(name)[:1]:
            self._fail_step(await self._start_step(tool, None, request), error)
        return error

    async def _fail_declined(self, tools: list[Tool], request: _Request) -> ToolFailed | SetupError:
        """The reason why no tool accepts these arguments, with what to install if that could help."""
        name = request.operation
        reasons = [f"tool {tool.name!r}: {tool.limits or 'it does not serve them'}" for tool in tools]
        absent = [tool for tool in self._registry.candidates(name) if self._registry.missing(tool)]
        if not absent:
            return ToolFailed(f"{name}: no tool here serves these arguments: {' '.join(reasons)}")
        needs = [
            f"tool {tool.name!r}: {one.what}; {one.fix}"
            for tool in absent
            for one in self._registry.missing(tool)
        ]
        error = SetupError(
            f"{name} cannot run here with these arguments: {' '.join(reasons)} "
            f"Not ready: {'; or '.join(needs)}"
        )
        self._fail_step(await self._start_step(absent[0], None, request), error)
        return error

    async def _attempt(self, tool: Tool, args: Args, request: _Request, *, is_last: bool) -> ToolOutcome:
        """One step; a second one if the first ran out of memory, or lost its process and no tool is left."""
        try:
            return await self._step(tool, args, request)
        except ToolFailed as exc:
            ran_out_of_memory = exc.__cause__ is not None and is_out_of_memory(exc.__cause__)
            if not (ran_out_of_memory or (is_last and tool.cacheable and isinstance(exc, WorkerLost))):
                raise
        if ran_out_of_memory:
            await asyncio.to_thread(self._runtime.pool.free_unused)
        return await self._step(tool, args, request)

    async def _step(self, tool: Tool, args: Args, request: _Request) -> ToolOutcome:
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:  # before the next check: a call that ran out of time is cancelled too
            raise StopTurn("the time limit of the turn is reached")
        self.cancel.check()
        if self._next_number() > self._max_calls:
            raise StopTurn(f"the limit of {self._max_calls} tool calls in one turn is reached")
        step = await self._start_step(tool, args, request)
        try:
            call = await self._runtime.execute(
                tool, args, cancel=self.cancel, timeout_s=remaining, on_progress=self._progress(step.number)
            )
        except (CallError, SetupError, Cancelled) as exc:
            self._fail_step(step, exc)
            raise
        except LeaseLost:
            raise
        except Exception as exc:  # a tool may raise anything; it becomes one line with its name
            log.exception("%s: tool %r failed", tool.plugin, tool.name)
            failed = ToolFailed(
                f"{tool.plugin}: tool {tool.name!r}: {type(exc).__name__}: {_first_line(exc)}"
            )
            self._fail_step(step, failed)
            raise failed from exc
        if request.after is not None:
            await asyncio.wait((request.after,))
        self._artifacts.add(args, call.result)
        return self._finish_step(step, call, request)

    def _next_number(self) -> int:
        return len(self.steps) + self._running + 1

    def _progress(self, number: int) -> Progress | None:
        report = self._on_progress
        return None if report is None else lambda done, total, message: report(number, done, total, message)

    async def _start_step(self, tool: Tool, args: Args | None, request: _Request) -> _StartedStep:
        """Journal the start of a step."""
        step = _StartedStep(
            number=self._next_number(),
            tool=tool,
            arguments={} if args is None else args.model_dump(mode="json", exclude_none=True),
            image_ids=tuple(image_ids(args)),
            started_at=time.monotonic(),
        )
        self._running += 1
        if self._journal is not None:
            data = {
                "step": step.number,
                "call_id": request.call_id,
                "arguments": step.arguments,
                "image_ids": list(step.image_ids),
                **_names(tool),
            }
            await self._journal.write((EventKind.STEP_STARTED, data, None))
        return step

    def _finish_step(self, started: _StartedStep, call: CallResult, request: _Request) -> ToolOutcome:
        """Add the images and the step of a finished call, and journal them with its outcome."""
        result, tool = call.result, started.tool
        entries = [self._add_image(image, tool) for image in call.saved]
        step = Step(
            **_names(tool),
            status="done",
            arguments=started.arguments,
            result=result.model_dump(mode="json", exclude_none=True),
            seconds=round(call.seconds, 4),
            cached=call.cached,
            message=result.message,
            models=call.models,
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
        self._end_step(started, step, entries, outcome)
        return outcome

    def _fail_step(self, started: _StartedStep, error: Exception) -> None:
        step = Step(
            **_names(started.tool),
            status="cancelled" if isinstance(error, Cancelled) else "failed",
            arguments=started.arguments,
            seconds=round(time.monotonic() - started.started_at, 4),
            message=str(error),
            needs_setup=isinstance(error, SetupError),
            image_ids=started.image_ids,
        )
        self._end_step(started, step, [], None)

    def _end_step(
        self, started: _StartedStep, step: Step, entries: list[Entry], outcome: ToolOutcome | None
    ) -> None:
        self._running -= 1
        self.steps.append(step)
        if self._journal is None:
            return
        data = {"step": started.number, **step.stored()}
        if outcome is not None and outcome.call_id:
            data["outcome"] = outcome.stored()
        self._journal.post(*entries, (EventKind.STEP_FINISHED, data, None))

    def _add_image(self, image: SavedImage, tool: Tool) -> Entry:
        record = self.table.add(
            image.id, image.kind, image.parent, tool.operation.name, image.width, image.height, self._turn_seq
        )
        self.images.append({"id": image.id, "handle": record.handle, "kind": image.kind})
        return EventKind.IMAGE, asdict(record), image.id


def _accepts(tool: Tool, args: Args) -> bool:
    """Whether a tool accepts these arguments.

    Raises:
        ToolFailed: its ``accepts`` raised.
    """
    if tool.accepts is None:
        return True
    try:
        return bool(tool.accepts(args))
    except Exception as exc:  # a plugin's function may raise anything
        log.exception("%s: tool %r: accepts failed", tool.plugin, tool.name)
        raise ToolFailed(
            f"{tool.plugin}: tool {tool.name!r}: accepts: {type(exc).__name__}: {_first_line(exc)}"
        ) from exc


def _tools_that_invert(tools: list[Tool], request: _Request) -> list[Tool]:
    """The tools that can run the request; for "everything except", those that can invert the boxes.

    Raises:
        ToolFailed: there is none.
    """
    target_name = target_field(tools[0].args)
    target = request.values.get(target_name) if target_name else None
    if (
        list[Box] not in link_types(tools[0].args, required=True).values()
        or not isinstance(target, str)
        or not is_complement(target)
    ):
        return tools
    capable = [tool for tool in tools if tool.takes_complements and kept_part(target)]
    if not capable:
        raise ToolFailed(
            f"{request.operation}: cannot act on {target!r}: no tool here selects all but a thing; name the "
            "thing to change instead"
        )
    return capable


def _names(tool: Tool) -> dict[str, Any]:
    return {"operation": tool.operation.name, "tool": tool.name, "plugin": tool.plugin}


def _is_empty(value: Any) -> bool:
    return value is None or value in ("", [])


def _first_line(exc: BaseException) -> str:
    return (str(exc).splitlines() or [""])[0][:500]


def _problem(error: Any) -> str:
    """One line for one field: what is wrong and what is allowed."""
    where = ".".join(str(part) for part in error["loc"]) or "arguments"
    if error["type"] == "missing":
        return f"{where}: is needed"
    return f"{where}: {error['msg'].removeprefix('Value error, ')}"
