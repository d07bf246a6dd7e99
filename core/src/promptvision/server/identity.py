"""The user of a request: the owner of its API key or, if no keys are set, the user that it names."""

from __future__ import annotations

import hmac

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Scope

from promptvision.agent.agent import LOCAL_USER
from promptvision.agent.request import check_user
from promptvision.errors import Forbidden, InputError
from promptvision.settings import Settings

__all__ = ["key_owner", "user_of"]

_OWNER = "promptvision.key_owner"
"""Key of the ASGI scope."""


def user_of(request: Request, settings: Settings, claimed: str | None = None) -> str:
    """Return the user that a request acts for.

    Args:
        request: has ``Authorization: Bearer KEY`` when keys are set.
        settings: contain the keys.
        claimed: ``user_id`` of the body or the query.

    Raises:
        HTTPException: 401, keys are set and the request has no known one.
        InputError: the query and the body name different users, or it cannot be an id.
        Forbidden: the key belongs to a user other than ``claimed``.
    """
    named = request.query_params.get("user_id")
    if claimed is None:
        claimed = named
    elif named not in (None, claimed):
        raise InputError("user_id: the query names another user than the body")
    if not settings.api_keys:
        return check_user(LOCAL_USER if claimed is None else claimed)
    user = key_owner(request.scope, settings)
    if user is None:
        raise HTTPException(
            401, "send a known API key as 'Authorization: Bearer KEY'", {"WWW-Authenticate": "Bearer"}
        )
    if claimed is not None and claimed != user:
        raise Forbidden("user_id: the API key belongs to another user; leave user_id out or send your own")
    return user


def key_owner(scope: Scope, settings: Settings) -> str | None:
    """The owner of the API key of a request. Each key is compared, in constant time and once per request."""
    if not settings.api_keys:
        return None
    if _OWNER not in scope:
        scope[_OWNER] = _find_owner(Headers(scope=scope).get("authorization", ""), settings)
    owner: str | None = scope[_OWNER]
    return owner


def _find_owner(header: str, settings: Settings) -> str | None:
    scheme, _, given = header.partition(" ")
    found = None
    for user, key in settings.api_keys.items():
        sent = given.strip().encode("latin-1")  # Starlette decodes headers as Latin-1
        is_same = hmac.compare_digest(key.get_secret_value().encode(), sent)
        if is_same and scheme.lower() == "bearer":
            found = user
    return found
