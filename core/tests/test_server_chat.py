"""``POST /chat``: the contract by example, idempotency, and cancelling."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from starlette.testclient import TestClient

from promptvision import tool
from promptvision.agent.agent import Agent
from promptvision.testing.agents import make_agent
from promptvision.tools import operations
from promptvision.tools.context import ToolContext
from promptvision.tools.requirements import Requirements
from promptvision.tools.tool import Tool

Serve = Callable[[Agent], TestClient]
Body = Callable[..., dict[str, Any]]


def urls_in(node: Any) -> set[str]:
    if isinstance(node, str):
        return {node} if node.startswith("http") else set()
    items = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return {url for item in items for url in urls_in(item)}


def test_reply_has_the_flat_fields_of_the_contract(
    serve: Serve, tools: list[Tool], chat_body: Body, scene_url: str
) -> None:
    body = chat_body("change the red square to blue", user_id="ann", input_image_url=scene_url)
    response = serve(make_agent(tools)).post("/chat", json=body)
    assert response.status_code == 200
    reply = response.json()
    assert set(reply) == {
        *("text_response", "image_url", "steps", "turn_id", "conversation_id", "prompt_id", "status"),
        *("planner", "notes", "prompt", "original_image_url", "bounding_boxes", "centroids", "labels"),
        *("scores", "annotated_image_url", "merged_mask_url", "mask_urls", "inpainted_image_url"),
    }
    assert (reply["status"], reply["planner"]) == ("done", "offline")
    assert (reply["prompt_id"], reply["conversation_id"]) == (body["prompt_id"], "c")
    assert reply["bounding_boxes"] == [[10, 10, 30, 30]]
    for step in reply["steps"]:
        assert set(step) == {
            *("operation", "tool", "plugin", "status", "arguments", "result", "seconds", "cached", "message"),
            *("models", "details"),
        }


def test_unavailable_operation_is_answered_with_what_is_missing(
    serve: Serve, tools: list[Tool], chat_body: Body, scene_url: str
) -> None:
    unmet = Requirements(binaries={"no-such-program": "apt-get install it"})
    reader = Tool(name="reader", operation=operations.EXTRACT_TEXT, run="nowhere:run", requires=unmet)
    client = serve(make_agent([*tools, reader]))
    body = chat_body("make it black and white, then read the text", input_image_url=scene_url)
    response = client.post("/chat", json=body)
    assert response.status_code == 200
    reply = response.json()
    assert (reply["status"], reply["planner"]) == ("failed", "offline")
    assert [step["status"] for step in reply["steps"]] == ["done", "failed"]
    assert reply["text_response"].endswith(
        "extract_text cannot run here: tool 'reader': program 'no-such-program' is not on the PATH; "
        "apt-get install it"
    )
    assert client.post("/chat", json=body).json() == reply, "the same turn again is the stored answer"
    assert client.get(reply["bw_image_url"]).status_code == 200


def test_two_turns_and_every_url_answers(
    serve: Serve, tools: list[Tool], chat_body: Body, scene_url: str
) -> None:
    client = serve(make_agent(tools))
    body = chat_body("change the red square to blue", input_image_url=scene_url)
    first = client.post("/chat", json=body).json()
    second = client.post("/chat", json=chat_body("now make it black and white")).json()
    assert second["image_url"] == first["inpainted_image_url"]
    assert second["original_image_url"] == first["inpainted_image_url"]
    urls = urls_in(first) | urls_in(second)
    assert len(urls) == 5, "the image, the same with boxes, its mask, the edit, and that in black and white"
    for url in urls:
        answer = client.get(url)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "image/png"


def test_image_url_of_a_reply_can_be_sent_back(
    serve: Serve, tools: list[Tool], chat_body: Body, scene_url: str
) -> None:
    client = serve(make_agent(tools))
    first = client.post("/chat", json=chat_body(input_image_url=scene_url)).json()
    again = chat_body(conversation_id="other", input_image_url=first["bw_image_url"])
    second = client.post("/chat", json=again).json()
    assert second["image_url"] == first["bw_image_url"]
    by_path = chat_body(conversation_id="third", input_image_url=first["bw_image_url"].partition(":5000")[2])
    assert client.post("/chat", json=by_path).json()["image_url"] == first["bw_image_url"]


def test_same_prompt_id_is_answered_from_the_store_and_another_body_is_refused(
    serve: Serve, tools: list[Tool], chat_body: Body, scene_url: str
) -> None:
    client = serve(make_agent(tools))
    body = chat_body(input_image_url=scene_url)
    first, again = client.post("/chat", json=body), client.post("/chat", json=body)
    assert first.json() == again.json()
    other = client.post("/chat", json={**body, "prompt": "find the red square"})
    assert other.status_code == 422
    assert "sent before with another prompt" in other.json()["error"]
    assert len(client.get("/conversations/c").json()["turns"]) == 1


def test_failed_turn_is_an_answer(serve: Serve, chat_body: Body, scene_url: str) -> None:
    @tool(phrases=["break it"])
    def broken(image: Image.Image) -> str:
        """Fail."""
        raise ZeroDivisionError("boom")

    response = serve(make_agent([broken])).post(
        "/chat", json=chat_body("break it", input_image_url=scene_url)
    )
    assert response.status_code == 200
    assert response.json()["status"] == "failed"
    assert "boom" in response.json()["text_response"]


def test_ids_may_be_numbers(serve: Serve, tools: list[Tool], chat_body: Body) -> None:
    body = chat_body("hello", user_id=7, prompt_id=1, conversation_id=2)
    reply = serve(make_agent(tools)).post("/chat", json=body).json()
    assert (reply["prompt_id"], reply["conversation_id"]) == ("1", "2")


@pytest.fixture
def dawdle() -> tuple[Tool, threading.Event]:
    begun = threading.Event()

    @tool(phrases=["dawdle over it"])
    def dawdle(image: Image.Image, context: ToolContext) -> str:
        """Work until cancelled."""
        begun.set()
        for step in range(4000):
            context.progress(step, 4000)
            time.sleep(0.005)
        return "never"

    return dawdle.tool, begun


def test_cancel_stops_a_turn_and_keeps_finished_steps(
    serve: Serve,
    tools: list[Tool],
    chat_body: Body,
    scene_url: str,
    dawdle: tuple[Tool, threading.Event],
) -> None:
    slow, begun = dawdle
    client = serve(make_agent([*tools, slow]))
    replies: list[Any] = []
    body = chat_body("find the red square, then dawdle over it", input_image_url=scene_url)
    asking = threading.Thread(target=lambda: replies.append(client.post("/chat", json=body)))
    asking.start()
    assert begun.wait(10)
    turn_id = client.get("/conversations/c").json()["turns"][0]["turn_id"]
    refused = client.post(f"/turns/{turn_id}/cancel?user_id=mallory")
    assert refused.status_code == 404
    stopping = client.post(f"/turns/{turn_id}/cancel")
    assert (stopping.status_code, stopping.json()["status"]) == (202, "cancelling")
    asking.join(10)
    assert replies[0].status_code == 200
    assert replies[0].json()["status"] == "cancelled"
    assert [step["status"] for step in replies[0].json()["steps"]] == ["done", "cancelled"]
    ended = client.post(f"/turns/{turn_id}/cancel")
    assert (ended.status_code, ended.json()["status"]) == (200, "cancelled")
    assert client.post("/chat", json=chat_body()).json()["status"] == "done"


@pytest.mark.parametrize("turn_id", ["0" * 32, "..", "%00", "a b", "x" * 65])
def test_cancelling_an_unknown_turn_is_not_found(serve: Serve, tools: list[Tool], turn_id: str) -> None:
    response = serve(make_agent(tools)).post(f"/turns/{turn_id}/cancel")
    assert response.status_code == 404
    assert response.json()["error"]


def test_full_queue_of_one_conversation_gets_retry_after(
    serve: Serve,
    tools: list[Tool],
    chat_body: Body,
    scene_url: str,
    dawdle: tuple[Tool, threading.Event],
) -> None:
    slow, begun = dawdle
    agent = make_agent([*tools, slow])
    client = serve(agent)
    replies: list[Any] = []
    bodies = [chat_body("dawdle over it", input_image_url=scene_url)]
    bodies += [chat_body("hello") for _ in range(5)]
    asking = [
        threading.Thread(target=lambda body=body: replies.append(client.post("/chat", json=body)))
        for body in bodies
    ]
    asking[0].start()
    assert begun.wait(10)
    for thread in asking[1:]:
        thread.start()
    asking_ended = time.monotonic() + 10
    while not replies and time.monotonic() < asking_ended:
        time.sleep(0.005)
    turn_id = client.get("/conversations/c").json()["turns"][0]["turn_id"]
    client.post(f"/turns/{turn_id}/cancel")
    for thread in asking:
        thread.join(10)
    refused = [reply for reply in replies if reply.status_code == 429]
    assert len(refused) == 1
    assert refused[0].headers["retry-after"] == "1"
    assert len([reply for reply in replies if reply.status_code == 200]) == 5
