"""The plan of one turn, reused for other images.

A plan is the list of calls that a planner made for one image. It is used for another image only if no
argument depends on the first image: see :func:`plan_of`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from promptvision.agent.outcome import ToolOutcome, outcomes_of
from promptvision.conversations.turn import Event, EventKind, Turn, TurnStatus
from promptvision.images.handles import ImageRecord, ImageTable
from promptvision.llm.messages import ChatReply, ToolCall
from promptvision.llm.planner import Planner, PlanRequest

__all__ = ["ImageSpecific", "Plan", "PlanFollower", "PlannedCall", "plan_of"]

MIN_ECHO_CHARS = 4
"""Shorter texts occur in results by chance."""

_HANDLE = re.compile(r"\s*\[?\s*img_\d+\s*\]?\s*", re.ASCII | re.IGNORECASE)
_PIXELS = re.compile(r"(x|y|left|right|top|bottom|width|height|size|radius|side)\d*(_px)?", re.ASCII)


class ImageSpecific(Exception):
    """The calls of a turn depend on its image; the message says why."""


@dataclass(frozen=True)
class PlannedCall:
    """One call of a plan.

    Args:
        name: the operation.
        arguments: as the planner wrote them, without those that the core fills in.
    """

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Plan:
    """Calls to make for each image, in order."""

    calls: tuple[PlannedCall, ...]

    def stored(self) -> list[dict[str, Any]]:
        """The plan as plain JSON."""
        return [{"name": call.name, "arguments": dict(call.arguments)} for call in self.calls]

    @classmethod
    def from_stored(cls, stored: list[dict[str, Any]]) -> Self:
        """The plan that :meth:`stored` was made from."""
        return cls(tuple(PlannedCall(call["name"], call["arguments"]) for call in stored))


def plan_of(turn: Turn) -> Plan:
    """The calls of an ended turn that started from one image, for use with other images.

    Calls that failed are left out. An argument depends on the image if it

    - names an image other than the one sent with the turn or the current one,
    - holds coordinates: a list with numbers, or a number for a position or a size that the prompt does not
      have,
    - repeats what an earlier call of the turn found, unless the prompt has the same words.

    Raises:
        ImageSpecific: an argument depends on the image, no call was made, or the turn did not succeed.
    """
    if turn.status is not TurnStatus.DONE:
        raise ImageSpecific(f"the turn has ended as {turn.status}")
    outcomes = {outcome.call_id: outcome for outcome in outcomes_of(turn.events)}
    reader = _Reader(turn.prompt.casefold())
    for event in turn.events:
        reader.read(event, outcomes)
    if not reader.calls:
        raise ImageSpecific("the planner answered without a call")
    return Plan(tuple(reader.calls))


@dataclass
class _Reader:
    """Reads the journal of a turn in order.

    Args:
        prompt: case-folded.
        calls: the calls so far.
        found: texts and numbers in the results so far.
        table: the images so far.
    """

    prompt: str
    calls: list[PlannedCall] = field(default_factory=list)
    found: set[str] = field(default_factory=set)
    table: ImageTable = field(default_factory=ImageTable)

    def read(self, event: Event, outcomes: Mapping[str, ToolOutcome]) -> None:
        if event.kind is EventKind.IMAGE:
            self.table.include([ImageRecord(**event.data)])
        elif event.kind is EventKind.MESSAGE:
            for call in event.data["tool_calls"]:
                outcome = outcomes.get(call["id"])
                if outcome is not None and not outcome.failed:
                    self.calls.append(self._call(call["name"], call["arguments"]))
        elif outcome := event.data.get("outcome"):
            leaves = _leaves(_parse(outcome.get("content", "")))
            self.found.update(leaf for leaf in leaves if len(leaf) >= MIN_ECHO_CHARS)

    def _call(self, name: str, arguments: Any) -> PlannedCall:
        arguments = _parse(arguments) if isinstance(arguments, str) else arguments
        if not isinstance(arguments, Mapping):
            raise ImageSpecific(f"{name}: its arguments are not an object")
        kept = {}
        for argument, value in arguments.items():
            if isinstance(value, str) and _HANDLE.fullmatch(value):
                if (handle := self._handle(f"{name}: {argument}", value)) is not None:
                    kept[argument] = handle
                continue
            self._check(f"{name}: {argument}", argument, value)
            kept[argument] = value
        return PlannedCall(name, kept)

    def _handle(self, where: str, value: str) -> str | None:
        """The handle to use for every image; None for the current image, which the core fills in."""
        current = self.table.current
        try:
            image_id = self.table.resolve(value)
        except ValueError as exc:
            raise ImageSpecific(f"{where}: {exc}") from exc
        if current is not None and image_id == current.image_id:
            return None
        first = self.table.records[0]
        if image_id == first.image_id:
            return first.handle
        raise ImageSpecific(f"{where} names {value}, which another image need not have")

    def _check(self, where: str, argument: str, value: Any) -> None:
        if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
            value = _parse(value)
        if isinstance(value, list | tuple | dict):
            if any(_is_number(leaf) for leaf in _leaves(value)):
                raise ImageSpecific(f"{where} holds coordinates")
            for leaf in _leaves(value):
                self._check_echo(where, leaf)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            is_pixels = _PIXELS.fullmatch(argument) is not None
            if is_pixels and not re.search(rf"(?<!\d){re.escape(f'{value:g}')}(?!\d)", self.prompt):
                raise ImageSpecific(f"{where} is a position or size that the prompt does not have")
        elif isinstance(value, str):
            self._check_echo(where, value)

    def _check_echo(self, where: str, value: str) -> None:
        text = value.casefold().strip()
        if len(text) < MIN_ECHO_CHARS or text in self.prompt:
            return
        if any(text in found or found in text for found in self.found if found not in self.prompt):
            raise ImageSpecific(f"{where} repeats what an earlier call found")


def _leaves(value: Any) -> Iterator[str]:
    """All texts and numbers inside a JSON value, as case-folded text."""
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield f"{value:g}"
    elif isinstance(value, str):
        yield value.casefold().strip()


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


class PlanFollower:
    """A planner that makes the calls of a plan, and asks another one if a call fails.

    Args:
        plan: the calls.
        planner: decides the next steps once a call has failed; it gets the calls and their results.
    """

    def __init__(self, plan: Plan, planner: Planner) -> None:
        self._plan = plan
        self._planner = planner
        self.name = planner.name
        self.context_tokens = planner.context_tokens

    async def complete(self, request: PlanRequest) -> ChatReply:
        """The next call, or the answer when all are made: the summaries of the results."""
        outcomes = request.outcomes
        if any(outcome.failed for outcome in outcomes):
            return await self._planner.complete(request)
        if len(outcomes) == len(self._plan.calls) or request.tool_choice == "none":
            text = " ".join(dict.fromkeys(outcome.summary for outcome in outcomes))
            return ChatReply(text=text, planner=self.name)
        call = self._plan.calls[len(outcomes)]
        made = ToolCall(id=f"plan_{len(outcomes)}", name=call.name, arguments=dict(call.arguments))
        return ChatReply(tool_calls=(made,), finish_reason="tool_calls", planner=self.name)

    async def close(self) -> None:
        """Do nothing: the planner that it asks belongs to the agent."""
