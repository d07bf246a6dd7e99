"""The server over stdin and stdout, for a client that starts it as a program."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from pathlib import Path

from mcp.server.stdio import stdio_server

from promptvision import Agent, Settings
from promptvision_mcp.server import make_server
from promptvision_mcp.settings import Show

__all__ = ["run_stdio"]


async def run_stdio(
    settings: Settings, *, roots: Sequence[Path], conversation_id: str | None, show: Show | None
) -> None:
    """Serve one client until it closes stdin.

    stdout carries only the protocol: while serving, output of tools is redirected to stderr.

    Args:
        settings: the active settings.
        roots: folders in which the client may name images by path.
        conversation_id: the conversation to continue; default: a new one.
        show: how results show their image; default: as the settings say.
    """
    async with stdio_server() as (incoming, outgoing):
        agent = await asyncio.to_thread(Agent, settings)
        async with agent:
            server = make_server(
                agent,
                conversation_id=conversation_id or f"mcp-{uuid.uuid4().hex}",
                roots=roots,
                show=show,
            )
            await server.run(incoming, outgoing, server.create_initialization_options())
