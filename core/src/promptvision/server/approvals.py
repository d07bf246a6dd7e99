"""The questions of running turns: ``GET`` and ``POST /turns/{turn_id}/approvals``."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from promptvision.agent.agent import Agent
from promptvision.agent.approvals import Approval
from promptvision.agent.reply import show_ids
from promptvision.agent.turns.handle import TurnHandle
from promptvision.server.bodies import Json, id_in_path, read_model
from promptvision.server.identity import user_of
from promptvision.server.images import image_urls

__all__ = ["WAITING", "AnswerBody", "get_approvals", "post_answer", "waiting_response"]

WAITING = "waiting_for_approval"
"""Status of a turn that waits for its user, in the answer of ``POST /chat``."""


class AnswerBody(BaseModel):
    """Body of ``POST /turns/{turn_id}/approvals/{approval_id}``."""

    model_config = ConfigDict(extra="forbid")

    approved: Annotated[bool, Field(strict=True)]
    reason: Annotated[str, Field(max_length=500)] = ""


async def get_approvals(request: Request) -> Response:
    """List the questions of a turn that wait for an answer."""
    agent: Agent = request.app.state.agent
    user, turn_id = user_of(request, agent.settings), id_in_path(request, "turn_id")
    pending = await agent.open_approvals(user, turn_id)
    return Json({"approvals": [_shown(request, approval) for approval in pending]})


async def post_answer(request: Request) -> Response:
    """Approve or refuse a step; the turn continues in the process that runs it."""
    agent: Agent = request.app.state.agent
    user, turn_id = user_of(request, agent.settings), id_in_path(request, "turn_id")
    body = await read_model(request, AnswerBody)
    approval_id = id_in_path(request, "approval_id")
    await agent.answer_anywhere(user, turn_id, approval_id, approved=body.approved, reason=body.reason)
    return Json({"turn_id": turn_id, "approval_id": approval_id, "approved": body.approved})


def waiting_response(request: Request, handle: TurnHandle, approval: Approval) -> Response:
    """The answer of ``POST /chat`` while the turn waits for its user: 202, and where to answer."""
    turn_id = handle.turn.id if handle.turn is not None else ""
    return Json(
        {
            "status": WAITING,
            "text_response": approval.question,
            "turn_id": turn_id,
            "conversation_id": handle.key.conversation_id,
            "prompt_id": handle.key.prompt_id,
            "approval": _shown(request, approval),
        },
        202,
    )


def _shown(request: Request, approval: Approval) -> dict[str, Any]:
    """A question with URLs in place of image ids."""
    stored = approval.stored()
    values = stored["arguments"].values()
    ids = {value for value in values if isinstance(value, str) and len(value) == 64}
    shown: dict[str, Any] = show_ids(stored, ids, image_urls(request))
    return shown
