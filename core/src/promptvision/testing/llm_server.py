"""An OpenAI-compatible host on a loopback socket that sends scripted replies and fails like real hosts.

The official SDKs talk to it unchanged::

    with LLMServer([ChatReply(tool_calls=(call("find", {"q": "x"}),)), Fault.status(503), "Done."]) as server:
        AsyncOpenAI(base_url=server.openai_url, api_key="test")
        AsyncGroq(base_url=server.groq_url, api_key="test")
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from promptvision.llm.messages import ChatReply
from promptvision.testing.llm_faults import Fault, Scripted, respond
from promptvision.testing.llm_wire import call

__all__ = ["Fault", "LLMServer", "Recorded", "Scripted", "call"]


@dataclass(frozen=True)
class Recorded:
    """A received request: its path, its JSON body, and its headers with lower-case names."""

    path: str
    body: dict[str, Any]
    headers: dict[str, str]


def _listen() -> socket.socket:
    """A socket that asyncio recognises as TCP, so small packets are sent at once instead of after 40 ms."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    return listening


class LLMServer:
    """The host; a context manager that serves from its own thread.

    Paths are ``/v1/...`` (openai) and ``/openai/v1/...`` (groq), streamed if the request asks for it.

    Args:
        script: replies, in order.
        otherwise: reply after the script; default: an HTTP 400 that says so.
        models: the list of ``/models``; a request for another one gets 404 ``model_not_found``. None accepts
            any model, and ``/models`` then lists ``stub``.
    """

    def __init__(
        self,
        script: Iterable[Scripted] = (),
        *,
        otherwise: Scripted | None = None,
        models: Iterable[str] | None = None,
    ) -> None:
        self.script: list[Scripted] = list(script)
        self.otherwise = otherwise
        self.models = None if models is None else list(models)
        self.requests: list[Recorded] = []
        self._lock = threading.Lock()
        self._socket = _listen()
        self._server = uvicorn.Server(
            uvicorn.Config(
                Starlette(routes=self._routes()),
                lifespan="off",
                ws="none",
                log_config=None,
                log_level="critical",
            )
        )
        self._thread = threading.Thread(target=self._serve, name="llm-server", daemon=True)

    @property
    def url(self) -> str:
        """URL of the server."""
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    @property
    def openai_url(self) -> str:
        """Base URL for the openai SDK."""
        return f"{self.url}/v1"

    @property
    def groq_url(self) -> str:
        """Base URL for the groq SDK."""
        return self.url

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """The bodies of the chat requests made so far."""
        return [request.body for request in self.requests]

    def reset(self, script: Iterable[Scripted] = (), *, otherwise: Scripted | None = None) -> None:
        """Replace the script and clear the recorded requests."""
        with self._lock:
            self.script, self.otherwise, self.requests = list(script), otherwise, []

    def assert_used_up(self) -> None:
        """Fail unless every scripted reply was requested."""
        assert not self.script, f"{len(self.script)} scripted replies were not requested"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(timeout=10)
        self._socket.close()

    def _routes(self) -> list[Route]:
        routes = []
        for prefix in ("/v1", "/openai/v1"):
            routes.append(Route(f"{prefix}/chat/completions", self._chat, methods=["POST"]))
            routes.append(Route(f"{prefix}/models", self._list_models))
        return routes

    def _serve(self) -> None:
        asyncio.run(self._server.serve([self._socket]))

    async def _list_models(self, request: Request) -> Response:
        names = ["stub"] if self.models is None else self.models
        data = [{"id": name, "object": "model", "created": 1, "owned_by": "stub"} for name in names]
        return JSONResponse({"object": "list", "data": data})

    async def _chat(self, request: Request) -> Response:
        body = await request.json()
        with self._lock:
            self.requests.append(Recorded(request.url.path, body, dict(request.headers)))
            answer = self._next(body)
        return await respond(answer, request, body)

    def _next(self, body: dict[str, Any]) -> ChatReply | Fault | str:
        if self.models is not None and body["model"] not in self.models:
            return Fault.model_gone(body["model"])
        scripted = self.script.pop(0) if self.script else self.otherwise
        if scripted is None:
            return Fault.status(400, message="the script of the stub server is used up")
        return scripted(body) if callable(scripted) else scripted
