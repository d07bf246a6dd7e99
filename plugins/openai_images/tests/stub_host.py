"""An OpenAI-compatible host on a loopback socket that draws with Pillow and records its requests."""

from __future__ import annotations

import asyncio
import base64
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, Self

import uvicorn
from PIL import Image
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

__all__ = ["Call", "StubHost"]

FILLING = (40, 90, 200)
"""The colour of everything that it draws."""


@dataclass(frozen=True)
class Call:
    """A request: its path, its fields, its files as images, and its bearer token."""

    path: str
    fields: dict[str, Any]
    files: dict[str, Image.Image]
    token: str


@dataclass
class StubHost:
    """The host; a context manager that serves from its own thread.

    Args:
        answer: creates the response of each call; default: a canvas of one colour, or a sentence.
    """

    answer: Callable[[Call], Response] | None = None
    calls: list[Call] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen()
        paths = ("/v1/images/edits", "/v1/images/generations", "/v1/chat/completions")
        app = Starlette(routes=[Route(path, self._handle, methods=["POST"]) for path in paths])
        config = uvicorn.Config(app, lifespan="off", ws="none", log_config=None, log_level="critical")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._serve, name="stub-host", daemon=True)

    @property
    def url(self) -> str:
        """Base URL for the SDK."""
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(timeout=10)
        self._socket.close()

    def _serve(self) -> None:
        asyncio.run(self._server.serve([self._socket]))

    async def _handle(self, request: Request) -> Response:
        fields: dict[str, Any] = {}
        files: dict[str, Image.Image] = {}
        if request.headers["content-type"].startswith("application/json"):
            fields = await request.json()
        else:
            async with request.form() as form:
                for name, value in form.items():
                    if isinstance(value, str):
                        fields[name] = value
                    else:
                        files[name.removesuffix("[]")] = Image.open(BytesIO(await value.read()))
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        call = Call(request.url.path, fields, files, token)
        self.calls.append(call)
        return (self.answer or draw)(call)


def draw(call: Call) -> Response:
    """A canvas of one colour in the requested size, or a sentence."""
    if call.path.endswith("/completions"):
        message = {"role": "assistant", "content": "Two red squares."}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        body = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
        return JSONResponse(body)
    width, height = (int(side) for side in call.fields["size"].split("x"))
    file = BytesIO()
    Image.new("RGB", (width, height), FILLING).save(file, "PNG")
    return JSONResponse({"created": 1, "data": [{"b64_json": base64.b64encode(file.getvalue()).decode()}]})
