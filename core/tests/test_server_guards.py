"""The limit on bodies, and the check of Host and Origin."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from promptvision.agent.agent import Agent
from promptvision.server.guards import BodyLimit
from promptvision.settings import Settings
from promptvision.testing.agents import make_agent
from promptvision.tools.tool import Tool

Serve = Callable[[Agent], TestClient]
Body = Callable[..., dict[str, Any]]


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "localhost.evil.example:5000", "[::2]"]
)
def test_other_host_names_are_not_answered(serve: Serve, tools: list[Tool], host: str) -> None:
    response = serve(make_agent(tools)).get("/tools", headers={"Host": host})
    assert response.status_code == 421
    assert "host name" in response.json()["error"]


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:5000", "127.0.0.1:81", "[::1]:5000", "box.lan"])
def test_known_host_names_are_answered(serve: Serve, tools: list[Tool], host: str) -> None:
    client = serve(make_agent(tools, settings=Settings(server_hosts=("box.lan",))))
    assert client.get("/tools", headers={"Host": host}).status_code == 200


def test_with_keys_any_host_name_is_answered(serve: Serve, tools: list[Tool]) -> None:
    agent = make_agent(tools, settings=Settings.from_mapping({"PROMPTVISION_API_KEYS": "a:k"}))
    assert serve(agent).get("/health", headers={"Host": "pictures.example"}).status_code == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://[", "", "http://127.0.0.1.evil.example"]
)
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/chat"), ("POST", "/images"), ("DELETE", "/conversations/c")]
)
def test_pages_of_other_hosts_cannot_post(
    serve: Serve, tools: list[Tool], origin: str, method: str, path: str
) -> None:
    response = serve(make_agent(tools)).request(method, path, headers={"Origin": origin})
    assert response.status_code == 403


def test_pages_of_the_same_host_can_post(serve: Serve, tools: list[Tool], chat_body: Body) -> None:
    headers = {"Origin": "http://127.0.0.1:5000"}
    response = serve(make_agent(tools)).post("/chat", json=chat_body("hi"), headers=headers)
    assert response.status_code == 200
    assert "access-control-allow-origin" not in response.headers


def pieces(count: int) -> Iterator[bytes]:
    for _ in range(count):
        yield b"x" * 2**20


def test_body_of_undeclared_length_is_cut(serve: Serve, tools: list[Tool]) -> None:
    headers = {"Content-Type": "application/json"}
    response = serve(make_agent(tools)).post("/chat", content=pieces(30), headers=headers)
    assert response.status_code == 413
    assert response.headers["connection"] == "close"


class Sink:
    """An app that reads a body to its end, or answers before it reads any."""

    def __init__(self, *, answers_first: bool) -> None:
        self.answers_first = answers_first
        self.read = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.answers_first:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise OSError("the caller left")
            self.read += len(message["body"])
            if not message["more_body"]:
                return


def drive(app: BodyLimit, sizes: list[int], headers: dict[bytes, bytes]) -> list[Message]:
    sent: list[Message] = []
    waiting = list(sizes)

    async def receive() -> Message:
        size = waiting.pop(0)
        return {"type": "http.request", "body": b"x" * size, "more_body": bool(waiting)}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(app({"type": "http", "headers": list(headers.items())}, receive, send))
    return sent


def test_declared_length_is_judged_before_anything_is_read() -> None:
    sink = Sink(answers_first=False)
    sent = drive(BodyLimit(sink, 100), [101], {b"content-length": b"101"})
    assert sent[0]["status"] == 413
    assert sink.read == 0


def test_streamed_length_is_judged_as_it_comes() -> None:
    sink = Sink(answers_first=False)
    sent = drive(BodyLimit(sink, 100), [60, 40, 1, 10**9], {})
    assert sent[0]["status"] == 413
    assert sink.read == 100


def test_limit_itself_is_allowed_and_a_lie_about_the_length_is_noticed() -> None:
    assert drive(BodyLimit(Sink(answers_first=False), 100), [60, 40], {}) == []
    sent = drive(BodyLimit(Sink(answers_first=False), 100), [101], {b"content-length": b"5"})
    assert sent[0]["status"] == 413


def test_answer_that_has_begun_is_not_followed_by_another() -> None:
    sent = drive(BodyLimit(Sink(answers_first=True), 100), [101], {})
    assert [message["type"] for message in sent] == ["http.response.start"]
