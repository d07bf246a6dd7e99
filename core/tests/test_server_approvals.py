"""``POST /chat`` while a step waits for approval, and the routes that answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageOps
from starlette.testclient import TestClient

from promptvision import tool
from promptvision.agent.agent import Agent
from promptvision.builtin.memory import MemoryConversationStore
from promptvision.builtin.memory_images import MemoryImageStore
from promptvision.builtin.sql.store import SQLConversationStore
from promptvision.plugins.middleware import Middleware, StepInfo
from promptvision.settings import Settings
from promptvision.testing.agents import make_registry

Serve = Callable[[Agent], TestClient]


INLINE = Settings(image_decoding="inline")  # no child process has to start


class AskAlways(Middleware):
    async def before_step(self, step: StepInfo) -> None:
        await step.approve(f"May {step.tool.name} run?")


@tool(phrases=["mirror it"])
def mirror(image: Image.Image) -> Image.Image:
    """Mirror an image."""
    return ImageOps.mirror(image)


@pytest.fixture
def client(serve: Serve) -> TestClient:
    return serve(
        Agent(
            INLINE,
            registry=make_registry([mirror]),
            conversations=MemoryConversationStore(),
            images=MemoryImageStore(),
            middleware=[AskAlways()],
        )
    )


def chat(client: TestClient, url: str) -> Any:
    body = {"prompt": "mirror it", "prompt_id": "p", "conversation_id": "c", "user_id": "u"}
    return client.post("/chat", json={**body, "input_image_url": url})


@pytest.mark.parametrize(("approved", "status"), [(True, "done"), (False, "failed")])
def test_chat_waits_for_approval_and_continues(
    client: TestClient, scene_url: str, *, approved: bool, status: str
) -> None:
    waiting = chat(client, scene_url)
    assert waiting.status_code == 202
    document = waiting.json()
    assert document["status"] == "waiting_for_approval"
    assert document["text_response"] == "May mirror run?"
    assert chat(client, scene_url).json() == document  # the same request waits too
    question = document["approval"]
    assert client.get(question["arguments"]["image"]).status_code == 200
    place = f"/turns/{document['turn_id']}/approvals"
    assert client.get(f"{place}?user_id=u").json() == {"approvals": [question]}
    answer = f"{place}/{question['approval_id']}?user_id=u"
    assert client.post(answer, json={"approved": "yes"}).status_code == 422
    assert client.post(answer, json={}).status_code == 422
    assert client.post(f"{place}/9-9?user_id=u", json={"approved": True}).status_code == 404
    assert client.post(answer.replace("=u", "=else"), json={"approved": True}).status_code == 404
    accepted = client.post(answer, json={"approved": approved, "reason": "not today"})
    assert accepted.json() == {
        "turn_id": document["turn_id"],
        "approval_id": question["approval_id"],
        "approved": approved,
    }
    reply = chat(client, scene_url)
    assert (reply.status_code, reply.json()["status"]) == (200, status)
    (step,) = reply.json()["steps"]
    assert (step["status"], "not today" in str(step["message"])) == (status, not approved)
    assert client.get(f"{place}?user_id=u").json() == {"approvals": []}
    assert client.post(answer, json={"approved": True}).status_code == 404


def test_tool_that_is_called_by_name_cannot_ask(client: TestClient, scene_url: str) -> None:
    refused = client.post("/tools/mirror", json={"image": scene_url})
    assert refused.status_code == 422
    assert "there is no one here to ask. May mirror run?" in refused.json()["error"]


def test_answer_reaches_the_process_that_runs_the_turn(
    serve: Serve, scene_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("promptvision.agent.approvals.POLL_S", 0.05)
    stores = [SQLConversationStore(f"sqlite:///{tmp_path}/c.sqlite3") for _ in range(2)]
    images = MemoryImageStore()
    agents = [
        Agent(
            INLINE,
            registry=make_registry([mirror]),
            conversations=store,
            images=images,
            middleware=[AskAlways()],
        )
        for store in stores
    ]
    running, other = map(serve, agents)
    document = chat(running, scene_url).json()
    place = f"/turns/{document['turn_id']}/approvals"
    (question,) = other.get(f"{place}?user_id=u").json()["approvals"]
    assert question == document["approval"]
    answer = f"{place}/{question['approval_id']}"
    assert other.post(f"{answer}?user_id=else", json={"approved": True}).status_code == 404
    assert other.post(f"{place}/9-9?user_id=u", json={"approved": True}).status_code == 404
    assert other.post(f"{answer}?user_id=u", json={"approved": False, "reason": "not now"}).status_code == 200
    assert other.post(f"{answer}?user_id=u", json={"approved": True}).status_code == 404
    for _ in range(600):  # until the running process has read the answer
        if (reply := chat(running, scene_url)).status_code == 200:
            break
        time.sleep(0.02)
    (step,) = reply.json()["steps"]
    assert (step["status"], "not now" in step["message"]) == ("failed", True)
    assert other.get(f"{place}?user_id=u").json() == {"approvals": []}
    assert other.post(f"{answer}?user_id=u", json={"approved": True}).status_code == 404
