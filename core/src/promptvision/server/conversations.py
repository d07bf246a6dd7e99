"""Listing, reading, renaming and deleting conversations."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from promptvision.agent.agent import Agent
from promptvision.agent.export import delete_conversation, export_conversation
from promptvision.errors import InputError, NotFound
from promptvision.server.bodies import Json, TitleBody, id_in_path, read_model
from promptvision.server.identity import user_of
from promptvision.server.images import image_urls

__all__ = ["list_conversations", "one_conversation"]


async def list_conversations(request: Request) -> Response:
    """The user's conversations, newest activity first."""
    agent: Agent = request.app.state.agent
    user = user_of(request, agent.settings)
    limit, offset = _number(request, "limit", 50, 200), _number(request, "offset", 0, 10**9)
    found = await agent.services.conversations.conversations(user, limit=limit, offset=offset)
    return Json({"conversations": [asdict(conversation) for conversation in found]})


async def one_conversation(request: Request) -> Response:
    """Read, rename or delete a conversation; images that nothing else uses are deleted with it."""
    agent: Agent = request.app.state.agent
    user = user_of(request, agent.settings)
    conversation_id = id_in_path(request, "conversation_id")
    if request.method == "DELETE":
        if not await delete_conversation(agent.services, user, conversation_id):
            raise _no_such()
        return Response(status_code=204)
    if request.method == "PATCH":
        title = (await read_model(request, TitleBody)).title
        if not await agent.services.conversations.rename(user, conversation_id, title):
            raise _no_such()
    document = await export_conversation(agent.services, user, conversation_id, image_urls(request))
    if document is None:
        raise _no_such()
    return Json(document)


def _no_such() -> NotFound:
    return NotFound("no such conversation")


def _number(request: Request, name: str, default: int, most: int) -> int:
    text: Any = request.query_params.get(name, default)
    try:
        number = int(text)
    except ValueError as exc:
        raise InputError(f"{name}: a whole number is needed") from exc
    if not 0 <= number <= most:
        raise InputError(f"{name}: use 0 to {most}")
    return number
