"""``/batches``: one instruction on a list of images, run in the background."""

from __future__ import annotations

import io
import json
import re
import uuid
import zipfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from pathlib import PurePosixPath
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from promptvision.agent.agent import Agent
from promptvision.agent.request import MAX_PROMPT_CHARS
from promptvision.batches.service import MAX_BATCH_ID_CHARS, MAX_IMAGES, BatchService
from promptvision.batches.state import BatchState
from promptvision.errors import Busy, NotFound, StoreError
from promptvision.images.store import EXTENSIONS
from promptvision.server.bodies import HAS_TEXT, IMAGE_BODY, Id, Json, id_in_path, read_model
from promptvision.server.body_limit import BodyRoom
from promptvision.server.identity import user_of
from promptvision.server.images import image_source, image_urls

__all__ = ["BatchBody", "cancel_batch", "get_batch", "get_results", "post_batch"]

MAX_NAME_CHARS = 80
ARCHIVE_BYTES = 32 * 2**20
"""Memory of a zip file that is being sent: about one image."""
_NOT_IN_NAMES = re.compile(r"[^\w.+ -]+")


class BatchBody(BaseModel):
    """Body of ``POST /batches``."""

    model_config = ConfigDict(extra="forbid")

    user_id: Id | None = None
    batch_id: Annotated[Id, Field(max_length=MAX_BATCH_ID_CHARS)] | None = Field(
        None, description="The same id is the same batch; default: a new one."
    )
    prompt: Annotated[
        str,
        StringConstraints(strict=True),
        Field(json_schema_extra={"maxLength": MAX_PROMPT_CHARS, **HAS_TEXT}),
    ]
    images: Annotated[
        list[Annotated[str, StringConstraints(strict=True)]], Field(min_length=1, max_length=MAX_IMAGES)
    ] = Field(description="http(s) or data URLs, or URLs of images of this server.")


async def post_batch(request: Request) -> Response:
    """Start a batch; the same request again returns its state."""
    agent: Agent = request.app.state.agent
    user_of(request, agent.settings)  # before a body of megabytes is read
    body = await read_model(request, BatchBody, IMAGE_BODY)
    user = user_of(request, agent.settings, body.user_id)
    sources = [image_source(request, image) for image in body.images]
    batches: BatchService = request.app.state.batches
    batch_id = body.batch_id or uuid.uuid4().hex
    state = await batches.start(user, batch_id, body.prompt, sources, _names(body.images))
    path = f"{request.scope.get('root_path', '').rstrip('/')}/batches/{batch_id}"
    location = str(request.url.replace(path=path, query="", fragment=""))
    return Json(_document(request, state), 202, {"Location": location})


async def get_batch(request: Request) -> Response:
    """The progress of a batch, and the outcome of each image."""
    batches, user = _of(request)
    return Json(_document(request, await batches.state(user, id_in_path(request, "batch_id"))))


async def cancel_batch(request: Request) -> Response:
    """Cancel a batch; one that has ended is not changed."""
    batches, user = _of(request)
    state = await batches.cancel(user, id_in_path(request, "batch_id"))
    return Json(_document(request, state), 202 if state.status == "running" else 200)


async def get_results(request: Request) -> Response:
    """Stream the results so far and the log as a zip file."""
    agent: Agent = request.app.state.agent
    batches, user = _of(request)
    state = await batches.state(user, id_in_path(request, "batch_id"))
    headers = {
        "Content-Disposition": 'attachment; filename="results.zip"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    room: BodyRoom = request.app.state.archives
    if not room.take(user, ARCHIVE_BYTES):
        raise Busy("too many results are being downloaded", retry_after_s=5)
    release = partial(room.release, user, ARCHIVE_BYTES)
    return _ZipResponse(_zip(agent, state), release, headers)


class _ZipResponse(StreamingResponse):
    """A zip file that is made while it is sent; ``release`` is called when it ends."""

    def __init__(
        self, pieces: AsyncIterator[bytes], release: Callable[[], None], headers: dict[str, str]
    ) -> None:
        super().__init__(pieces, media_type="application/zip", headers=headers)
        self._release = release

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._release()


def _of(request: Request) -> tuple[BatchService, str]:
    return request.app.state.batches, user_of(request, request.app.state.agent.settings)


def _document(request: Request, state: BatchState) -> dict[str, Any]:
    show = image_urls(request)
    items = [
        {
            "number": item.number,
            "name": item.name,
            "status": item.status,
            "text_response": item.message,
            "image_url": show(item.image_id) if item.image_id else None,
        }
        for item in state.items
    ]
    return {
        "batch_id": state.batch_id,
        "prompt": state.prompt,
        "status": state.status,
        "total": len(items),
        "done": state.count("done"),
        "failed": state.count("failed"),
        "items": items,
    }


def _names(urls: Sequence[str]) -> list[str]:
    """Names of results: names of the images without extension, numbered where they are equal."""
    seen: Counter[str] = Counter()
    names = []
    for number, url in enumerate(urls, 1):
        stem = _stem(url) or f"image_{number}"
        seen[stem.casefold()] += 1
        count = seen[stem.casefold()]
        names.append(stem if count == 1 else f"{stem}~{count}")
    return names


def _stem(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme.lower() == "data":
        return ""
    stem = PurePosixPath(unquote(parts.path)).stem
    return _NOT_IN_NAMES.sub("_", stem)[:MAX_NAME_CHARS].strip(" ._")


class _Pipe(io.RawIOBase):
    """Buffers written bytes until they are taken; not seekable, so zip entries get data descriptors."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        """Always true."""
        return True

    def write(self, data: Any, /) -> int:
        """Buffer a piece."""
        piece = bytes(data)
        self._pieces.append(piece)
        return len(piece)

    def take(self) -> bytes:
        """Return the bytes written since the last call."""
        data, self._pieces = b"".join(self._pieces), []
        return data


async def _zip(agent: Agent, state: BatchState) -> AsyncIterator[bytes]:
    """The pieces of a zip file, one image at a time. Images are compressed already, so they are stored."""
    pipe, images = _Pipe(), agent.services.images
    lines = []
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as archive:
        for item in state.items:
            file = None
            if item.image_id is not None:
                try:
                    media_type = (await images.stat(item.image_id)).media_type
                    data = await images.get(item.image_id)
                except (NotFound, StoreError) as exc:
                    lines.append({**item.stored(), "file": None, "error": str(exc)})
                    continue
                file = f"{item.name}.{EXTENSIONS[media_type]}"
                archive.writestr(zipfile.ZipInfo(file), data)
                yield pipe.take()
            lines.append({**item.stored(), "file": file})
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        archive.writestr(zipfile.ZipInfo("batch.jsonl"), text.encode("utf-8", "replace"))
    yield pipe.take()
