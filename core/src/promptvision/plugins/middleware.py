"""Middleware: what plugins do before and after a turn, a request to the planner, and a step."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from promptvision.conversations.turn import TurnKey, TurnStatus
from promptvision.llm.messages import ChatReply
from promptvision.llm.planner import PlanRequest
from promptvision.tools.tool import Result, Tool

__all__ = ["Middleware", "StepInfo", "TurnEnd", "TurnInfo"]


@dataclass(frozen=True, kw_only=True)
class TurnInfo:
    """A turn, as middleware sees it.

    Args:
        id: of the turn.
        key: user, conversation and idempotency key.
        prompt: the user's message.
    """

    id: str
    key: TurnKey
    prompt: str


@dataclass(frozen=True, kw_only=True)
class TurnEnd:
    """How a turn ended, once that is stored.

    Args:
        status: ``done``, ``failed`` or ``cancelled``.
        text: the answer.
        seconds: wall-clock time.
    """

    status: TurnStatus
    text: str
    seconds: float


@dataclass(frozen=True, kw_only=True)
class StepInfo:
    """A step, as middleware sees it.

    Args:
        turn: its turn; None for a tool that is called outside of a conversation.
        number: its number in the turn, from 1.
        tool: the tool; ``tool.leaves_machine`` and ``tool.costs_money`` are what it declares.
        arguments: its arguments as JSON; images by id.
        ask: see :meth:`approve`.
    """

    turn: TurnInfo | None
    number: int
    tool: Tool
    arguments: Mapping[str, Any]
    ask: Callable[[str], Awaitable[None]] = field(repr=False)

    async def approve(self, question: str) -> None:
        """Ask the user whether the step may run, and wait for the answer.

        The question is stored, and reaches the user in the terminal, as an event of the turn's stream and in
        the answer of ``POST /chat``. The user is not asked again about an equal step of the turn, even after
        a restart.
        The time that the user takes does not count against the limit of the turn.

        Args:
            question: one sentence that says what would happen.

        Raises:
            Refused: the user said no or did not answer, or there is no user to ask.
            Cancelled: the turn was cancelled.
        """
        await self.ask(question)


class Middleware:
    """Base class of middleware; override the methods that are needed.

    They run on the event loop and must not block it.
    ``before_*`` methods run in the order of the plugins, ``after_*`` methods in reverse. A method that raises
    is logged and changes nothing, with these exceptions:

    - ``before_step`` may raise :class:`~promptvision.errors.Refused`: the step fails with its message, and
      the next tool for the operation is tried.
    - every ``before_*`` method and ``after_planner`` may raise :class:`~promptvision.errors.StopTurn`: the
      turn ends with its message.
    - if :attr:`is_required` is set, any other error of these methods has the same effect, so that nothing
      runs without the middleware.
    """

    is_required = False
    """Whether the work must stop if a ``before_*`` method or ``after_planner`` fails."""

    async def before_turn(self, turn: TurnInfo) -> None:
        """A turn begins, or continues after an interruption."""

    async def after_turn(self, turn: TurnInfo, end: TurnEnd) -> None:
        """The end of a turn is stored."""

    async def on_turn_error(self, turn: TurnInfo, error: BaseException) -> None:
        """A turn could not be ended: a store failed, or the process stops."""

    async def before_planner(self, turn: TurnInfo, request: PlanRequest) -> PlanRequest | None:
        """The planner is about to be asked.

        Returns:
            The request to make instead; None to change nothing.
        """
        return None

    async def after_planner(self, turn: TurnInfo, request: PlanRequest, reply: ChatReply) -> ChatReply | None:
        """The planner has replied. Its text may have been streamed to the user already.

        Returns:
            The reply to use instead; None to change nothing.
        """
        return None

    async def on_planner_error(self, turn: TurnInfo, request: PlanRequest, error: Exception) -> None:
        """The planner failed."""

    async def before_step(self, step: StepInfo) -> None:
        """A step is stored as started, and its tool is about to run."""

    async def after_step(self, step: StepInfo, result: Result) -> None:
        """The tool of a step has returned."""

    async def on_step_error(self, step: StepInfo, error: Exception) -> None:
        """A step failed, was refused or was cancelled."""
