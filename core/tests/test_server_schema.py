"""The server against its OpenAPI document: valid requests are accepted, invalid ones are refused."""

from __future__ import annotations

import asyncio
import base64
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from PIL import Image
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.core.result import Ok
from starlette.types import ASGIApp, Receive, Scope, Send

from promptvision.images.codec import encode_png
from promptvision.server import create_app
from promptvision.settings import Settings
from promptvision.testing.agents import make_agent
from promptvision.tools.tool import Tool

IMAGES = ("image_url", "mask_url", "input_image_url", "input_mask_url")
"""Members that any string fits by the schema; only a fetch shows whether it names an image."""

MASK = "data:image/png;base64," + base64.b64encode(encode_png(Image.new("L", (60, 40), 255))).decode()
OPERATIONS = [
    "POST /batches",
    "GET /batches/{batch_id}",
    "POST /batches/{batch_id}/cancel",
    "GET /batches/{batch_id}/results",
    "POST /chat",
    "GET /turns/{turn_id}/events",
    "POST /turns/{turn_id}/cancel",
    "GET /turns/{turn_id}/approvals",
    "POST /turns/{turn_id}/approvals/{approval_id}",
    "POST /images",
    "GET /images/{image_id}",
    "GET /tools",
    "POST /tools/convert_to_bw",
    "POST /tools/detect_objects",
    "POST /tools/inpaint_image",
    "POST /tools/segment_objects",
    "GET /conversations",
    "GET /conversations/{conversation_id}",
    "PATCH /conversations/{conversation_id}",
    "DELETE /conversations/{conversation_id}",
    "GET /health",
    "GET /ready",
    "GET /metrics",
]


def _usable(label: str, body: dict[str, Any], scene_png: bytes) -> dict[str, Any]:
    """Values of which the schema cannot say all that counts, such as the bytes of an image file."""
    values: dict[str, Any] = {"file": scene_png, "prompt_id": uuid.uuid4().hex, "batch_id": uuid.uuid4().hex}
    values |= {"target": "red", "mask_url": MASK, "input_mask_url": MASK}
    for name in ("bounding_boxes", "input_boxes"):
        if boxes := body.get(name):
            values[name] = [[5, 5, 20, 20] for _ in boxes]
    values["images"] = [MASK for _ in body.get("images", ())]
    if label.startswith("POST /tools/"):
        values["prompt"] = "red"
    return {name: value for name, value in values.items() if name in body}


def _without_lifespan(app: ASGIApp) -> ASGIApp:
    """The client starts and ends the lifespan with each request, which would close the agent."""

    async def only_http(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await app(scope, receive, send)

    return only_http


@pytest.fixture(scope="module")
def api(tools: list[Tool]) -> Iterator[dict[str, APIOperation[Any, Any, Any, Any]]]:
    agent = make_agent(tools, settings=Settings(server_hosts=("testserver",)))
    schema = schemathesis.openapi.from_asgi("/openapi.json", _without_lifespan(create_app(agent=agent)))
    found = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    yield {operation.label: operation for operation in found}
    asyncio.run(agent.close())


def test_every_operation_is_tested(api: dict[str, Any]) -> None:
    assert sorted(api) == sorted(OPERATIONS)


WITHOUT_PARAMETERS = ("GET /health", "GET /ready", "GET /metrics")
MODES = [
    (label, mode)
    for label in OPERATIONS
    for mode in GenerationMode
    if mode is GenerationMode.POSITIVE or label not in WITHOUT_PARAMETERS
]


@pytest.mark.parametrize(("label", "mode"), MODES)
def test_server_keeps_to_its_schema(
    api: dict[str, Any], scene_url: str, scene_png: bytes, label: str, mode: GenerationMode
) -> None:
    @settings(max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=api[label].as_strategy(generation_mode=mode))
    def check(case: Case[Any]) -> None:
        if isinstance(case.body, dict):
            case.body.update({name: scene_url for name in IMAGES if isinstance(case.body.get(name), str)})
            if mode is GenerationMode.POSITIVE:
                case.body.update(_usable(label, case.body, scene_png))
        case.call_and_validate()

    check()
