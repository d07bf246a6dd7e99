"""Images over HTTP: their URLs, uploads and downloads."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response

from promptvision.agent.agent import Agent
from promptvision.agent.request import Source
from promptvision.errors import InputError, NotFound, TooLarge
from promptvision.images.addresses import MAX_URL_CHARS
from promptvision.images.isolated import shared_decoders
from promptvision.server.bodies import Json
from promptvision.server.body_limit import BODY_LIMIT
from promptvision.server.guards import LOOPBACK
from promptvision.server.identity import user_of
from promptvision.server.response_limit import hold_response
from promptvision.server.variants import MAX_WIDTH, variant_width
from promptvision.types import ImageRef, is_image_id

__all__ = ["get_image", "image_source", "image_urls", "post_image"]

_HEADERS = {
    "Cache-Control": "private, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-site",
}


def image_urls(request: Request) -> Callable[[str], str]:
    """Return a function from image id to its URL on this server, for any image store."""
    folder = _folder(request)
    return lambda image_id: folder + image_id


def _folder(request: Request) -> str:
    """The URL under which this app serves images, including its mount path."""
    path = request.scope.get("root_path", "").rstrip("/") + "/images/"
    return str(request.url.replace(path=path, query="", fragment=""))


def image_source(request: Request, text: str) -> Source:
    """Resolve an image URL in a request to a stored image or to something to be fetched.

    A URL of this server may have any scheme and port and any of its host names: the scheme and port that
    clients see differ from ours behind a proxy, and the id is enough to find the image.

    Raises:
        InputError: it is neither an image of this server nor an http(s) or data URL.
    """
    if text[:5].lower() == "data:":  # up to 28 MB, too long to be split on the event loop
        return text
    if len(text) > MAX_URL_CHARS:
        raise InputError(f"image URL: longer than {MAX_URL_CHARS} characters")
    own = urlsplit(_folder(request))
    try:
        given = urlsplit(text)
        host = (given.hostname or "").rstrip(".")
    except ValueError as exc:
        raise InputError("image: not a valid URL") from exc
    scheme = given.scheme.lower()
    is_ours = scheme in ("http", "https") and host in _own_hosts(request, own.hostname or "")
    is_path = not (scheme or given.netloc)
    name = given.path.removeprefix(own.path)
    if (is_ours or is_path) and given.path.startswith(own.path) and is_image_id(name):
        return ImageRef(name)
    if scheme not in ("http", "https"):
        raise InputError("image: give an http, https or data URL, or the URL of an image of this server")
    return text


def _own_hosts(request: Request, host: str) -> set[str]:
    settings = request.app.state.agent.settings
    aliases = LOOPBACK if host in LOOPBACK else ()
    return {host, *aliases, *(name.lower() for name in settings.server_hosts)}


async def post_image(request: Request) -> Response:
    """Store an uploaded image: multipart field ``file``, with or without a file name."""
    agent: Agent = request.app.state.agent
    user = user_of(request, agent.settings)
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise HTTPException(415, "send the image as multipart/form-data, field 'file'")
    data, is_text = await _read_upload(request)
    try:
        image = await agent.add_image(data, user_id=user, allow_paths=False)
    except InputError as exc:
        if is_text and not isinstance(exc, TooLarge):
            raise InputError(f"multipart field 'file': {exc}") from exc
        raise
    url = image_urls(request)(image.id)
    body = {
        "image_id": image.id,
        "image_url": url,
        "media_type": image.media_type,
        "width": image.width,
        "height": image.height,
        "notes": list(image.notes),
    }
    return Json(body, 201, {"Location": url})


async def _read_upload(request: Request) -> tuple[bytes, bool]:
    """Read the multipart field ``file``, and whether it has no file name, like a text field.

    Raises:
        HTTPException: 400, the body is broken or incomplete.
        InputError: there is no such field.
        Busy: too many images are being decoded.
    """
    headers = MutableHeaders(raw=list(request.headers.raw))
    headers["content-type"] += "; charset=latin-1"  # keeps the bytes of a part without a file name unchanged
    parser = MultiPartParser(headers, request.stream(), max_files=1, max_fields=10, max_part_size=BODY_LIMIT)
    try:
        form = await parser.parse()
    except MultiPartException as exc:
        raise HTTPException(400, exc.message) from exc
    except ClientDisconnect as exc:
        raise HTTPException(400, "the client closed the connection before the end of the upload") from exc
    try:
        upload = form.get("file")
        if isinstance(upload, UploadFile):
            shared_decoders().check_room(upload.size or 0)  # before this, the file is on disk
            return await upload.read(), False
        if isinstance(upload, str):
            return upload.encode("latin-1"), True
        raise InputError("file: send the image in the multipart field 'file'")
    finally:
        await form.close()


async def get_image(request: Request) -> Response:
    """Return a stored image or, with ``width``, a smaller variant; redirect to a store that serves images.

    With API keys only the owner gets it; without them the id is the secret.
    """
    agent: Agent = request.app.state.agent
    image_id = request.path_params["image_id"]
    if not is_image_id(image_id):
        raise NotFound("no such image")
    if agent.settings.api_keys:
        await agent.check_owner(user_of(request, agent.settings), image_id)
    width = _width(request)
    etag = f'"{image_id}"' if width is None else f'"{image_id}-{width}"'
    if _matches(request.headers.get("if-none-match", ""), etag):
        return Response(status_code=304, headers={"ETag": etag, **_HEADERS})
    if width is not None:
        data, media_type = await request.app.state.variants.get(image_id, width)
        return Response(data, media_type=media_type, headers={"ETag": etag, **_HEADERS})
    served = await agent.services.images.url(image_id)
    if served.startswith("https:"):  # it may have an expiring signature
        return RedirectResponse(served, 307, {"Cache-Control": "no-store"})
    stored = await agent.services.images.stat(image_id)
    hold_response(request, stored.size)
    data = await agent.services.images.get(image_id)
    return Response(data, media_type=stored.media_type, headers={"ETag": etag, **_HEADERS})


def _width(request: Request) -> int | None:
    text = request.query_params.get("width")
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= MAX_WIDTH:
        raise InputError(f"width: use a whole number from 1 to {MAX_WIDTH}")
    return variant_width(int(text))


def _matches(header: str, etag: str) -> bool:
    """Whether an ``If-None-Match`` header matches: ``*``, or a list of tags (RFC 9110, section 13.1.2)."""
    tags = [tag.strip().removeprefix("W/") for tag in header.split(",")]
    return "*" in tags or etag in tags
