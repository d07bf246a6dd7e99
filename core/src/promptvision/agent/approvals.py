"""The questions of a turn that wait for its user."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from promptvision.conversations.turn import EventKind, Turn, TurnStatus
from promptvision.errors import NotFound, StoreError
from promptvision.runtime.cancellation import CancelToken

__all__ = ["ANSWER_S", "Answer", "Approval", "Approvals", "collect_answers", "open_questions"]

log = logging.getLogger(__name__)

POLL_S = 1.0
"""How often a waiting turn reads the answers that other processes have recorded."""
ANSWER_S = 900.0
"""How long the user may take to answer; no answer is a refusal."""


@dataclass(frozen=True, kw_only=True)
class Approval:
    """A question whether a step may run.

    Args:
        approval_id: unique in the turn.
        step: number of the step.
        operation, tool, plugin: what would run.
        question: for the user, in one sentence.
        arguments: of the step, as JSON; images by id.
    """

    approval_id: str
    step: int
    operation: str
    tool: str
    plugin: str
    question: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def stored(self) -> dict[str, Any]:
        """The question as plain JSON, for the journal and for users."""
        return {**asdict(self), "arguments": dict(self.arguments)}

    @classmethod
    def from_stored(cls, stored: Mapping[str, Any]) -> Self:
        """The question that :meth:`stored` was made from."""
        return cls(**stored)


@dataclass(frozen=True)
class Answer:
    """The user's answer.

    Args:
        approved: whether the step may run.
        reason: why not, in the user's words.
    """

    approved: bool
    reason: str = ""

    def stored(self) -> dict[str, Any]:
        """The answer as plain JSON."""
        return asdict(self)

    @classmethod
    def from_stored(cls, stored: Mapping[str, Any]) -> Self:
        """The answer that :meth:`stored` was made from."""
        return cls(**stored)


class Approvals:
    """The open questions of one turn. Questions are asked on the turn's event loop, answered from any thread.

    ``can_ask`` says whether a user will see the question. Frontends with a user set it.
    """

    def __init__(self) -> None:
        self.can_ask = False
        self.listeners: list[Callable[[Approval], None]] = []
        """Called on the event loop with each question once it is stored."""
        self._open: dict[str, tuple[Approval, asyncio.Future[Answer]]] = {}
        self._is_asking = asyncio.Event()

    @property
    def pending(self) -> list[Approval]:
        """The questions without an answer, oldest first."""
        return [approval for approval, answer in list(self._open.values()) if not answer.done()]

    async def wait(self) -> Approval:
        """Wait until there is a question, and return it."""
        while not (pending := self.pending):
            self._is_asking.clear()
            await self._is_asking.wait()
        return pending[0]

    async def ask(self, approval: Approval, cancel: CancelToken) -> Answer:
        """Wait for the answer to a question.

        Raises:
            Cancelled: the turn was cancelled.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        self._open[approval.approval_id] = approval, answer
        self._is_asking.set()
        for listener in self.listeners:
            listener(approval)
        try:
            with cancel.waking(lambda: loop.call_soon_threadsafe(answer.cancel)):
                async with asyncio.timeout(ANSWER_S):
                    return await answer
        except TimeoutError:
            return Answer(False, f"no answer within {ANSWER_S:.0f} s")
        except asyncio.CancelledError:
            cancel.check()
            raise
        finally:
            del self._open[approval.approval_id]

    def answer(self, approval_id: str, answer: Answer) -> None:
        """Answer a question.

        Raises:
            NotFound: there is no such question, or it was answered before.
        """
        approval, future = self._open.get(approval_id, (None, None))
        if approval is None or future is None or future.done():
            raise NotFound(f"no question {approval_id[:64]!r} waits for an answer")
        if future.get_loop() is _running_loop():
            future.set_result(answer)
        else:
            future.get_loop().call_soon_threadsafe(_set, future, answer)


async def collect_answers(
    approvals: Approvals, read: Callable[[], Awaitable[Mapping[str, Mapping[str, Any]]]]
) -> None:
    """Deliver the answers that other processes record, until cancelled.

    Args:
        approvals: the open questions of a turn.
        read: the recorded answers of the turn, by question.
    """
    while True:
        await asyncio.sleep(POLL_S)
        try:
            recorded = await read()
        except StoreError as exc:
            log.warning("the answers to a question cannot be read: %s", exc)
            continue
        for approval in approvals.pending:
            if (values := recorded.get(approval.approval_id)) is not None:
                approvals.answer(approval.approval_id, Answer.from_stored(values))


def open_questions(turn: Turn) -> list[Approval]:
    """The questions in the journal of a running turn that have no answer, oldest first."""
    asked: dict[str, Approval] = {}
    for event in turn.events if turn.status is TurnStatus.RUNNING else ():
        if event.kind is EventKind.APPROVAL_ASKED:
            approval = Approval.from_stored(event.data)
            asked[approval.approval_id] = approval
        elif event.kind is EventKind.APPROVAL_ANSWERED:
            asked.pop(event.data["approval_id"], None)
    return list(asked.values())


def _set(future: asyncio.Future[Answer], answer: Answer) -> None:
    if not future.done():
        future.set_result(answer)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
