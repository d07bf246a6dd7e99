"""The activities of a turn that instruments see."""

from __future__ import annotations

from dataclasses import dataclass

from promptvision.agent.reply import Reply
from promptvision.conversations.turn import TurnKey
from promptvision.instruments import Activity
from promptvision.llm.messages import ChatReply
from promptvision.llm.planner import Planner, PlanRequest

__all__ = ["PlannerActivity", "TurnActivity"]


@dataclass(eq=False)
class TurnActivity(Activity):
    """One turn, from when it may run until its reply is stored.

    Args:
        key: user, conversation and idempotency key.
        prompt: the user's message.
        turn_id: set once the turn is claimed.
        reply: set at the end, unless the turn failed with an error.
    """

    key: TurnKey
    prompt: str
    turn_id: str | None = None
    reply: Reply | None = None


@dataclass(eq=False)
class PlannerActivity(Activity):
    """One request to the planner.

    Args:
        planner: the planner that gets the request.
        request: the request.
        reply: set at the end, unless the planner failed with an error.
    """

    planner: Planner
    request: PlanRequest
    reply: ChatReply | None = None
