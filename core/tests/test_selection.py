"""Selections of the user: a mask or boxes sent with the prompt."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image, ImageChops
from starlette.testclient import TestClient

from promptvision import Agent
from promptvision.agent.calls.artifacts import Artifacts
from promptvision.errors import Conflict, InputError
from promptvision.images.codec import encode_png
from promptvision.testing.agents import make_agent
from promptvision.tools.tool import Tool
from promptvision.types import Box, MaskRef

AREA = (2, 2, 8, 8)


@pytest.fixture
def mask() -> Image.Image:
    selected = Image.new("L", (60, 40))
    selected.paste(255, AREA)
    return selected


def changed(before: Image.Image, after: Image.Image | None) -> tuple[int, int, int, int] | None:
    assert after is not None
    return ImageChops.difference(before, after.convert("RGB")).getbbox()


@pytest.mark.parametrize("prompt", ["make it green", "change the red square to green"])
def test_mask_is_used_in_place_of_what_words_would_find(
    tools: list[Tool], scene: Image.Image, mask: Image.Image, prompt: str
) -> None:
    agent = make_agent(tools)
    reply = agent.run_sync(prompt, image=scene, mask=mask)
    assert [step.operation for step in reply.steps] == ["inpaint_image"]
    assert changed(scene, reply.image) == AREA


def test_mask_belongs_to_its_turn_alone(tools: list[Tool], scene: Image.Image, mask: Image.Image) -> None:
    agent = make_agent(tools)
    agent.run_sync("make it green", image=scene, mask=mask, conversation_id="c")
    reply = agent.run_sync("change the red square to blue", image=scene, conversation_id="c")
    assert [step.operation for step in reply.steps][:1] == ["detect_objects"]
    assert changed(scene, reply.image) == (10, 10, 30, 30)


def test_boxes_are_segmented_instead_of_detected(
    tools: list[Tool],
    scene_url: str,
    serve: Callable[[Agent], TestClient],
    chat_body: Callable[..., dict[str, Any]],
) -> None:
    client = serve(make_agent(tools))
    body = chat_body("make it green", input_image_url=scene_url, input_boxes=[[40, 5, 50, 15]])
    document = client.post("/chat", json=body).json()
    assert [step["operation"] for step in document["steps"]] == ["segment_objects", "inpaint_image"]
    assert document["steps"][0]["arguments"]["bounding_boxes"] == [[40, 5, 50, 15]]


def test_mask_comes_by_url_and_is_an_image_of_the_conversation(
    tools: list[Tool],
    scene_url: str,
    mask: Image.Image,
    serve: Callable[[Agent], TestClient],
    chat_body: Callable[..., dict[str, Any]],
) -> None:
    client = serve(make_agent(tools))
    url = "data:image/png;base64," + base64.b64encode(encode_png(mask)).decode()
    body = chat_body("make it green", input_image_url=scene_url, input_mask_url=url)
    assert client.post("/chat", json=body).json()["status"] == "done"
    images = client.get("/conversations/c").json()["images"]
    assert [(image["kind"], image["maker"]) for image in images] == [
        ("input", ""),
        ("mask", ""),
        ("edit", "inpaint_image"),
    ]


def test_same_prompt_id_with_another_mask_is_a_conflict(
    tools: list[Tool], scene: Image.Image, mask: Image.Image
) -> None:
    agent = make_agent(tools)
    agent.run_sync("make it green", image=scene, mask=mask, conversation_id="c", prompt_id="p")
    again = agent.run_sync("make it green", image=scene, mask=mask, conversation_id="c", prompt_id="p")
    assert [step.operation for step in again.steps] == ["inpaint_image"]
    with pytest.raises(Conflict):
        agent.run_sync("make it green", image=scene, conversation_id="c", prompt_id="p")


def test_too_many_boxes_are_refused(tools: list[Tool]) -> None:
    async def start() -> None:
        make_agent(tools).start("make it green", boxes=[Box(0, 0, 1, 1)] * 101)

    with pytest.raises(InputError, match="101 boxes"):
        asyncio.run(start())


def test_selection_hides_older_artifacts_and_counts_for_every_target() -> None:
    artifacts = Artifacts()
    artifacts.select(MaskRef, MaskRef("1" * 64), "a")
    artifacts.select(list[Box], [Box(0, 0, 1, 1)], "b")
    found = artifacts.newest(MaskRef, "a", "lion")
    assert found is not None
    assert found.value == MaskRef("1" * 64)
    assert artifacts.newest(list[Box], "a", None) is None
    assert artifacts.newest(MaskRef, "b", None) is None
