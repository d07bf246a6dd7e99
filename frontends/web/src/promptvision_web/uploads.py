"""Fetch images from URLs for the page."""

from __future__ import annotations

import json

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from promptvision.plugin import InputError, user_of

__all__ = ["post_url"]

_MAX_BODY = 4096


async def post_url(request: Request) -> Response:
    """Fetch an image from a URL with SSRF protection, and store it for the user.

    Raises:
        InputError: the body is not ``{"url": "https://..."}``, or the image cannot be fetched or decoded.
    """
    agent = request.app.state.agent
    user = user_of(request, agent.settings)
    if not request.headers.get("content-type", "").lower().startswith("application/json"):
        raise InputError('send JSON: {"url": "https://..."}')
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BODY:
            raise InputError(f"the body is over {_MAX_BODY} bytes")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise InputError("the body is not JSON") from exc
    url = document.get("url") if isinstance(document, dict) else None
    if not isinstance(url, str) or not url.lower().startswith(("http://", "https://")):
        raise InputError("url: give the http(s) address of an image")
    image = await agent.add_image(url, user_id=user, allow_paths=False)
    made = {"image_id": image.id, "image_url": str(request.url_for("image", image_id=image.id))}
    return JSONResponse({**made, "width": image.width, "height": image.height}, 201)
