"""``GET /tools`` and ``POST /tools/{operation}``."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint
from typing import Any

import pytest
from starlette.testclient import TestClient

from promptvision.agent.agent import Agent
from promptvision.builtin.memory import MemoryConversationStore
from promptvision.builtin.memory_images import MemoryImageStore
from promptvision.errors import ToolFailed
from promptvision.plugins.registry import Registry
from promptvision.settings import Settings
from promptvision.testing import ScriptedPlanner
from promptvision.testing.agents import make_agent
from promptvision.tools import operations
from promptvision.tools.context import ToolContext
from promptvision.tools.requirements import Requirements
from promptvision.tools.tool import Tool

Serve = Callable[[Agent], TestClient]


def test_tools_are_listed_with_schema_and_what_is_missing(serve: Serve, tools: list[Tool]) -> None:
    unmet = Tool(
        name="unmet",
        operation=operations.CAPTION,
        run="nowhere:run",
        requires=Requirements(binaries={"no-such-program": "apt install it"}),
    )
    listed = serve(make_agent([*tools, unmet])).get("/tools").json()["operations"]
    by_name = {operation["operation"]: operation for operation in listed}
    assert by_name["convert_to_bw"]["available"]
    assert by_name["convert_to_bw"]["parameters"]["additionalProperties"] is False
    assert not by_name["caption_image"]["available"]
    assert by_name["caption_image"]["tools"][0]["missing"][0]["fix"] == "apt install it"


def test_tool_runs_with_its_prerequisites_and_its_images_answer(
    serve: Serve, tools: list[Tool], scene_url: str
) -> None:
    client = serve(make_agent(tools))
    values = {"image_url": scene_url, "target": "red", "prompt": "blue"}
    response = client.post("/tools/inpaint_image", json=values)
    assert response.status_code == 200
    reply = response.json()
    assert [step["operation"] for step in reply["steps"]] == [
        "detect_objects",
        "segment_objects",
        "inpaint_image",
    ]
    assert "turn_id" not in reply
    assert client.get(reply["inpainted_image_url"]).status_code == 200
    masked = {"image_url": reply["image_url"], "mask_url": reply["merged_mask_url"], "prompt": "green"}
    again = client.post("/tools/inpaint_image", json=masked)
    assert [step["operation"] for step in again.json()["steps"]] == ["inpaint_image"]


@pytest.mark.parametrize(
    ("operation", "values", "status", "expected"),
    [
        ("fly", {}, 404, "no operation 'fly'"),
        ("%00", {}, 404, "no operation"),
        ("convert_to_bw", {}, 422, "no image"),
        ("convert_to_bw", {"image_url": 5}, 422, "image_url: "),
        ("convert_to_bw", {"image_url": ["x"]}, 422, "image_url: "),
        ("convert_to_bw", {"image_url": "/etc/passwd"}, 422, "image: "),
        ("convert_to_bw", {"image_url": "http://127.0.0.1/x"}, 422, "image URL: "),
        ("convert_to_bw", {"image_url": "SCENE", "api_base": "http://evil.example"}, 422, "api_base: "),
        ("convert_to_bw", {"image_url": "SCENE", "messages": []}, 422, "messages: "),
        ("detect_objects", {"image_url": "SCENE"}, 422, "prompt: is needed"),
        (
            "detect_objects",
            {"image_url": "SCENE", "prompt": "red", "box_threshold": 7},
            422,
            "box_threshold: ",
        ),
        (
            "detect_objects",
            {"image_url": "SCENE", "prompt": "red", "text_threshold": "0.3"},
            422,
            "text_threshold: give a JSON number",
        ),
        ("segment_objects", {"image_url": "SCENE", "bounding_boxes": "x"}, 422, "bounding_boxes"),
        ("inpaint_image", {"image_url": "SCENE", "mask_url": "0" * 64, "prompt": "x"}, 422, "image: "),
    ],
)
def test_arguments_that_cannot_be_used(
    serve: Serve,
    tools: list[Tool],
    scene_url: str,
    operation: str,
    values: dict[str, Any],
    status: int,
    expected: str,
) -> None:
    client = serve(make_agent(tools))
    given = {name: scene_url if value == "SCENE" else value for name, value in values.items()}
    response = client.post(f"/tools/{operation}", json=given)
    assert response.status_code == status
    assert expected in response.json()["error"]
    assert client.post("/tools/convert_to_bw", json={"image_url": scene_url}).status_code == 200


def test_tools_of_one_name_are_both_called_by_their_qualified_names(
    serve: Serve, plant: Callable[..., list[EntryPoint]], scene_url: str
) -> None:
    source = """
from promptvision.plugin import Tool, hookimpl, operations

def run(args, context):
    made = context.open(args.image_url).rotate({degrees}, expand=True)
    return operations.BwResult(original_image_url=args.image_url, bw_image_url=context.save(made))

@hookimpl
def promptvision_tools():
    return [Tool(name="grey", operation=operations.CONVERT_TO_BW, run=run)]
"""
    plant("promptvision-left", source.format(degrees=90))
    points = plant("promptvision-right", source.format(degrees=270))
    points.append(EntryPoint("promptvision", "promptvision.builtin.plugin", "promptvision"))
    registry = Registry.load(Settings(), points)
    client = serve(
        Agent(
            registry=registry,
            planner=ScriptedPlanner([]),
            conversations=MemoryConversationStore(),
            images=MemoryImageStore(),
        )
    )
    ran = {}
    for name in ("left:grey", "right:grey", "convert_to_bw"):
        reply = client.post(f"/tools/{name}", json={"image_url": scene_url}).json()
        (step,) = reply["steps"]
        assert (step["operation"], step["tool"], step["status"]) == ("convert_to_bw", "grey", "done")
        ran[name] = step["plugin"], reply["bw_image_url"]
    assert [plugin for plugin, _ in ran.values()] == ["left", "right", "left"]
    assert ran["convert_to_bw"] == ran["left:grey"] != ran["right:grey"]
    (listed,) = client.get("/tools").json()["operations"]
    assert [tool["plugin"] for tool in listed["tools"]] == ["left"]
    assert [tool["plugin"] for tool in listed["shadowed"]] == ["right"]
    assert client.post("/tools/up:grey", json={"image_url": scene_url}).status_code == 404


def test_body_of_a_tool_must_be_json(serve: Serve, tools: list[Tool]) -> None:
    client = serve(make_agent(tools))
    assert client.post("/tools/convert_to_bw", content="{}").status_code == 415
    headers = {"Content-Type": "application/json"}
    assert client.post("/tools/convert_to_bw", content="[]", headers=headers).status_code == 422


def test_tool_that_fails_says_why(serve: Serve, scene_url: str) -> None:
    def broken(args: operations.ImageArgs, context: ToolContext) -> operations.BwResult:
        raise ToolFailed("test: out of film")

    client = serve(make_agent([Tool(name="broken", operation=operations.CONVERT_TO_BW, run=broken)]))
    response = client.post("/tools/convert_to_bw", json={"image_url": scene_url})
    assert response.status_code == 422
    assert response.json()["error"] == "test: out of film"
