"""``POST /chat``, and cancelling a running turn."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from promptvision.agent.agent import Agent
from promptvision.agent.approvals import Approval
from promptvision.conversations.turn import TurnStatus
from promptvision.errors import NotFound
from promptvision.server.approvals import waiting_response
from promptvision.server.bodies import IMAGE_BODY, ChatBody, Json, id_in_path, read_model
from promptvision.server.identity import user_of
from promptvision.server.images import image_source, image_urls
from promptvision.server.stream import stream_turn, wants_stream

__all__ = ["cancel_turn", "post_chat"]


async def post_chat(request: Request) -> Response:
    """Run one turn and return its reply, or stream its events if the client accepts those.

    While the turn waits for its user to approve a step, the answer is 202 with the question; the same request
    sent again waits for the reply. The turn continues when the client disconnects.
    """
    agent: Agent = request.app.state.agent
    user_of(request, agent.settings)  # before a body of megabytes is read
    body = await read_model(request, ChatBody, IMAGE_BODY)
    user = user_of(request, agent.settings, body.user_id)
    running = agent.start(
        body.prompt,
        image=image_source(request, body.input_image_url) if body.input_image_url else None,
        mask=image_source(request, body.input_mask_url) if body.input_mask_url else None,
        boxes=body.input_boxes or (),
        user_id=user,
        conversation_id=body.conversation_id,
        prompt_id=body.prompt_id,
        allow_paths=False,
    )
    running.approvals.can_ask = True
    if wants_stream(request):
        running.live_reply.has_subscribers = True
        await running.is_claimed.wait()
        if running.turn is not None:
            return await stream_turn(request, user, running.turn.id)
    if agent.services.middleware:
        answer = await running.reply_or_question()
        if isinstance(answer, Approval):
            return waiting_response(request, running, answer)
        return Json(answer.document(image_urls(request)))
    reply = await running.reply()
    return Json(reply.document(image_urls(request)))


async def cancel_turn(request: Request) -> Response:
    """Cancel a running turn at its next check point, keeping finished steps; an ended turn is not changed."""
    agent: Agent = request.app.state.agent
    user, turn_id = user_of(request, agent.settings), id_in_path(request, "turn_id")
    running = agent.running(user, turn_id)
    if running is not None:
        running.cancel.cancel("cancelled by the user")
        return Json({"turn_id": turn_id, "status": "cancelling"}, 202)
    turn = await agent.services.conversations.turn(user, turn_id)
    if turn is None:
        raise NotFound("no such turn")
    if turn.status is TurnStatus.RUNNING:
        raise HTTPException(409, "the turn runs in another process; only that process can cancel it")
    return Json({"turn_id": turn_id, "status": str(turn.status)})
