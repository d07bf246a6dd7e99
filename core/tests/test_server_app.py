"""The app as a whole: mounting, shutdown during a turn, recovery at startup, and the operator's routes."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from PIL import Image
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.testclient import TestClient

from promptvision import tool
from promptvision.agent.agent import Agent
from promptvision.builtin.memory import MemoryConversationStore
from promptvision.conversations.turn import Conversation, TurnKey, TurnStatus
from promptvision.errors import StoreError
from promptvision.server import create_app
from promptvision.settings import Settings
from promptvision.testing.agents import make_agent
from promptvision.tools.tool import Tool

Serve = Callable[[Agent], TestClient]
Body = Callable[..., dict[str, Any]]


async def own_image(request: Request) -> Response:
    """A route of the host application with the same path as one of ours."""
    return PlainTextResponse("the host's")


@contextmanager
def mounted(agent: Agent, *outer: BaseRoute, **mount: Any) -> Iterator[TestClient]:
    host = Starlette(routes=[*outer, Mount("/vision", app=create_app(agent=agent), **mount)])
    with TestClient(host, base_url="http://127.0.0.1:5000", raise_server_exceptions=False) as client:
        yield client
        assert client.portal is not None
        client.portal.call(agent.close)


@pytest.mark.parametrize("name", [None, "assets"])
def test_mounted_under_a_prefix_all_urls_answer(
    tools: list[Tool], chat_body: Body, scene_url: str, scene_png: bytes, name: str | None
) -> None:
    clash = Route("/{image_id}.png", own_image, name="image")
    with mounted(make_agent(tools), clash, name=name) as client:
        body = chat_body("change the red square to blue", input_image_url=scene_url)
        first = client.post("/vision/chat", json=body).json()
        url = first["inpainted_image_url"]
        assert re.fullmatch(r"http://127\.0\.0\.1:5000/vision/images/[0-9a-f]{64}", url)
        assert client.get(url).status_code == 200
        second = client.post("/vision/chat", json=chat_body("now make it black and white")).json()
        assert second["image_url"] == url
        third = client.post("/vision/chat", json=chat_body(conversation_id="d", input_image_url=url)).json()
        assert third["image_url"] == url
        made = client.post("/vision/images", files={"file": scene_png}).json()
        assert client.get(made["image_url"]).status_code == 200
        stream = client.get(f"/vision/turns/{first['turn_id']}/events").text
        assert url in stream
        assert client.get("/vision/nothing").json()["error"]


def test_mounted_twice_with_agents_of_their_own(tools: list[Tool], chat_body: Body, scene_url: str) -> None:
    agents = make_agent(tools), make_agent(tools)
    apps = [Mount(f"/{n}", app=create_app(agent=agent)) for n, agent in enumerate(agents)]
    with TestClient(Starlette(routes=apps), base_url="http://localhost") as client:
        client.post("/0/chat", json=chat_body(input_image_url=scene_url))
        assert len(client.get("/0/conversations").json()["conversations"]) == 1
        assert client.get("/1/conversations").json()["conversations"] == []
        assert client.portal is not None
        for agent in agents:
            client.portal.call(agent.close)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/chat", 405),
        ("DELETE", "/images", 405),
        ("POST", "/conversations/c", 405),
        ("PUT", "/turns/x/cancel", 405),
    ],
)
def test_unknown_routes_and_methods_are_problem_documents(
    serve: Serve, tools: list[Tool], method: str, path: str, status: int
) -> None:
    response = serve(make_agent(tools)).request(method, path)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["error"]
    assert ("allow" in response.headers) == (status == 405)


class BrokenStore(MemoryConversationStore):
    """A store that fails on demand."""

    error: Exception | None = None

    def conversations(self, user_id: str, *, limit: int = 50, offset: int = 0) -> list[Conversation]:
        if self.error is not None:
            raise self.error
        return super().conversations(user_id, limit=limit, offset=offset)


def test_internal_error_is_hidden_behind_an_error_id(
    serve: Serve, tools: list[Tool], caplog: pytest.LogCaptureFixture
) -> None:
    store = BrokenStore()
    client = serve(make_agent(tools, conversations=store))
    store.error = ZeroDivisionError("the secret is hunter2")
    response = client.get("/conversations")
    assert response.status_code == 500
    assert "hunter2" not in response.text
    error_id = response.json()["error_id"]
    assert error_id in response.json()["error"]
    assert error_id in caplog.text
    assert "hunter2" in caplog.text


def test_store_that_is_down_makes_the_server_unready_but_alive(serve: Serve, tools: list[Tool]) -> None:
    store = BrokenStore()
    client = serve(make_agent(tools, conversations=store))
    assert client.get("/ready").json() == {
        "status": "ok",
        "checks": {"operations": "ok", "conversations": "ok"},
    }
    store.error = StoreError("conversations: locked for too long", retryable=True)
    unready = client.get("/ready")
    assert unready.status_code == 503
    assert unready.json()["checks"]["conversations"] == "conversations: locked for too long"
    listing = client.get("/conversations")
    assert listing.status_code == 503
    assert listing.headers["retry-after"] == "2"
    assert client.get("/health").json() == {"status": "ok"}


def test_without_tools_it_is_not_ready(serve: Serve) -> None:
    assert serve(make_agent([])).get("/ready").status_code == 503


def test_metrics_count_turns_and_steps(
    serve: Serve, tools: list[Tool], chat_body: Body, scene_url: str
) -> None:
    client = serve(make_agent(tools))
    for _ in range(2):
        client.post("/chat", json=chat_body(input_image_url=scene_url, conversation_id="c1"))
    response = client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    lines = response.text.splitlines()
    assert 'promptvision_turns_total{planner="offline",status="done"} 2.0' in lines
    labels = 'operation="convert_to_bw",status="done",tool="grey"'
    assert f"promptvision_step_seconds_count{{{labels}}} 2.0" in lines
    assert 'promptvision_cached_steps_total{operation="convert_to_bw"} 1.0' in lines
    assert "promptvision_running_turns 0.0" in lines
    assert "promptvision_waiting_turns 0.0" in lines
    assert "promptvision_refused_turns 0.0" in lines
    assert "promptvision_model_bytes 0.0" in lines
    for name in ("running_steps", "waiting_steps", "waiting_users", "refused_steps", "longest_wait_seconds"):
        assert f"promptvision_{name} 0.0" in lines


def test_metrics_count_stages_found_in_the_cache(serve: Serve, tools: list[Tool], tmp_path: Path) -> None:
    agent = make_agent(tools, settings=Settings(home=tmp_path))
    for _ in range(3):
        agent.services.runtime.stages.get(
            "sam/embedding", lambda: "key", lambda: {"a": np.zeros(4, np.uint8)}, lambda: None
        )
    lines = serve(agent).get("/metrics").text.splitlines()
    assert 'promptvision_stage_cache_hits_total{stage="sam/embedding"} 2.0' in lines
    assert 'promptvision_stage_cache_misses_total{stage="sam/embedding"} 1.0' in lines
    assert any(line.startswith("promptvision_stage_cache_saved_seconds_total{") for line in lines)


def test_openapi_document_is_valid_and_names_every_route(serve: Serve, tools: list[Tool]) -> None:
    client = serve(make_agent(tools))
    document = client.get("/openapi.json").json()
    assert [str(error) for error in OpenAPIV31SpecValidator(document).iter_errors()] == []
    described = {
        (path, method.upper())
        for path, operations in document["paths"].items()
        for method in operations
        if not path.startswith("/tools/")
    }
    app = client.app
    assert isinstance(app, Starlette)
    routes = {
        (route.path.replace(":path", ""), method)
        for route in app.routes
        if isinstance(route, Route) and route.path not in ("/openapi.json", "/tools/{operation}")
        for method in route.methods or ()
        if method != "HEAD"
    }
    assert described == routes
    assert set(document["paths"]) >= {"/tools/convert_to_bw", "/tools/inpaint_image"}
    assert document["security"] == []


def test_openapi_document_asks_for_keys_where_they_are_set(tools: list[Tool]) -> None:
    from promptvision.server.openapi import openapi_document

    agent = make_agent(tools, settings=Settings.from_mapping({"PROMPTVISION_API_KEYS": "a:k"}))
    document = openapi_document(agent)
    assert [str(error) for error in OpenAPIV31SpecValidator(document).iter_errors()] == []
    assert document["security"] == [{"bearer": []}]
    asyncio.run(agent.close())


def test_turns_of_dead_processes_are_closed_at_startup(tools: list[Tool]) -> None:
    agent = make_agent(tools, settings=Settings(lease_s=0.05))
    key = TurnKey("local", "c", "p")
    agent.conversations.claim_turn(key, prompt="hi", fingerprint="f", owner="dead", lease_s=9)
    closed = threading.Event()
    sweep = agent.close_stale

    async def watched() -> int:
        count = await sweep()
        if count:
            closed.set()
        return count

    agent.close_stale = watched  # type: ignore[method-assign]
    with TestClient(create_app(agent=agent), base_url="http://localhost") as client:
        assert closed.wait(5)
        assert client.get("/conversations/c").json()["turns"][0]["status"] == "interrupted"


def test_stopping_interrupts_running_turns_and_answers_waiting_clients(
    tools: list[Tool], chat_body: Body, scene_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("promptvision.server.app.DRAIN_S", 0.1)
    begun, release = threading.Event(), threading.Event()

    @tool(phrases=["hang"])
    def hang(image: Image.Image) -> str:
        """Wait for the test to end."""
        begun.set()
        release.wait(10)
        return "late"

    agent = make_agent([hang])
    replies: list[Any] = []
    body = chat_body("hang", input_image_url=scene_url)
    with TestClient(create_app(agent=agent), base_url="http://localhost") as client:
        asking = threading.Thread(target=lambda: replies.append(client.post("/chat", json=body)))
        asking.start()
        assert begun.wait(5)
        assert client.portal is not None
        client.portal.call(agent.drain, 0.05)
        asking.join(5)
    release.set()
    assert replies[0].status_code == 429
    assert "send the same request again" in replies[0].json()["error"]
    assert agent.conversations.history("local", "c", 1)[0].status is TurnStatus.INTERRUPTED
