"""Limits on requests at once, and the check of Host and Origin."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from promptvision.agent.agent import Agent
from promptvision.errors import SetupError
from promptvision.server.connections import ConnectionLimits
from promptvision.server.guards import MAX_REQUESTS, HostGuard, RequestLimit
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
    assert serve(agent).get("/health", headers={"Host": "images.example"}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "localhost:evil.com/x",
        "localhost:5000:6000",
        "localhost:99999",
        "a@localhost",
        "localhost/x",
        "local host",
    ],
)
def test_malformed_host_is_refused_with_and_without_keys(serve: Serve, tools: list[Tool], host: str) -> None:
    assert serve(make_agent(tools)).get("/tools", headers={"Host": host}).status_code == 421
    keys = Settings.from_mapping({"PROMPTVISION_API_KEYS": "a:k"})
    assert serve(make_agent(tools, settings=keys)).get("/tools", headers={"Host": host}).status_code == 400


def test_with_keys_host_names_can_be_limited(serve: Serve, tools: list[Tool]) -> None:
    source = {"PROMPTVISION_API_KEYS": "a:k", "PROMPTVISION_SERVER_HOSTS": "images.example"}
    client = serve(make_agent(tools, settings=Settings.from_mapping(source)))
    assert client.get("/health", headers={"Host": "images.example:8443"}).status_code == 200
    assert client.get("/health", headers={"Host": "other.example"}).status_code == 421


def test_trailing_dot_and_absolute_form_are_accepted() -> None:
    async def where(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((scope["path"], dict(scope["headers"])[b"host"].decode()))

    seen: list[tuple[str, str]] = []
    headers = [(b"host", b"localhost.")]
    scope = {"type": "http", "method": "GET", "scheme": "http", "headers": headers, "root_path": ""}
    guard = HostGuard(where, hosts=["localhost"])
    for path in ("/health", "http://localhost:5000/health", "HTTP://localhost"):
        asyncio.run(guard({**scope, "path": path}, no_body, no_send))
    assert seen == [("/health", "localhost."), ("/health", "localhost:5000"), ("/", "localhost")]


async def no_body() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def no_send(message: Message) -> None:
    raise AssertionError(message)


@pytest.mark.parametrize(
    "origin",
    [
        "https://127.0.0.1:5000",
        "http://127.0.0.1:5001",
        "http://127.0.0.1",
        "http://localhost:5000",
        "http://evil.example",
        "null",
        "http://[",
        "",
        "http://127.0.0.1.evil.example",
    ],
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


FRONTEND = "http://localhost:3000"


def test_cors_is_off_by_default(serve: Serve, tools: list[Tool]) -> None:
    headers = {"Origin": FRONTEND, "Access-Control-Request-Method": "POST"}
    response = serve(make_agent(tools)).options("/chat", headers=headers)
    assert "access-control-allow-origin" not in response.headers


def test_cors_allows_exactly_the_configured_origins(serve: Serve, tools: list[Tool], chat_body: Body) -> None:
    source = {"PROMPTVISION_CORS_ORIGINS": FRONTEND, "PROMPTVISION_API_KEYS": "a:k"}
    client = serve(make_agent(tools, settings=Settings.from_mapping(source)))
    asked = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    preflight = client.options("/chat", headers={"Origin": FRONTEND, **asked})
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == FRONTEND
    assert "access-control-allow-credentials" not in preflight.headers
    key = {"Authorization": "Bearer k"}
    sent = client.post("/chat", json=chat_body("hi"), headers={"Origin": FRONTEND, **key})
    assert sent.status_code == 200
    assert sent.headers["access-control-allow-origin"] == FRONTEND
    for origin in (
        "http://localhost:3001",
        "https://localhost:3000",
        "http://localhost:3000.evil.example",
        "null",
    ):
        refused = client.post("/chat", json=chat_body("hi"), headers={"Origin": origin, **key})
        assert refused.status_code == 403
        assert "access-control-allow-origin" not in refused.headers
        assert client.options("/chat", headers={"Origin": origin, **asked}).status_code == 400


@pytest.mark.parametrize("origin", ["*", "http://*.example", "localhost:3000", "http://a.example/x", "null"])
def test_cors_origins_must_be_exact(origin: str) -> None:
    with pytest.raises(SetupError, match="PROMPTVISION_CORS_ORIGINS"):
        Settings.from_mapping({"PROMPTVISION_CORS_ORIGINS": origin})


def test_requests_over_the_limit_get_retry_after() -> None:
    async def run() -> list[Message]:
        release, sent = asyncio.Event(), list[Message]()

        async def hold(scope: Scope, receive: Receive, send: Send) -> None:
            await release.wait()

        async def send(message: Message) -> None:
            sent.append(message)

        limit = RequestLimit(hold, 2)
        scope = {"type": "http", "headers": []}
        held = [asyncio.create_task(limit(scope, no_body, no_send)) for _ in range(2)]
        await asyncio.sleep(0)
        await limit(scope, no_body, send)
        release.set()
        await asyncio.gather(*held)
        await limit(scope, no_body, no_send)
        return sent

    sent = asyncio.run(run())
    assert sent[0]["status"] == 503
    assert dict(sent[0]["headers"])[b"retry-after"] == b"2"


def test_slow_bodies_cannot_use_up_the_requests() -> None:
    assert ConnectionLimits().total < MAX_REQUESTS


def test_one_user_cannot_take_all_requests() -> None:
    async def run() -> list[int]:
        release, statuses = asyncio.Event(), list[int]()

        async def hold(scope: Scope, receive: Receive, send: Send) -> None:
            await release.wait()

        async def send(message: Message) -> None:
            statuses.append(message.get("status", 0))

        limit = RequestLimit(hold, 8, per_user=2, user=lambda scope: scope["user"])
        users = ["a", "a", "a", "b", "", "", ""]
        scopes = [{"type": "http", "headers": [], "user": user} for user in users]
        running = [asyncio.create_task(limit(scope, no_body, send)) for scope in scopes]
        await asyncio.sleep(0.01)
        release.set()
        await asyncio.gather(*running)
        await limit(scopes[0], no_body, send)
        return [status for status in statuses if status]

    assert asyncio.run(run()) == [429]
