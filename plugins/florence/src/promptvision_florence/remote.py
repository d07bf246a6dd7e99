"""The tool ``florence_remote``: ``caption_image`` with a Florence-2 on another machine.

The service accepts a multipart form with the image as ``file`` and answers ``{"success": true, "caption":
".."}``; ``promptvision-florence serve`` is such a service.
"""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from promptvision.plugin import CaptionArgs, CaptionResult, ToolContext, ToolFailed, flat_rgb
from promptvision_florence.plugin import API_URL

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["ask", "caption"]

TIMEOUT = httpx.Timeout(10, read=180)
"""Read timeout in seconds. A large model on a CPU takes one or two minutes for a long caption."""

TOTAL_S = 300.0
"""Time limit of the whole request in seconds."""

MAX_ANSWER = 2**20
"""Maximum size of an answer in bytes; a caption has a few thousand."""

MAX_SIDE = 1536
"""Maximum side in pixels. Florence-2 works at 768 x 768, so larger images only take longer to send."""

LEVEL = "more_detailed"
"""The level of detail of such services."""

POLL_S = 0.1


def caption(args: CaptionArgs, context: ToolContext) -> CaptionResult:
    """Get the caption of an image from a service.

    Raises:
        ToolFailed: the service cannot be reached, or its answer is invalid.
    """
    url = context.settings.value(API_URL)
    if url is None:
        raise ToolFailed(f"florence_remote: {API_URL} is not set")
    png = _encode(context.open(args.image_url))
    context.progress(0, 1, "waiting for the captioning service")
    text = asyncio.run(ask(url, png, context.check_cancelled))
    message = None if args.detail == LEVEL else "The captioning service has one level of detail, the highest."
    return CaptionResult(original_image_url=args.image_url, caption=text, message=message)


async def ask(url: str, png: bytes, check: Callable[[], None]) -> str:
    """Send an image and return its caption.

    Args:
        url: full URL of the service.
        png: the image.
        check: called ten times a second; an exception ends the wait and the connection.

    Raises:
        ToolFailed: the service cannot be reached, or its answer is invalid.
    """
    try:
        _ = urlsplit(url).port  # checks its range
    except ValueError as exc:
        raise _failed(url, str(exc)) from exc
    work = asyncio.create_task(_post(url, png))
    try:
        async with asyncio.timeout(TOTAL_S):
            while not work.done():
                check()
                await asyncio.wait([work], timeout=POLL_S)
        return _read(url, *work.result())
    except TimeoutError as exc:
        raise _failed(url, f"no complete answer in {TOTAL_S:g} s") from exc
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as exc:
        # ValueError: host names that cannot be encoded
        raise _failed(url, f"{type(exc).__name__}: {exc}") from exc
    finally:
        work.cancel()


def _encode(image: Image) -> bytes:
    small = flat_rgb(image)
    small.thumbnail((MAX_SIDE, MAX_SIDE))
    buffer = io.BytesIO()
    small.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


async def _post(url: str, png: bytes) -> tuple[int, bytes]:
    """Send the request; return status and body."""
    files = {"file": ("image.png", png, "image/png")}
    async with (
        httpx.AsyncClient(timeout=TIMEOUT, headers={"Accept-Encoding": "identity"}) as client,
        client.stream("POST", url, files=files) as response,
    ):
        # A small compressed answer could expand to fill the memory, so compressed answers are rejected.
        if (encoding := response.headers.get("Content-Encoding", "identity")).lower() != "identity":
            raise _failed(url, f"the answer has the Content-Encoding {encoding[:40]!r}; send it uncompressed")
        body = b""
        async for part in response.aiter_raw():
            body += part
            if len(body) > MAX_ANSWER:
                raise _failed(url, f"the answer is longer than {MAX_ANSWER} bytes")
        return response.status_code, body


def _read(url: str, status: int, body: bytes) -> str:
    try:
        answer: Any = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise _failed(url, f"HTTP {status} without a JSON object; the URL must be that of /caption")
    if status != httpx.codes.OK:
        raise _failed(url, f"HTTP {status}: {str(answer.get('detail', 'no detail'))[:200]}")
    text = answer.get("caption")
    if answer.get("success") is not True or not isinstance(text, str) or not text.strip():
        raise _failed(url, "the answer has no caption")
    return text.strip()


def _failed(url: str, what: str) -> ToolFailed:
    """An error that names the service, without a password or query of its URL."""
    try:
        parts = httpx.URL(url)
        place = f"{parts.host}:{parts.port}" if parts.port else parts.host
    except (httpx.InvalidURL, ValueError):
        place = "the service"
    return ToolFailed(f"florence_remote: {place}: {what}", hint=f"check {API_URL} and the service behind it")
