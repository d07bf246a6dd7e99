"""List, read, rename and delete conversations."""

from __future__ import annotations

import re
from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import Response

from promptvision.agent.agent import Agent
from promptvision.agent.export import conversation_page, delete_conversation
from promptvision.errors import InputError, NotFound
from promptvision.server.bodies import Json, TitleBody, id_in_path, read_model
from promptvision.server.identity import user_of
from promptvision.server.images import image_urls

__all__ = ["MAX_LIST", "MAX_OFFSET", "MAX_PAGE", "list_conversations", "one_conversation"]

MAX_LIST = 200
"""Maximum number of conversations in one response."""
MAX_PAGE = 500
"""Maximum number of turns in one response."""
MAX_OFFSET = 10**9


async def list_conversations(request: Request) -> Response:
    """The user's conversations, newest activity first."""
    agent: Agent = request.app.state.agent
    user = user_of(request, agent.settings)
    limit = _number(request, "limit", 50, most=MAX_LIST)
    offset = _number(request, "offset", 0, most=MAX_OFFSET)
    found = await agent.services.conversations.conversations(user, limit=limit, offset=offset)
    return Json({"conversations": [asdict(conversation) for conversation in found]})


async def one_conversation(request: Request) -> Response:
    """Read, rename or delete a conversation; unused images are deleted with it."""
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
    limit = _number(request, "limit", 100, least=1, most=MAX_PAGE)
    before = _number(request, "before", MAX_OFFSET, least=1, most=MAX_OFFSET)
    document = await conversation_page(
        agent.services, user, conversation_id, image_urls(request), limit=limit, before=before
    )
    if document is None:
        raise _no_such()
    return Json(document)


def _no_such() -> NotFound:
    return NotFound("no such conversation")


def _number(request: Request, name: str, default: int, *, least: int = 0, most: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"[0-9]{1,10}", text) or not least <= int(text) <= most:
        raise InputError(f"{name}: use a whole number from {least} to {most}")
    return int(text)
