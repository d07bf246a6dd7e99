"""Images in calls: new images are added to the conversation, and the current image does not change."""

from __future__ import annotations

import asyncio
from typing import Any

from mcp_agents import client_of, data_uri, new_agent, scene, text_of
from PIL import Image

from promptvision import Agent, tool
from promptvision.testing import make_agent, make_tools


@tool
def join(image: Image.Image, other: Image.Image) -> Image.Image:
    """Put an image beside another one."""
    made = Image.new("RGB", (image.width + other.width, max(image.height, other.height)))
    made.paste(image, (0, 0))
    made.paste(other, (image.width, 0))
    return made


def test_mask_of_the_client_is_used_for_the_image_that_is_named() -> None:
    mask = Image.new("L", (64, 64))
    mask.paste(255, (0, 0, 8, 8))

    async def check() -> None:
        agent = new_agent()
        async with client_of(agent=agent) as client:
            await client.call_tool("convert_to_bw", {"image_url": data_uri(scene())})
            arguments = {"image_url": "img_1", "mask_url": data_uri(mask), "prompt": "blue"}
            result = await client.call_tool("inpaint_image", arguments)
            assert not result.is_error, text_of(result)
            (made,) = result.structured_content["images"]
            image = agent.open(made["uri"].rpartition("/")[2]).convert("RGB")
            assert image.getpixel((2, 2)) == (0, 0, 255)
            assert image.getpixel((15, 25)) == (255, 0, 0)

    asyncio.run(check())


def test_second_image_does_not_become_the_current_image() -> None:
    async def check(agent: Agent, **arguments: Any) -> tuple[int, int]:
        async with client_of(agent=agent) as client:
            await client.call_tool("convert_to_bw", {"image_url": data_uri(scene())})
            result = await client.call_tool("join", arguments)
            assert not result.is_error, text_of(result)
            (made,) = result.structured_content["images"]
            assert agent.open(made["uri"].rpartition("/")[2]).convert("RGB").getpixel((70, 5)) == (0, 128, 0)
            return made["width"], made["height"]

    other = Image.new("RGB", (30, 20), "green")
    for first in ({}, {"image": "img_1"}, {"image": data_uri(scene())}):
        agent = make_agent([*make_tools(), join])
        assert asyncio.run(check(agent, other=data_uri(other), **first)) == (94, 64)
