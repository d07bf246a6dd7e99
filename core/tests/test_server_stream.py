"""Turns as server-sent events over HTTP."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from starlette.testclient import TestClient

from promptvision import tool
from promptvision.agent.agent import Agent
from promptvision.testing.agents import make_agent
from promptvision.tools.tool import Tool

Serve = Callable[[Agent], TestClient]
Body = Callable[..., dict[str, Any]]

STREAM = {"Accept": "text/event-stream"}


def blocks(text: str) -> list[str]:
    assert text.endswith("\n\n")
    return text.split("\n\n")[:-1]


def events(text: str) -> list[dict[str, Any]]:
    lines = [line for block in blocks(text) for line in block.split("\n") if line.startswith("data: ")]
    return [json.loads(line.removeprefix("data: ")) for line in lines]


def test_stream_names_the_turn_and_replays_from_any_event(
    serve: Serve, tools: list[Tool], chat_body: Body, scene_url: str
) -> None:
    client = serve(make_agent(tools))
    body = chat_body("change the red square to blue", input_image_url=scene_url)
    response = client.post("/chat", json=body, headers=STREAM)
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-cache"
    assert response.headers["x-accel-buffering"] == "no"
    received = events(response.text)
    assert received[0]["type"] == "RUN_STARTED"
    turn_id, document = received[0]["runId"], received[-1]["result"]
    whole = client.get(f"/turns/{turn_id}/events").text
    assert blocks(whole) == [block for block in blocks(response.text) if block.startswith("id: ")]
    ids = [block.partition("\n")[0].removeprefix("id: ") for block in blocks(whole)]
    assert ids == [f"{turn_id}:{number}" for number in range(1, len(ids) + 1)]
    for index in (0, len(ids) // 2, len(ids) - 1):
        rest = client.get(f"/turns/{turn_id}/events", headers={"Last-Event-ID": ids[index]}).text
        assert rest == "".join(f"{block}\n\n" for block in blocks(whole)[index + 1 :])
        assert client.get(f"/turns/{turn_id}/events", params={"last_event_id": ids[index]}).text == rest
    assert client.post("/chat", json=body).json() == document
    assert events(client.post("/chat", json=body, headers=STREAM).text) == events(whole)


@pytest.mark.parametrize("accept", ["text/event-stream", "application/json, Text/Event-Stream;q=0.9"])
def test_stream_is_sent_if_the_client_accepts_it(
    serve: Serve, tools: list[Tool], chat_body: Body, accept: str
) -> None:
    response = serve(make_agent(tools)).post("/chat", json=chat_body("hi"), headers={"Accept": accept})
    assert response.headers["content-type"].startswith("text/event-stream")


def test_errors_before_the_first_event_are_ordinary_responses(
    serve: Serve, tools: list[Tool], chat_body: Body
) -> None:
    client = serve(make_agent(tools))
    bad = client.post("/chat", json=chat_body(input_image_url="data:,x"), headers=STREAM)
    assert bad.status_code == 422
    assert bad.headers["content-type"] == "application/problem+json"
    assert client.get(f"/turns/{'0' * 32}/events").status_code == 404


@pytest.mark.parametrize(
    "last", ["x", "x:1", "{turn}:", "{turn}:-1", "{turn}:1e3", "{turn}:\u0663", "{turn}:" + "9" * 40]
)
def test_last_event_id_of_something_else_is_refused(
    serve: Serve, tools: list[Tool], chat_body: Body, last: str
) -> None:
    client = serve(make_agent(tools))
    turn_id = client.post("/chat", json=chat_body("hi")).json()["turn_id"]
    sent = last.format(turn=turn_id)
    response = client.get(f"/turns/{turn_id}/events", params={"last_event_id": sent})
    assert response.status_code == 422
    assert "Last-Event-ID" in response.json()["error"]


def test_comments_are_sent_while_nothing_happens(
    serve: Serve, chat_body: Body, scene_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("promptvision.server.stream.HEARTBEAT_S", 0.02)
    silence = threading.Event()

    @tool(phrases=["think"])
    def think(image: Image.Image) -> str:
        """Wait a moment."""
        silence.wait(0.3)
        return "done"

    client = serve(make_agent([think]))
    response = client.post("/chat", json=chat_body("think", input_image_url=scene_url), headers=STREAM)
    assert blocks(response.text).count(": heartbeat") >= 3
    assert events(response.text)[-1]["type"] == "RUN_FINISHED"


def test_cut_text_of_a_tool_does_not_break_the_stream(
    serve: Serve, chat_body: Body, scene_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)  # what is logged cannot be sent from one test process to another

    @tool(phrases=["break it"])
    def broken(image: Image.Image) -> str:
        """Fail with a file name that is not valid text."""
        raise OSError("no such file: \udcff\n\ndata: {}")

    client = serve(make_agent([broken]))
    body = chat_body("break it", input_image_url=scene_url)
    received = events(client.post("/chat", json=body, headers=STREAM).text)
    assert received[-1]["type"] == "RUN_ERROR"
    assert "no such file" in received[-1]["message"]
    reply = client.post("/chat", json=body).json()
    assert reply["steps"][0]["message"].endswith("no such file: ?")


def test_repeated_request_is_answered_even_if_its_image_is_deleted(
    serve: Serve, tools: list[Tool], chat_body: Body, scene_png: bytes
) -> None:
    agent = make_agent(tools)
    client = serve(agent)
    made = client.post("/images", files={"file": scene_png}).json()
    body = chat_body("find the red square", input_image_url=made["image_url"])
    first = client.post("/chat", json=body).json()
    agent.images.delete(made["image_id"])
    assert client.post("/chat", json=body).json() == first
    received = events(client.post("/chat", json=body, headers=STREAM).text)
    assert received[-1]["result"] == first
    assert client.post("/chat", json={**body, "prompt_id": "fresh"}).status_code == 404


def test_request_is_answered_from_the_store_after_many_turns_and_without_its_image(
    serve: Serve, tools: list[Tool], chat_body: Body, scene_png: bytes
) -> None:
    agent = make_agent(tools)
    client = serve(agent)
    made = client.post("/images", files={"file": scene_png}).json()
    body = chat_body("find the red square", input_image_url=made["image_url"])
    first = client.post("/chat", json=body).json()
    for _ in range(14):
        client.post("/chat", json=chat_body("hello"))
    agent.images.delete(made["image_id"])
    assert client.post("/chat", json=body).json() == first
    assert client.post("/chat", json={**body, "prompt": "another"}).status_code == 422
