"""Captioning over HTTP, so that it can live on another machine than the agent.

``POST /caption`` takes a multipart form with the image as ``file`` and answers
``{"success": true, "caption": ".."}``; ``GET /health`` answers ``{"status": "ok"}``. Errors are
``{"detail": ".."}``: 400 for what is no image, 413 for too much of it, 503 when too many wait, 500 for the
rest.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING

import anyio
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from promptvision.plugin import Busy, InputError, PromptvisionError, TooLarge, decode_stored, normalise

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["MAX_BODY", "MAX_WAITING", "Describe", "create_app"]

Describe = Callable[["Image"], str]
"""Returns the caption of an image; called in a thread, one call at a time."""

MAX_BODY = 21 * 2**20
"""Bytes of a request: the largest image that is read anywhere in promptvision, and what is round it."""

MAX_WAITING = 8
"""Requests that are described or wait for it; further ones are told to come back later."""


def create_app(describe: Describe) -> Starlette:
    """The service as a Starlette app.

    Args:
        describe: makes the captions.
    """
    desk = _Desk(describe)
    return Starlette(
        routes=[
            Route("/caption", desk.caption, methods=["POST"]),
            Route("/health", _health, methods=["GET"]),
        ],
        exception_handlers={HTTPException: _explain, Exception: _server_error},
    )


class _Desk:
    """Takes requests and lets them in one by one."""

    def __init__(self, describe: Describe) -> None:
        self._describe = describe
        self._turn = anyio.CapacityLimiter(1)
        self._waiting = 0

    async def caption(self, request: Request) -> JSONResponse:
        if self._waiting >= MAX_WAITING:
            raise HTTPException(503, "too many pictures are waiting", headers={"Retry-After": "5"})
        self._waiting += 1
        try:
            picture = await run_in_threadpool(_decode, await _read_file(request))
            async with self._turn:
                text = await run_in_threadpool(self._describe, picture)
        except PromptvisionError as exc:
            raise HTTPException(_status(exc), str(exc)) from exc
        finally:
            self._waiting -= 1
        return JSONResponse({"success": True, "caption": text})


async def _health(request: Request) -> JSONResponse:
    return JSONResponse({"status": "ok"})


async def _explain(request: Request, exc: Exception) -> JSONResponse:
    if not isinstance(exc, HTTPException):
        raise exc
    return JSONResponse({"detail": exc.detail}, exc.status_code, exc.headers)


async def _server_error(request: Request, exc: Exception) -> JSONResponse:
    return JSONResponse({"detail": f"captioning failed: {type(exc).__name__}"}, 500)


def _status(exc: PromptvisionError) -> int:
    statuses: dict[type[PromptvisionError], int] = {TooLarge: 413, InputError: 400, Busy: 503}
    return next((status for kind, status in statuses.items() if isinstance(exc, kind)), 500)


async def _read_file(request: Request) -> bytes:
    """The bytes of the form field ``file``."""
    try:
        form = await MultiPartParser(request.headers, _bounded(request), max_files=1, max_fields=8).parse()
    except (MultiPartException, KeyError) as exc:
        raise HTTPException(400, f"send a multipart form with the picture as 'file': {exc}") from exc
    try:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise HTTPException(400, "send the picture as the form field 'file'")
        if not (file.content_type or "").startswith("image/"):
            raise HTTPException(400, f"'file' must be image/*, not {file.content_type}")
        return await file.read()
    finally:
        await form.close()


async def _bounded(request: Request) -> AsyncGenerator[bytes, None]:
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BODY:
            raise HTTPException(413, f"a request may have {MAX_BODY} bytes")
        yield part


def _decode(data: bytes) -> Image:
    """The image, checked and turned upright as everywhere in promptvision."""
    return decode_stored(normalise(data).data)
