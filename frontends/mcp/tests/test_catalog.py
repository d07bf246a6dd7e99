"""Tools as they are described to clients."""

from __future__ import annotations

import asyncio
import json

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from mcp_agents import client_of, new_agent
from mcp_types import Tool


def tools() -> dict[str, Tool]:
    async def listed() -> list[Tool]:
        async with client_of() as client:
            return (await client.list_tools()).tools

    return {tool.name: tool for tool in asyncio.run(listed())}


def test_every_operation_that_can_run_is_a_tool_with_valid_schemas() -> None:
    found = tools()
    with new_agent() as agent:
        operations = {function.name for function in agent.registry.functions()}
    assert set(found) == operations | {"do", "list_images", "get_image", "undo"}
    for tool in found.values():
        assert tool.description
        for schema in (tool.input_schema, tool.output_schema):
            assert schema is not None
            assert schema["type"] == "object"
            Draft202012Validator.check_schema(schema)


def test_annotations_say_what_a_tool_may_change() -> None:
    hints = {name: tool.annotations for name, tool in tools().items() if tool.annotations}
    read_only = {name for name, hint in hints.items() if hint.read_only_hint}
    assert {"detect_objects", "caption_image", "extract_text", "list_images"} <= read_only
    assert not {"convert_to_bw", "inpaint_image", "slow", "do", "undo"} & read_only
    assert hints["convert_to_bw"].idempotent_hint
    assert hints["do"].open_world_hint
    assert not hints["convert_to_bw"].open_world_hint
    assert not any(hint.destructive_hint for hint in hints.values())


def test_images_are_described_by_the_forms_that_are_accepted() -> None:
    schema = tools()["inpaint_image"].input_schema["properties"]
    assert schema["image_url"]["description"].startswith("Image: a handle such as img_1, an https URL")
    assert schema["mask_url"]["description"].startswith("Mask, white where to edit")
    assert "path" not in json.dumps(schema["image_url"])
