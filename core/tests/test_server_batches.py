"""``/batches``: start, follow, cancel and download, per user, and after a restart of the server."""

from __future__ import annotations

import io
import json
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as PillowImage
from PIL import ImageOps
from starlette.testclient import TestClient

from promptvision import Image, ToolContext, tool
from promptvision.agent.agent import Agent
from promptvision.batches.service import RUNNING_PER_USER
from promptvision.builtin.files import FileImageStore
from promptvision.builtin.sql.store import SQLConversationStore
from promptvision.images.codec import encode_png
from promptvision.settings import Settings
from promptvision.testing.agents import make_agent

Serve = Callable[[Agent], TestClient]

WAIT_S = 60.0


@tool(phrases=["mirror it"])
def mirror(image: Image) -> Image:
    """Mirror an image left to right."""
    return ImageOps.mirror(image)


def make_image(number: int) -> PillowImage.Image:
    image = PillowImage.new("RGB", (32, 24), "white")
    image.paste((number, 0, 255), (0, 0, 8, 8))
    return image


def upload(client: TestClient, number: int, **options: Any) -> str:
    file = ("x.png", encode_png(make_image(number)), "image/png")
    response = client.post("/images", files={"file": file}, **options)
    assert response.status_code == 201, response.text
    return str(response.json()["image_url"])


def wait_for(client: TestClient, batch_id: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    deadline = time.monotonic() + WAIT_S
    while True:
        state: dict[str, Any] = client.get(f"/batches/{batch_id}").json()
        if holds(state):
            return state
        assert time.monotonic() < deadline, state
        time.sleep(0.01)


def has_ended(state: dict[str, Any]) -> bool:
    return bool(state["status"] != "running")


def unzip(client: TestClient, batch_id: str) -> dict[str, bytes]:
    response = client.get(f"/batches/{batch_id}/results")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_batch_runs_in_the_background_and_its_results_are_a_zip(serve: Serve) -> None:
    client = serve(make_agent([mirror]))
    urls = [upload(client, number) for number in range(5)]
    body = {"batch_id": "b", "prompt": "mirror it", "images": urls}
    response = client.post("/batches", json=body)
    assert response.status_code == 202, response.text
    assert response.headers["location"] == "http://127.0.0.1:5000/batches/b"
    state = wait_for(client, "b", has_ended)
    assert (state["status"], state["total"], state["done"], state["failed"]) == ("done", 5, 5, 0)
    files = unzip(client, "b")
    logged = [json.loads(line) for line in files["batch.jsonl"].splitlines()]
    assert [line["status"] for line in logged] == ["done"] * 5
    for number, line in enumerate(logged):
        with PillowImage.open(io.BytesIO(files[line["file"]])) as result:
            assert result.tobytes() == ImageOps.mirror(make_image(number)).tobytes()
    again = client.post("/batches", json=body)
    assert (again.status_code, again.json()) == (202, state), "the same request again only reads it"
    other = client.post("/batches", json={**body, "images": urls[:2]})
    assert other.status_code == 422


def test_conversations_show_the_batch_and_not_its_parts(serve: Serve) -> None:
    client = serve(make_agent([mirror]))
    client.post("/batches", json={"batch_id": "b", "prompt": "mirror it", "images": [upload(client, 1)] * 3})
    wait_for(client, "b", has_ended)
    listed = client.get("/conversations").json()["conversations"]
    assert [conversation["id"] for conversation in listed] == ["b"]
    assert listed[0]["title"] == "mirror it"
    page = client.get("/conversations/b").json()
    assert page["turns"][0]["reply"]["text_response"] == "3 of 3 images are done."
    assert [image["handle"] for image in page["images"]] == ["img_1", "img_2", "img_3"]
    chat = {"prompt": "mirror it", "prompt_id": "p", "conversation_id": "b"}
    reply = client.post("/chat", json=chat).json()
    assert (reply["status"], reply["image_url"] is not None) == ("done", True), reply


def test_names_are_kept_and_equal_ones_stay_apart(serve: Serve) -> None:
    client = serve(make_agent([mirror]))
    urls = [
        "http://192.0.2.1/2024/holiday.jpg",
        "http://192.0.2.1/2025/holiday.jpg?x=1",
        "http://192.0.2.1/a/..%2F..%2Fetc%2Fpasswd",
        "data:image/png;base64,AAAA",
        "http://192.0.2.1/",
    ]
    client.post("/batches", json={"batch_id": "b", "prompt": "mirror it", "images": urls})
    state = wait_for(client, "b", has_ended)
    assert [item["name"] for item in state["items"]] == [
        *("holiday", "holiday~2", "passwd", "image_4", "image_5")
    ]
    assert (state["status"], state["failed"]) == ("done", 5)
    assert all(item["text_response"].startswith("image") for item in state["items"])
    assert sorted(unzip(client, "b")) == ["batch.jsonl"]


def test_a_failed_image_does_not_stop_the_rest(serve: Serve) -> None:
    client = serve(make_agent([mirror]))
    images = ["data:image/png;base64,AAAA", upload(client, 1), upload(client, 2)]
    client.post("/batches", json={"batch_id": "b", "prompt": "mirror it", "images": images})
    state = wait_for(client, "b", has_ended)
    assert [item["status"] for item in state["items"]] == ["failed", "done", "done"]


def test_cancelled_batch_keeps_what_is_done(serve: Serve) -> None:
    second = threading.Event()

    @tool(phrases=["wait a bit"])
    def wait_a_bit(image: Image, context: ToolContext) -> Image:
        """Wait at the second image until cancelled."""
        if image.getpixel((0, 0)) != (0, 0, 255):
            second.set()
            while True:
                context.check_cancelled()
                time.sleep(0.005)
        return image

    client = serve(make_agent([wait_a_bit]))
    urls = [upload(client, number) for number in range(4)]
    client.post("/batches", json={"batch_id": "b", "prompt": "wait a bit", "images": urls})
    assert second.wait(WAIT_S)
    assert client.post("/batches/b/cancel").status_code in (200, 202)
    state = wait_for(client, "b", has_ended)
    assert state["status"] == "cancelled"
    assert [item["status"] for item in state["items"]] == ["done", "cancelled", "cancelled", "cancelled"]
    assert client.post("/batches/b/cancel").json() == state


def test_users_cannot_access_each_others_batches(serve: Serve) -> None:
    keys = {"ann": "key-a", "bob": "key-b"}
    agent = make_agent([mirror], settings=Settings.model_validate({"api_keys": keys}))
    client = serve(agent)
    ann: dict[str, Any] = {"headers": {"Authorization": "Bearer key-a"}}
    bob: dict[str, Any] = {"headers": {"Authorization": "Bearer key-b"}}
    url = upload(client, 1, **ann)
    body = {"batch_id": "b", "prompt": "mirror it", "images": [url]}
    assert client.post("/batches", json=body).status_code == 401
    assert client.post("/batches", json=body, **ann).status_code == 202
    for response in (
        client.get("/batches/b", **bob),
        client.get("/batches/b/results", **bob),
        client.post("/batches/b/cancel", **bob),
    ):
        assert response.status_code == 404
    taken = client.post("/batches", json=body, **bob)
    assert taken.status_code == 202, "two users may use the same id"
    client.headers = bob["headers"]
    state = wait_for(client, "b", has_ended)
    assert [item["status"] for item in state["items"]] == ["failed"], "the image is ann's"


@pytest.mark.parametrize(
    "change",
    [
        {"images": []},
        {"images": ["data:,"] * 1001},
        {"images": "x"},
        {"images": ["file:///etc/passwd"]},
        {"prompt": " "},
        {"batch_id": "a" * 101},
        {"planner": "x"},
    ],
)
def test_request_that_cannot_be_used_is_422(serve: Serve, change: dict[str, Any], scene_url: str) -> None:
    client = serve(make_agent([mirror]))
    response = client.post("/batches", json={"prompt": "mirror it", "images": [scene_url], **change})
    assert response.status_code == 422, response.text
    assert client.get("/conversations").json() == {"conversations": []}


def test_conversation_that_is_not_a_batch_is_404(serve: Serve, chat_body: Any, scene_url: str) -> None:
    client = serve(make_agent([mirror]))
    client.post("/chat", json=chat_body("mirror it", prompt_id="batch", input_image_url=scene_url))
    assert client.get("/batches/c").status_code == 404


def test_batches_of_one_user_are_limited(serve: Serve) -> None:
    may_end = threading.Event()

    @tool(phrases=["wait a bit"])
    def wait_a_bit(image: Image, context: ToolContext) -> Image:
        """Wait for the test."""
        while not may_end.wait(0.005):
            context.check_cancelled()
        return image

    client = serve(make_agent([wait_a_bit]))
    body = {"prompt": "wait a bit", "images": [upload(client, 1)]}
    codes = [
        client.post("/batches", json={**body, "batch_id": f"b{n}"}).status_code
        for n in range(RUNNING_PER_USER + 1)
    ]
    assert codes == [202] * RUNNING_PER_USER + [429]
    may_end.set()
    wait_for(client, "b0", has_ended)
    wait_for(client, "b1", has_ended)
    assert client.post("/batches", json={**body, "batch_id": "b9"}).status_code == 202


def test_batch_of_a_stopped_server_continues_without_repeating(tmp_path: Path) -> None:
    runs: list[int] = []
    third = threading.Event()
    is_patient = True

    @tool(phrases=["count it"], cacheable=False)
    def count_it(image: Image, context: ToolContext) -> Image:
        """Mirror, and stop for the test at the third image."""
        pixel = image.getpixel((0, 0))
        assert isinstance(pixel, tuple)
        if len(runs) >= 2 and is_patient:
            third.set()
            while True:
                context.check_cancelled()
                time.sleep(0.005)
        runs.append(int(pixel[0]))
        return ImageOps.mirror(image)

    def agent() -> Agent:
        store = SQLConversationStore(f"sqlite:///{tmp_path / 'db'}")
        return make_agent([count_it], conversations=store, images=FileImageStore(tmp_path / "images"))

    from promptvision.server import create_app

    def client_of(agent: Agent) -> TestClient:
        return TestClient(create_app(agent=agent), base_url="http://127.0.0.1:5000")

    with client_of(agent()) as client:
        urls = [upload(client, number) for number in range(5)]
        body = {"batch_id": "b", "prompt": "count it", "images": urls}
        client.post("/batches", json=body)
        assert third.wait(WAIT_S)
        wait_for(client, "b", lambda state: state["done"] == 2)
    is_patient = False
    with client_of(agent()) as client:
        state = client.get("/batches/b").json()
        assert (state["status"], state["done"]) == ("interrupted", 2)
        assert client.post("/batches", json=body).status_code == 202
        state = wait_for(client, "b", has_ended)
        assert (state["status"], state["done"]) == ("done", 5)
        assert sorted(runs) == [0, 1, 2, 3, 4], "none was made twice"
        assert len(unzip(client, "b")) == 6
