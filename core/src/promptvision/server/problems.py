"""Errors as RFC 9457 problem documents with a plain ``error`` string.

Source: RFC 9457, "Problem Details for HTTP APIs", section 3.
"""

from __future__ import annotations

import logging
import math
import uuid
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from promptvision.errors import (
    ArgumentsError,
    Busy,
    Cancelled,
    Conflict,
    Forbidden,
    InputError,
    LeaseLost,
    NotFound,
    PromptvisionError,
    ProviderError,
    SetupError,
    StoreError,
    TooLarge,
    ToolFailed,
)
from promptvision.server.bodies import Json

__all__ = ["HANDLERS", "problem"]

log = logging.getLogger(__name__)

_STATUS: tuple[tuple[type[PromptvisionError], int], ...] = (
    (TooLarge, 413),
    (Conflict, 422),
    (InputError, 422),
    (NotFound, 404),
    (Forbidden, 403),
    (SetupError, 503),
    (Busy, 429),
    (ArgumentsError, 422),
    (ToolFailed, 422),
    (Cancelled, 409),
    (LeaseLost, 503),
    (ProviderError, 503),
    (StoreError, 503),
)
"""Status by error class; the first matching class applies."""


def problem(status: int, detail: str, *, headers: dict[str, str] | None = None, **extra: Any) -> Json:
    """Create a problem document.

    Args:
        status: HTTP status code.
        detail: what went wrong and how to fix it, in one line.
        headers: further response headers.
        extra: further members, such as ``errors``.
    """
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return Json({**body, "error": detail, **extra}, status, headers, media_type="application/problem+json")


async def _known(request: Request, exc: Exception) -> Response:
    status = next((code for kind, code in _STATUS if isinstance(exc, kind)), 500)
    headers: dict[str, str] = {}
    if isinstance(exc, Busy):
        headers["Retry-After"] = str(math.ceil(exc.retry_after_s))
    elif status == 503:
        headers["Retry-After"] = "2"
    extra: dict[str, Any] = {"errors": exc.problems} if isinstance(exc, ArgumentsError) else {}
    if isinstance(exc, SetupError) and exc.needs is not None:
        extra["needs_setup"] = exc.needs
    return problem(status, str(exc), headers=headers, **extra)


async def _http(request: Request, exc: Exception) -> Response:
    if not isinstance(exc, HTTPException):
        return await _unknown(request, exc)
    return problem(exc.status_code, exc.detail, headers=dict(exc.headers or {}))


async def _unknown(request: Request, exc: Exception) -> Response:
    error_id = uuid.uuid4().hex[:12]
    log.error("error %s in %s %s", error_id, request.method, request.url.path, exc_info=exc)
    return problem(
        500, f"internal server error; the log describes it under error id {error_id}", error_id=error_id
    )


HANDLERS: dict[Any, Any] = {PromptvisionError: _known, HTTPException: _http, Exception: _unknown}
"""Exception handlers of the app."""
