"""Recover from an interruption: open turns, open steps, and results that later steps can use."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import suppress

from promptvision.agent.calls.artifacts import Artifacts
from promptvision.agent.journal import Journal
from promptvision.agent.reply import Step
from promptvision.conversations.async_store import AsyncConversationStore
from promptvision.conversations.turn import Event, EventKind, Turn, TurnStatus
from promptvision.errors import LeaseLost
from promptvision.plugins.registry import Registry

__all__ = ["InterruptedTurns", "artifacts_of", "close_open_steps", "steps_of"]

log = logging.getLogger(__name__)


class InterruptedTurns:
    """Turns of this process that stopped while the conversation store was failing.

    They stay open in the store. Closing them here lets their conversations continue before the leases expire.

    Args:
        conversations: the store.
        lease_s: seconds without a heartbeat after which a turn of another process counts as dead.
    """

    def __init__(self, conversations: AsyncConversationStore, lease_s: float) -> None:
        self._conversations = conversations
        self._lease_s = lease_s
        self._turns: dict[tuple[str, str], Turn] = {}

    def add(self, turn: Turn) -> None:
        """Keep a turn that could not be ended."""
        self._turns[turn.key.user_id, turn.key.conversation_id] = turn

    async def close(self, user_id: str, conversation_id: str) -> None:
        """Mark the kept turn of a conversation as interrupted.

        Raises:
            StoreError: the store still fails; the turn is still kept.
        """
        key = (user_id, conversation_id)
        turn = self._turns.get(key)
        if turn is None:
            return
        with suppress(LeaseLost):  # it did end, or another process has taken it over
            await self._conversations.finish_turn(turn, TurnStatus.INTERRUPTED, {})
        if self._turns.get(key) is turn:
            del self._turns[key]

    async def close_stale(self) -> int:
        """Close kept turns and those of dead processes; return the number of the latter.

        They are not restarted.
        """
        for user_id, conversation_id in list(self._turns):
            await self.close(user_id, conversation_id)
        return await self._conversations.close_stale(self._lease_s)


async def close_open_steps(turn: Turn, journal: Journal) -> list[Step]:
    """Journal an end for each step that an interruption left open; whether it ran is not known."""
    closed: list[Step] = []
    finished = {event.data["step"] for event in turn.events if event.kind is EventKind.STEP_FINISHED}
    for event in turn.events:
        if event.kind is EventKind.STEP_STARTED and event.data["step"] not in finished:
            ended = {"status": "interrupted", "message": "the process was stopped in this step"}
            step = Step.from_stored({**event.data, **ended})
            closed.append(step)
            data = {"step": event.data["step"], **step.stored()}
            await journal.write((EventKind.STEP_FINISHED, data, None))
    return closed


def steps_of(events: Iterable[Event]) -> list[Step]:
    """The finished steps in a journal."""
    return [Step.from_stored(event.data) for event in events if event.kind is EventKind.STEP_FINISHED]


def artifacts_of(turns: Iterable[Turn], registry: Registry) -> Artifacts:
    """The artifacts of finished steps whose tools are still installed."""
    artifacts = Artifacts()
    for turn in turns:
        for step in steps_of(turn.events):
            tool = registry.find_tool(step.plugin, step.tool)
            if tool is None or step.status != "done" or step.result is None:
                continue
            try:
                args = tool.args.model_validate(step.arguments)
                artifacts.add(args, tool.result.model_validate(step.result))
            except ValueError:
                log.info("turn %s: a step of an older version of %s is not reused", turn.id, step.tool)
    return artifacts
