"""API keys, and the isolation of users on every route."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from promptvision.agent.agent import Agent
from promptvision.settings import Settings
from promptvision.testing.agents import make_agent
from promptvision.tools.tool import Tool

Serve = Callable[[Agent], TestClient]
Body = Callable[..., dict[str, Any]]

KEYS = {"PROMPTVISION_API_KEYS": "alice:key-a,bob:key-b"}
ALICE, BOB = {"Authorization": "Bearer key-a"}, {"Authorization": "bearer  key-b"}

ROUTES = [
    ("POST", "/chat"),
    ("GET", "/turns/{turn}/events"),
    ("POST", "/turns/{turn}/cancel"),
    ("POST", "/images"),
    ("GET", "/images/{image}"),
    ("GET", "/tools"),
    ("POST", "/tools/convert_to_bw"),
    ("GET", "/conversations"),
    ("GET", "/conversations/c"),
    ("PATCH", "/conversations/c"),
    ("DELETE", "/conversations/c"),
]


@pytest.fixture
def guarded(serve: Serve, tools: list[Tool]) -> TestClient:
    return serve(make_agent(tools, settings=Settings.from_mapping(KEYS)))


@pytest.fixture
def made(guarded: TestClient, chat_body: Body, scene_url: str) -> dict[str, str]:
    """A turn of alice and its images."""
    body = chat_body("change the red square to blue", input_image_url=scene_url)
    reply = guarded.post("/chat", json=body, headers=ALICE).json()
    image = reply["inpainted_image_url"].rpartition("/")[2]
    return {"turn": reply["turn_id"], "image": image, "url": reply["inpainted_image_url"]}


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer wrong", "Bearer key-a2", "Basic key-a", "key-a", "Bearer kéy"]
)
def test_without_a_known_key_every_route_answers_401(
    guarded: TestClient, chat_body: Body, method: str, path: str, header: str
) -> None:
    content = json.dumps(chat_body() if path == "/chat" else {})
    headers = {b"Authorization": header.encode(), b"Content-Type": b"application/json"}
    path = path.format(turn="0" * 32, image="0" * 64)
    response = guarded.request(method, path, content=content, headers=headers)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.json()["error"]


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics", "/openapi.json"])
def test_operators_pages_need_no_key(guarded: TestClient, path: str) -> None:
    assert guarded.get(path).status_code == 200


def test_key_identifies_the_user_and_another_user_id_is_refused(guarded: TestClient, chat_body: Body) -> None:
    assert guarded.post("/chat", json=chat_body("hi"), headers=ALICE).status_code == 200
    assert guarded.post("/chat", json=chat_body("hi", user_id="alice"), headers=ALICE).status_code == 200
    other = guarded.post("/chat", json=chat_body("hi", user_id="bob"), headers=ALICE)
    assert other.status_code == 403
    assert "belongs to another user" in other.json()["error"]
    assert guarded.get("/conversations?user_id=bob", headers=ALICE).status_code == 403
    assert guarded.get("/conversations", headers=BOB).json() == {"conversations": []}


def test_every_key_is_compared_in_constant_time(guarded: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[bytes] = []
    real = hmac.compare_digest

    def watched(known: bytes, sent: bytes) -> bool:
        compared.append(known)
        return real(known, sent)

    monkeypatch.setattr(hmac, "compare_digest", watched)
    guarded.get("/conversations", headers=ALICE)
    assert compared == [b"key-a", b"key-b"]


def test_key_of_any_characters_is_compared_as_it_was_sent(serve: Serve, tools: list[Tool]) -> None:
    client = serve(
        make_agent(tools, settings=Settings.from_mapping({"PROMPTVISION_API_KEYS": "a:schlüssel"}))
    )
    headers = {b"Authorization": "Bearer schlüssel".encode()}
    assert client.get("/conversations", headers=headers).status_code == 200


def test_keys_never_appear_in_replies(guarded: TestClient, made: dict[str, str]) -> None:
    for path in ("/openapi.json", "/metrics", "/ready", "/tools", "/conversations/c"):
        assert "key-a" not in guarded.get(path, headers=ALICE).text


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/turns/{turn}/events", None),
        ("POST", "/turns/{turn}/cancel", None),
        ("GET", "/images/{image}", None),
        ("POST", "/tools/convert_to_bw", {"image_url": "{url}"}),
        ("GET", "/conversations/c", None),
        ("PATCH", "/conversations/c", {"title": "mine now"}),
        ("DELETE", "/conversations/c", None),
    ],
)
def test_things_of_another_user_are_not_found(
    guarded: TestClient, made: dict[str, str], method: str, path: str, body: dict[str, str] | None
) -> None:
    given = {key: value.format(**made) for key, value in (body or {}).items()}
    assert guarded.request(method, path.format(**made), json=given, headers=BOB).status_code == 404
    assert guarded.request(method, path.format(**made), json=given, headers=ALICE).status_code < 300


def test_image_of_another_user_cannot_be_sent(
    guarded: TestClient, made: dict[str, str], chat_body: Body
) -> None:
    response = guarded.post("/chat", json=chat_body(input_image_url=made["url"]), headers=BOB)
    assert response.status_code == 404
    assert guarded.get("/conversations", headers=BOB).json() == {"conversations": []}


def test_users_can_have_conversations_of_the_same_id(
    guarded: TestClient, made: dict[str, str], chat_body: Body
) -> None:
    reply = guarded.post("/chat", json=chat_body("make it black and white"), headers=BOB).json()
    assert reply["image_url"] is None
    assert "no image" in reply["text_response"]
    assert len(guarded.get("/conversations/c", headers=BOB).json()["turns"]) == 1
    assert len(guarded.get("/conversations/c", headers=ALICE).json()["turns"]) == 1


def test_same_image_sent_by_two_users_belongs_to_both(
    guarded: TestClient, made: dict[str, str], chat_body: Body, scene_url: str
) -> None:
    body = chat_body("change the red square to blue", input_image_url=scene_url)
    reply = guarded.post("/chat", json=body, headers=BOB).json()
    assert reply["inpainted_image_url"] == made["url"]
    assert guarded.delete("/conversations/c", headers=ALICE).status_code == 204
    assert guarded.get(made["url"], headers=BOB).status_code == 200
    assert guarded.get(made["url"], headers=ALICE).status_code == 404


def test_without_keys_users_are_identified_by_their_user_id(
    serve: Serve, tools: list[Tool], chat_body: Body, scene_url: str
) -> None:
    client = serve(make_agent(tools))
    body = chat_body(user_id="ann", input_image_url=scene_url)
    turn = client.post("/chat", json=body).json()["turn_id"]
    for path in (f"/turns/{turn}/events", "/conversations/c"):
        assert client.get(path).status_code == 404
        assert client.get(f"{path}?user_id=ann").status_code == 200
    assert client.get("/conversations?user_id=").status_code == 422
