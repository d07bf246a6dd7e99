"""Listing, reading, renaming and deleting conversations over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from promptvision.agent.agent import Agent
from promptvision.testing.agents import make_agent
from promptvision.tools.tool import Tool

Serve = Callable[[Agent], TestClient]
Body = Callable[..., dict[str, Any]]


@pytest.fixture
def client(serve: Serve, tools: list[Tool], chat_body: Body, scene_url: str) -> TestClient:
    """A client with the conversations ``c`` (two turns) and ``d``."""
    made = serve(make_agent(tools))
    made.post("/chat", json=chat_body("change the red square to blue", input_image_url=scene_url))
    made.post("/chat", json=chat_body("now make it black and white"))
    made.post("/chat", json=chat_body(conversation_id="d", input_image_url=scene_url))
    return made


def test_conversations_are_listed_newest_first(client: TestClient) -> None:
    listed = client.get("/conversations").json()["conversations"]
    assert [(entry["id"], entry["turns"]) for entry in listed] == [("d", 1), ("c", 2)]
    assert listed[1]["title"] == "change the red square to blue"
    page = client.get("/conversations?limit=1&offset=1").json()["conversations"]
    assert [entry["id"] for entry in page] == ["c"]


@pytest.mark.parametrize("query", ["limit=x", "limit=-1", "limit=201", "offset=" + "9" * 5000, "limit=1.5"])
def test_wrong_page_is_refused(client: TestClient, query: str) -> None:
    response = client.get(f"/conversations?{query}")
    assert response.status_code == 422
    assert response.json()["error"].startswith(query.partition("=")[0])


def test_conversation_shows_turns_and_images(client: TestClient) -> None:
    shown = client.get("/conversations/c").json()
    assert [turn["prompt"] for turn in shown["turns"]] == [
        "change the red square to blue",
        "now make it black and white",
    ]
    assert shown["turns"][1]["reply"]["bw_image_url"] == shown["images"][-1]["url"]
    assert [image["handle"] for image in shown["images"]] == [f"img_{n}" for n in range(1, 7)]
    for image in shown["images"]:
        assert client.get(image["url"]).status_code == 200


def test_long_conversation_is_read_in_pages(
    serve: Serve, tools: list[Tool], chat_body: Body, scene_url: str
) -> None:
    client = serve(make_agent(tools))
    for number in range(7):
        image = {"input_image_url": scene_url} if number % 3 == 0 else {}
        client.post("/chat", json=chat_body(f"make it black and white, take {number}", **image))
    whole = client.get("/conversations/c").json()
    assert whole["next_before"] is None
    turns: list[Any] = []
    images: list[Any] = []
    before, pages = None, 0
    while True:
        query = {"limit": 3} if before is None else {"limit": 3, "before": before}
        page = client.get("/conversations/c", params=query).json()
        assert len(page["turns"]) <= 3
        turns, images, pages = page["turns"] + turns, page["images"] + images, pages + 1
        before = page["next_before"]
        if before is None:
            break
    assert pages == 3
    assert turns == whole["turns"]
    assert images == whole["images"]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=501", "before=0", "before=x", "limit=+3", "limit=1_0", "limit=\u0663"]
)
def test_wrong_page_of_turns_is_refused(client: TestClient, query: str) -> None:
    response = client.get(f"/conversations/c?{query}")
    assert response.status_code == 422
    assert response.json()["error"].startswith(query.partition("=")[0])


def test_renaming(client: TestClient) -> None:
    assert client.patch("/conversations/c", json={"title": "  my\x00 ball "}).json()["title"] == "my ball"
    assert client.get("/conversations/c").json()["title"] == "my ball"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"title": ""},
        {"title": " \x00 "},
        {"title": "x" * 201},
        {"title": 5},
        {"title": "x", "user_id": "b"},
    ],
)
def test_wrong_titles_are_refused(client: TestClient, body: dict[str, Any]) -> None:
    assert client.patch("/conversations/c", json=body).status_code == 422
    assert client.get("/conversations/c").json()["title"] == "change the red square to blue"


def test_deleting_removes_images_that_nothing_else_uses(client: TestClient) -> None:
    before = client.get("/conversations/c").json()["images"]
    kept = {image["url"] for image in client.get("/conversations/d").json()["images"]}
    assert client.delete("/conversations/c").status_code == 204
    assert client.get("/conversations/c").status_code == 404
    assert client.delete("/conversations/c").status_code == 404
    for image in before:
        assert client.get(image["url"]).status_code == (200 if image["url"] in kept else 404)
    assert [entry["id"] for entry in client.get("/conversations").json()["conversations"]] == ["d"]


@pytest.mark.parametrize("name", ["nothing", "%00", "..%2f", "x" * 65, "a or 1=1", "a,or(id.gt.0)"])
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_unknown_conversation_is_not_found(client: TestClient, method: str, name: str) -> None:
    response = client.request(method, f"/conversations/{name}", json={"title": "x"})
    assert response.status_code == 404
    assert response.json()["error"]
