"""The image that stands for a conversation in the list."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from promptvision import Agent
from promptvision.plugin import user_of

__all__ = ["first_image"]

_WIDTH = 128


async def first_image(request: Request) -> Response:
    """Redirect to a small variant of a conversation's first image; 204 when it has none.

    The location is relative, so it holds under any mount prefix.
    """
    agent: Agent = request.app.state.agent
    user = user_of(request, agent.settings)
    records = await agent.services.conversations.images(user, request.path_params["conversation_id"])
    headers = {"Cache-Control": "private, max-age=60"}
    if not records:
        return Response(status_code=204, headers=headers)
    first = min(records, key=lambda record: record.number)
    return RedirectResponse(f"../../../images/{first.image_id}?width={_WIDTH}", 307, headers)
