"""Captioning over HTTP, so that model and agent can run on different machines.

``POST /caption`` accepts a multipart form with the image as ``file`` and answers ``{"success": true,
"caption": ".."}``; ``GET /health`` answers ``{"status": "ok"}``. Errors are ``{"detail": ".."}``: 400 for a
file that is not an image, 408 for a slow upload, 413 for a large one, 503 if too many requests wait, 500 for
other errors.
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
"""Maximum size of a request in bytes: the largest image that promptvision reads, and the form around it."""

MAX_WAITING = 8
"""Maximum number of images in progress or waiting; further requests get 503 with ``Retry-After``."""

MAX_READING = 64
"""Maximum number of requests being read, counted separately so stalled uploads do not block others."""

READ_S = 60.0
"""Time limit for sending a request, in seconds."""


def create_app(describe: Describe) -> Starlette:
    """The service as a Starlette app.

    Args:
        describe: returns captions.
    """
    service = _Service(describe)
    return Starlette(
        routes=[
            Route("/caption", service.caption, methods=["POST"]),
            Route("/health", _health, methods=["GET"]),
        ],
        exception_handlers={HTTPException: _explain, Exception: _server_error},
    )


class _Service:
    """Describes images one by one."""

    def __init__(self, describe: Describe) -> None:
        self._describe = describe
        self._turn = anyio.CapacityLimiter(1)
        self._reading = 0
        self._waiting = 0

    async def caption(self, request: Request) -> JSONResponse:
        data = await self._read(request)
        if self._waiting >= MAX_WAITING:
            raise _busy()
        self._waiting += 1
        try:
            async with self._turn:
                image = await run_in_threadpool(_decode, data)
                text = await run_in_threadpool(self._describe, image)
        except PromptvisionError as exc:
            raise HTTPException(_status(exc), str(exc)) from exc
        finally:
            self._waiting -= 1
        return JSONResponse({"success": True, "caption": text})

    async def _read(self, request: Request) -> bytes:
        if self._reading >= MAX_READING or self._waiting >= MAX_WAITING:
            raise _busy()
        self._reading += 1
        try:
            with anyio.fail_after(READ_S):
                return await _read_file(request)
        except TimeoutError as exc:
            raise HTTPException(
                408, f"the request took longer than {READ_S:g} s", headers={"Connection": "close"}
            ) from exc
        finally:
            self._reading -= 1


def _busy() -> HTTPException:
    return HTTPException(503, "too many images are waiting", headers={"Retry-After": "5"})


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
        raise HTTPException(400, f"send a multipart form with the image as 'file': {exc}") from exc
    try:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise HTTPException(400, "send the image as the form field 'file'")
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
            raise HTTPException(413, f"the request is over the limit of {MAX_BODY} bytes")
        yield part


def _decode(data: bytes) -> Image:
    """The image, decoded and normalised by promptvision's codec."""
    return decode_stored(normalise(data).data)
