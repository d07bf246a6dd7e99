"""Images over HTTP: their URLs, uploads, and handing them out."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response

from promptvision.agent.agent import Agent
from promptvision.agent.journal import call_store
from promptvision.agent.request import Source
from promptvision.errors import InputError, NotFound
from promptvision.server.bodies import Json
from promptvision.server.identity import user_of
from promptvision.types import ImageRef, is_image_id

__all__ = ["get_image", "image_source", "image_urls", "post_image"]

_HEADERS = {
    "Cache-Control": "private, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-site",
}


def image_urls(request: Request) -> Callable[[str], str]:
    """A function from image id to its URL on this server, the same one whatever the image store is."""
    folder = _folder(request)
    return lambda image_id: folder + image_id


def _folder(request: Request) -> str:
    """The URL under which this app serves images, wherever it is mounted."""
    path = request.scope.get("root_path", "").rstrip("/") + "/images/"
    return str(request.url.replace(path=path, query="", fragment=""))


def image_source(request: Request, text: str) -> Source:
    """What an image URL in a request means: one of our own images, or something to be fetched.

    Raises:
        InputError: it is neither an image of this server nor an http(s) or data URL.
    """
    own = urlsplit(_folder(request))
    try:
        given = urlsplit(text)
    except ValueError as exc:
        raise InputError("picture: not a valid URL") from exc
    is_ours = (given.scheme, given.netloc) == (own.scheme, own.netloc) or not (given.scheme or given.netloc)
    name = given.path.removeprefix(own.path)
    if is_ours and given.path.startswith(own.path) and is_image_id(name):
        return ImageRef(name)
    if given.scheme.lower() not in ("http", "https", "data"):
        raise InputError("picture: give an http, https or data URL, or the URL of a picture of this server")
    return text


async def post_image(request: Request) -> Response:
    """Store an uploaded image: multipart field ``file``."""
    agent: Agent = request.app.state.agent
    user = user_of(request, agent.settings)
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise HTTPException(415, "send the picture as multipart/form-data, field 'file'")
    try:
        async with request.form(max_files=1, max_fields=10) as form:
            upload = form.get("file")
            if not isinstance(upload, UploadFile):
                raise InputError("file: a picture is needed in the multipart field 'file'")
            data = await upload.read()
    except ClientDisconnect as exc:
        raise HTTPException(400, "the upload broke off") from exc
    image = await agent.add_image(data, user_id=user, allow_paths=False)
    url = image_urls(request)(image.id)
    body = {
        "image_id": image.id,
        "image_url": url,
        "media_type": image.media_type,
        "width": image.width,
        "height": image.height,
    }
    return Json(body, 201, {"Location": url})


async def get_image(request: Request) -> Response:
    """Hand out a stored image, or send the reader on to a store that serves images itself.

    With API keys only to its owner; without them the id is the secret.
    """
    agent: Agent = request.app.state.agent
    image_id = request.path_params["image_id"]
    if not is_image_id(image_id):
        raise NotFound("no such picture")
    if agent.settings.api_keys:
        await agent.check_owner(user_of(request, agent.settings), image_id)
    etag = f'"{image_id}"'
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers={"ETag": etag, **_HEADERS})
    served = await call_store(agent.images, agent.images.url, image_id)
    if served.startswith("https:"):  # it may be signed for a short time, so the answer is not kept
        return RedirectResponse(served, 307, {"Cache-Control": "no-store"})
    stored = await call_store(agent.images, agent.images.stat, image_id)
    data = await call_store(agent.images, agent.images.get, image_id)
    return Response(data, media_type=stored.media_type, headers={"ETag": etag, **_HEADERS})
