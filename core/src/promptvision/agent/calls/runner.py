"""Fulfilling one operation: fill in what is missing, run the best tool, fall back to the next."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from pydantic import ValidationError

from promptvision.agent.calls.artifacts import Artifacts
from promptvision.agent.journal import Journal
from promptvision.agent.planning.observation import observe
from promptvision.agent.reply import Step
from promptvision.conversations.turn import EventKind
from promptvision.errors import (
    ArgumentsError,
    CallError,
    Cancelled,
    LeaseLost,
    SetupError,
    StopTurn,
    ToolFailed,
)
from promptvision.images.handles import ImageTable
from promptvision.models.placement import is_out_of_memory
from promptvision.plugins.registry import Registry
from promptvision.runtime.cancellation import CancelToken
from promptvision.runtime.context import Progress, SavedImage
from promptvision.runtime.runtime import Outcome, Runtime
from promptvision.tools.artifacts import image_fields, link_types, missing_arguments, target_field
from promptvision.tools.context import MASK
from promptvision.tools.targets import is_complement, kept_part
from promptvision.tools.tool import Args, Result, Tool
from promptvision.types import Box, ImageRef, MaskRef

__all__ = ["Fulfilled", "StepRunner"]

log = logging.getLogger(__name__)

MAX_DEPTH = 8
"""How long a chain of prerequisites may get."""


@dataclass(frozen=True)
class _Request:
    """One operation to fulfil: its arguments so far, and the planner's call it belongs to."""

    operation: str
    values: dict[str, Any]
    call_id: str = ""
    notes: Sequence[str] = ()
    after: asyncio.Future[Any] | None = None
    remarks: list[str] = field(default_factory=list)
    """What its prerequisites had to say; it is part of the answer."""


@dataclass(frozen=True)
class Fulfilled:
    """What came of an operation.

    Args:
        result: the tool's result.
        told: for the LLM; empty when no call of its is answered.
        summary: for people.
    """

    result: Result
    told: str
    summary: str


class StepRunner:
    """Runs operations for one turn and keeps what they made.

    Args:
        registry: what is installed.
        runtime: runs single calls.
        table: the conversation's images; grows.
        artifacts: what earlier steps made; grows.
        cancel: polled between steps and by tools.
        deadline: ``time.monotonic()`` at which the turn must end.
        max_calls: tool calls in one turn.
        turn_seq: position of the turn in its conversation.
        journal: where steps are written before they run; None for calls outside of conversations.
        on_progress: told how far a running step is, with the step's number.
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
        self.images: list[dict[str, str]] = []
        self._registry = registry
        self._runtime = runtime
        self._artifacts = artifacts
        self.cancel = cancel
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
    ) -> Fulfilled:
        """Fulfil an operation, running prerequisites first as steps of their own.

        Args:
            operation: name of the operation.
            values: arguments; images as handles or references. What is missing is filled in by type.
            call_id: the planner's call that this answers.
            notes: what the planner should be told besides the result.
            after: the call before this one, if they are made side by side: what comes of this one is entered
                after what came of that one, so that handles do not depend on which ends first.

        Raises:
            ArgumentsError: an argument is wrong or lacking, and the planner can correct it.
            ToolFailed: no tool could do it.
            SetupError: something must be installed or configured before a tool can.
            StopTurn: a limit is reached.
            Cancelled: somebody asked to stop.
        """
        return await self._fulfil(_Request(operation, values, call_id, notes, after), depth=0)

    async def _fulfil(self, request: _Request, depth: int) -> Fulfilled:
        tools = self._registry.runnable(request.operation)
        if not tools:
            raise await self._cannot_run(request)
        tools = _able_to_invert(tools, request)
        values = await self._fill_in(tools[0], request, depth)
        failures: list[ToolFailed | SetupError] = []
        for tool in tools:
            try:
                args = self._validate(tool, values)
                return await self._attempt(tool, args, request)
            except (ToolFailed, SetupError) as exc:
                failures.append(exc)
        kind = SetupError if all(isinstance(exc, SetupError) for exc in failures) else ToolFailed
        raise kind("; ".join(dict.fromkeys(str(exc) for exc in failures)))

    # Arguments

    async def _fill_in(self, tool: Tool, request: _Request, depth: int) -> dict[str, Any]:
        """Arguments with the current image and the products of prerequisites filled in."""
        values = {name: value for name, value in request.values.items() if value is not None}
        pictures = image_fields(tool.args)
        if pictures and pictures[0] not in values and tool.args.model_fields[pictures[0]].is_required():
            values[pictures[0]] = self._current()
        image = self._resolve(values.get(pictures[0])) if pictures else None
        said = target_field(tool.args)
        target = values.get(said) if said else None
        for name, kind in link_types(tool.args).items():
            if image is None or not _is_lacking(values.get(name)) or name not in self._missing(tool, values):
                continue
            made = self._artifacts.newest(kind, image, target)
            values[name] = (
                made.value if made else await self._produce(kind, name, image, target, request, depth)
            )
        return {name: value for name, value in values.items() if not _is_lacking(value)}

    async def _produce(
        self, kind: Any, name: str, image: str, target: str | None, request: _Request, depth: int
    ) -> Any:
        """Run the operation whose result has a type; None when there is none."""
        producers = self._registry.producers(kind)
        if not producers or depth >= MAX_DEPTH:
            return None
        operation, field = producers[0]
        values: dict[str, Any] = {image_fields(operation.args)[0]: ImageRef(image)}
        wanted = target_field(operation.args)
        if wanted is not None and target is not None:
            # Boxes cannot be those of everything else; the tool that asks for them inverts.
            values[wanted] = (kind == list[Box] and kept_part(target)) or target
        elif wanted is not None and operation.args.model_fields[wanted].is_required():
            raise ArgumentsError(f"{name}: say what to look for, or give {name} itself")
        if "strict" in operation.args.model_fields:
            values["strict"] = True
        inner = _Request(operation.name, values)
        made = await self._fulfil(inner, depth + 1)
        request.remarks.extend(filter(None, (*inner.remarks, made.result.message)))
        value = getattr(made.result, field)
        if _is_lacking(value):
            raise ToolFailed(made.summary)
        return value

    def _current(self) -> ImageRef:
        if self.table.current is None:
            raise ArgumentsError("there is no picture in this conversation yet; send one with the request")
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

    def _missing(self, tool: Tool, values: dict[str, Any]) -> set[str]:
        """Arguments that a tool cannot do without; one that takes points needs no boxes."""
        try:
            self._validate(tool, values)
        except ArgumentsError as exc:
            return missing_arguments(exc.__cause__)
        return set()

    def _check_mask(self, name: str, mask: MaskRef) -> None:
        kinds = {record.kind for record in self.table.records if record.image_id == mask.id}
        if kinds and not kinds & {MASK, "input"}:
            raise ArgumentsError(f"{name}: {self.table.show(mask)} is no mask; leave it out or give a mask")

    async def _cannot_run(self, request: _Request) -> SetupError:
        """Why no tool can run here, entered as a failed step of the best one."""
        name = request.operation
        why = SetupError(f"{name} cannot run here: {self._registry.lacking(name)}")
        for tool in self._registry.candidates(name)[:1]:
            number = self._next_number()
            await self._write_start(number, tool, {}, request)
            self._close_failed(number, tool, {}, why, time.monotonic())
        return why

    # Running

    async def _attempt(self, tool: Tool, args: Args, request: _Request) -> Fulfilled:
        """One step; a second one after freeing memory when the first ran out of it."""
        try:
            return await self._step(tool, args, request)
        except ToolFailed as exc:
            if exc.__cause__ is None or not is_out_of_memory(exc.__cause__):
                raise
        await asyncio.to_thread(self._runtime.pool.free_unused)
        return await self._step(tool, args, request)

    async def _step(self, tool: Tool, args: Args, request: _Request) -> Fulfilled:
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:  # asked first: a call that ran out of time has set the wish to stop as well
            raise StopTurn("the time limit of the turn is reached")
        self.cancel.check()
        number = self._next_number()
        if number > self._max_calls:
            raise StopTurn(f"the limit of {self._max_calls} tool calls in one turn is reached")
        shown = args.model_dump(mode="json", exclude_none=True)
        await self._write_start(number, tool, shown, request)
        started = time.monotonic()
        try:
            outcome = await self._runtime.execute(
                tool, args, cancel=self.cancel, timeout_s=remaining, on_progress=self._progress_of(number)
            )
        except (CallError, SetupError, Cancelled) as exc:
            self._close_failed(number, tool, shown, exc, started)
            raise
        except LeaseLost:
            raise
        except Exception as exc:  # a tool may raise anything; it becomes one line with its name
            log.exception("%s: tool %r failed", tool.plugin, tool.name)
            failed = ToolFailed(
                f"{tool.plugin}: tool {tool.name!r}: {type(exc).__name__}: {_first_line(exc)}"
            )
            self._close_failed(number, tool, shown, failed, started)
            raise failed from exc
        if request.after is not None:
            await asyncio.wait((request.after,))
        self._artifacts.add(args, outcome.result)
        return self._close_done(number, tool, shown, outcome, request)

    def _next_number(self) -> int:
        return len(self.steps) + self._running + 1

    def _progress_of(self, number: int) -> Progress | None:
        tell = self._on_progress
        return None if tell is None else lambda done, total, message: tell(number, done, total, message)

    async def _write_start(self, number: int, tool: Tool, shown: dict[str, Any], request: _Request) -> None:
        self._running += 1
        if self._journal is None:
            return
        data = {"step": number, "call_id": request.call_id, "arguments": shown, **_names(tool)}
        await self._journal.write((EventKind.STEP_STARTED, data, None))

    def _close_done(
        self, number: int, tool: Tool, shown: dict[str, Any], outcome: Outcome, request: _Request
    ) -> Fulfilled:
        result = outcome.result
        entries = [self._enter(image, tool) for image in outcome.saved]
        step = Step(
            **_names(tool),
            status="done",
            arguments=shown,
            result=result.model_dump(mode="json", exclude_none=True),
            seconds=round(outcome.seconds, 4),
            cached=outcome.cached,
            message=result.message,
        )
        self._enter_step(step)
        told = observe(result, self.table, [*request.notes, *request.remarks]) if request.call_id else ""
        made = Fulfilled(result, told, " ".join(dict.fromkeys((result.summary(), *request.remarks))))
        self._write_end(number, step, entries, call_id=request.call_id, told=told, summary=made.summary)
        return made

    def _close_failed(
        self, number: int, tool: Tool, shown: dict[str, Any], exc: Exception, started: float
    ) -> None:
        step = Step(
            **_names(tool),
            status="cancelled" if isinstance(exc, Cancelled) else "failed",
            arguments=shown,
            seconds=round(time.monotonic() - started, 4),
            message=str(exc),
            needs_setup=isinstance(exc, SetupError),
        )
        self._enter_step(step)
        self._write_end(number, step, [])

    def _enter_step(self, step: Step) -> None:
        self._running -= 1
        self.steps.append(step)

    def _write_end(
        self,
        number: int,
        step: Step,
        entries: list[tuple[EventKind, dict[str, Any], str | None]],
        **told: str,
    ) -> None:
        if self._journal is None:
            return
        data = {"step": number, **step.stored(), **told}
        self._journal.post(*entries, (EventKind.STEP_FINISHED, data, None))

    def _enter(self, image: SavedImage, tool: Tool) -> tuple[EventKind, dict[str, Any], str | None]:
        record = self.table.add(
            image.id, image.kind, image.parent, tool.operation.name, image.width, image.height, self._turn_seq
        )
        self.images.append({"id": image.id, "handle": record.handle, "kind": image.kind})
        return EventKind.IMAGE, asdict(record), image.id


def _able_to_invert(tools: list[Tool], request: _Request) -> list[Tool]:
    """The tools that may get the request: where it means everything *but* the boxes, those that invert them.

    Raises:
        ToolFailed: there is none.
    """
    said = target_field(tools[0].args)
    target = request.values.get(said) if said else None
    if (
        list[Box] not in link_types(tools[0].args, required=True).values()
        or not target
        or not is_complement(target)
    ):
        return tools
    able = [tool for tool in tools if tool.takes_complements and kept_part(target)]
    if not able:
        raise ToolFailed(
            f"{request.operation}: cannot act on {target!r}: no tool here selects all but a thing; name the "
            "thing to change instead"
        )
    return able


def _names(tool: Tool) -> dict[str, Any]:
    return {"operation": tool.operation.name, "tool": tool.name, "plugin": tool.plugin}


def _is_lacking(value: Any) -> bool:
    return value is None or value in ("", [])


def _first_line(exc: BaseException) -> str:
    return (str(exc).splitlines() or [""])[0][:500]


def _problem(error: Any) -> str:
    """One line for one field: what is wrong and what is allowed."""
    where = ".".join(str(part) for part in error["loc"]) or "arguments"
    if error["type"] == "missing":
        return f"{where}: is needed"
    return f"{where}: {error['msg'].removeprefix('Value error, ')}"
