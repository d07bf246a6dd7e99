"""Call the middleware of plugins around one turn, its requests to the planner and its steps."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NoReturn, TypeVar

from promptvision.agent.approvals import Answer, Approval, Approvals, collect_answers
from promptvision.agent.journal import Journal
from promptvision.conversations.turn import EventKind, Turn, TurnStatus
from promptvision.errors import Cancelled, Refused, StopTurn
from promptvision.llm.messages import ChatReply
from promptvision.llm.planner import PlanRequest
from promptvision.plugins.middleware import Middleware, StepInfo, TurnEnd, TurnInfo
from promptvision.runtime.cancellation import CancelToken
from promptvision.runtime.runtime import CallResult
from promptvision.tools.tool import Tool

__all__ = ["TurnMiddleware"]

log = logging.getLogger(__name__)

T = TypeVar("T")


class TurnMiddleware:
    """The middleware of one turn, or of a tool that is called outside of a conversation.

    Args:
        middleware: in the order of the plugins.
        cancel: of the turn.
        turn: the claimed turn, with the events of an earlier try; None outside of a conversation.
        journal: where questions and answers are written; None outside of a conversation.
        approvals: where the user is asked; None outside of a conversation.
    """

    def __init__(
        self,
        middleware: Sequence[Middleware],
        cancel: CancelToken,
        *,
        turn: Turn | None = None,
        journal: Journal | None = None,
        approvals: Approvals | None = None,
    ) -> None:
        self._middleware = tuple(middleware)
        self._cancel = cancel
        self._journal = journal
        self._approvals = approvals
        self._turn = TurnInfo(id=turn.id, key=turn.key, prompt=turn.prompt) if turn is not None else None
        self._answers = _answers_of(turn)
        self._began = time.monotonic()
        self._asking = 0
        self._asked_at = 0.0
        self.waited_s = 0.0
        """How long the turn has waited for its user."""

    # Turns

    async def before_turn(self) -> None:
        """Call ``before_turn``.

        Raises:
            StopTurn: a middleware refused the turn, or a required one failed.
        """
        turn = self._of_turn()
        for one in self._middleware:
            await _guarded(one, one.before_turn(turn), StopTurn)

    async def after_turn(self, status: TurnStatus, text: str) -> None:
        """Call ``after_turn``; errors are logged."""
        end = TurnEnd(status=status, text=text, seconds=time.monotonic() - self._began)
        for one in reversed(self._middleware):
            await _watched(one, one.after_turn(self._of_turn(), end))

    async def on_turn_error(self, error: BaseException) -> None:
        """Call ``on_turn_error``; errors are logged."""
        for one in reversed(self._middleware):
            await _watched(one, one.on_turn_error(self._of_turn(), error))

    # Planner

    async def around_planner(
        self, request: PlanRequest, complete: Callable[[PlanRequest], Awaitable[ChatReply]]
    ) -> ChatReply:
        """Ask the planner, with the middleware before and after.

        Raises:
            StopTurn: a middleware ends the turn, or a required one failed.
        """
        turn = self._of_turn()
        for one in self._middleware:
            request = await _guarded(one, one.before_planner(turn, request), StopTurn) or request
        try:
            reply = await complete(request)
        except Exception as exc:
            for one in reversed(self._middleware):
                await _watched(one, one.on_planner_error(turn, request, exc))
            raise
        for one in reversed(self._middleware):
            reply = await _guarded(one, one.after_planner(turn, request, reply), StopTurn) or reply
        return reply

    # Steps

    async def around_step(
        self,
        number: int,
        tool: Tool,
        arguments: Mapping[str, Any],
        run: Callable[[], Awaitable[CallResult]],
    ) -> CallResult:
        """Run a step, with the middleware before and after.

        Raises:
            Refused: a middleware refused the step, or a required one failed.
            StopTurn: a middleware ends the turn.
        """

        async def ask(question: str) -> None:
            await self._approve(number, tool, arguments, question)

        step = StepInfo(turn=self._turn, number=number, tool=tool, arguments=arguments, ask=ask)
        try:
            for one in self._middleware:
                await _guarded(one, one.before_step(step), Refused)
            call = await run()
        except Exception as exc:
            for one in reversed(self._middleware):
                await _watched(one, one.on_step_error(step, exc))
            raise
        for one in reversed(self._middleware):
            await _watched(one, one.after_step(step, call.result))
        return call

    async def _approve(self, number: int, tool: Tool, arguments: Mapping[str, Any], question: str) -> None:
        key = _key(tool.operation.name, tool.name, tool.plugin, question, arguments)
        answer = self._answers.get(key)
        if answer is None:
            answer = await self._ask(number, tool, arguments, question)
            self._answers[key] = answer
        if not answer.approved:
            why = f": {answer.reason}" if answer.reason else ""
            raise Refused(f"{tool.plugin}: tool {tool.name!r} was not approved{why}")

    async def _ask(self, number: int, tool: Tool, arguments: Mapping[str, Any], question: str) -> Answer:
        journal, approvals = self._journal, self._approvals
        if journal is None or approvals is None or not approvals.can_ask:
            return Answer(False, f"there is no one here to ask. {question}")
        approval = Approval(
            approval_id=f"{number}-{len(self._answers) + self._asking + 1}",
            step=number,
            operation=tool.operation.name,
            tool=tool.name,
            plugin=tool.plugin,
            question=question,
            arguments=arguments,
        )
        await journal.write((EventKind.APPROVAL_ASKED, approval.stored(), None))
        self._begin_wait()
        elsewhere = asyncio.create_task(collect_answers(approvals, journal.read_answers))
        try:
            answer = await approvals.ask(approval, self._cancel)
        finally:
            elsewhere.cancel()
            self._end_wait()
        data = {"approval_id": approval.approval_id, "approved": answer.approved, "reason": answer.reason}
        await journal.write((EventKind.APPROVAL_ANSWERED, data, None))
        return answer

    def _begin_wait(self) -> None:
        if not self._asking:
            self._asked_at = time.monotonic()
        self._asking += 1

    def _end_wait(self) -> None:
        self._asking -= 1
        if not self._asking:
            self.waited_s += time.monotonic() - self._asked_at

    def _of_turn(self) -> TurnInfo:
        if self._turn is None:
            raise RuntimeError("there is no turn")
        return self._turn


async def _guarded(owner: Middleware, work: Awaitable[T | None], kind: type[Refused | StopTurn]) -> T | None:
    """What a method of a middleware returns; None if it failed and is not required.

    Args:
        owner: the middleware.
        work: the call of its method.
        kind: raised if it failed and is required.
    """
    try:
        return await work
    except (StopTurn, Cancelled):
        raise
    except Refused as exc:
        _raise_as(kind, exc)
    except Exception as exc:
        log.exception("middleware %r failed", owner)
        if owner.is_required:
            name = f"{type(owner).__module__}.{type(owner).__qualname__}"
            raise kind(f"middleware {name} failed: {type(exc).__name__}: {exc}") from exc
        return None


def _raise_as(kind: type[Refused | StopTurn], error: Refused) -> NoReturn:
    if kind is Refused:
        raise error
    raise kind(error.message, hint=error.hint) from error


async def _watched(owner: Middleware, work: Awaitable[None]) -> None:
    """Await a method that only observes; an error is logged."""
    try:
        await work
    except Exception:  # isolation: the work is done, whatever a middleware does
        log.exception("middleware %r failed", owner)


def _answers_of(turn: Turn | None) -> dict[str, Answer]:
    """The answers that an earlier try of the turn got, by what was asked."""
    asked: dict[str, Approval] = {}
    answers: dict[str, Answer] = {}
    for event in turn.events if turn is not None else ():
        if event.kind is EventKind.APPROVAL_ASKED:
            approval = Approval.from_stored(event.data)
            asked[approval.approval_id] = approval
        elif event.kind is EventKind.APPROVAL_ANSWERED:
            one = asked[event.data["approval_id"]]
            key = _key(one.operation, one.tool, one.plugin, one.question, one.arguments)
            answers[key] = Answer(event.data["approved"], event.data["reason"])
    return answers


def _key(*parts: Any) -> str:
    return json.dumps(parts, sort_keys=True)
