"""Agents and clients for the tests of the MCP server."""

from __future__ import annotations

import base64
import io
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from mcp import Client
from mcp_types import CallToolResult, TextContent
from PIL import Image, ImageDraw

from promptvision import Agent, Settings, ToolContext, ToolFailed, tool
from promptvision.testing import make_agent, make_tools
from promptvision_mcp.server import make_server

MODES = ("auto", "legacy")
"""Protocol 2026-07-28, and the handshake of the versions before it."""


@tool(phrases=["wait"])
def slow(image: Image.Image, context: ToolContext, seconds: float = 0.3) -> Image.Image:
    """Turn an image upside down, slowly."""
    for index in range(10):
        context.progress(index, 10, "turning")
        context.check_cancelled()
        time.sleep(seconds / 10)
    return image.rotate(180)


@tool
def label(image: Image.Image, text: str, size: int) -> Image.Image:
    """Write a text on an image.

    Args:
        image: the image.
        text: what to write.
        size: height of the letters.
    """
    made = image.convert("RGB")
    ImageDraw.Draw(made).text((1, 1), f"{text}{size}", fill="white")
    return made


@tool
def broken(image: Image.Image) -> Image.Image:
    """Always fail."""
    raise ToolFailed("broken: the lens is dirty; clean it")


def data_uri(image: Image.Image) -> str:
    file = io.BytesIO()
    image.save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")


def scene(side: int = 64) -> Image.Image:
    image = Image.new("RGB", (side, side), "white")
    ImageDraw.Draw(image).rectangle((10, 20, 29, 39), fill="red")
    return image


def new_agent(settings: Settings | None = None) -> Agent:
    return make_agent([*make_tools(), slow, label, broken], settings=settings)


@asynccontextmanager
async def client_of(
    mode: str = "auto", *, roots: tuple[Path, ...] = (), agent: Agent | None = None, **options: Any
) -> AsyncIterator[Client]:
    async with (
        agent or new_agent() as own,
        Client(make_server(own, roots=roots), mode=mode, **options) as client,
    ):
        yield client


def text_of(result: CallToolResult) -> str:
    (text,) = (block.text for block in result.content if isinstance(block, TextContent))
    return text
