"""Hook implementations of promptvision-mcp."""

from __future__ import annotations

from typing import TYPE_CHECKING

from promptvision.plugin import Command, Section, hookimpl
from promptvision_mcp.settings import McpSettings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.routing import Router

PLUGIN_API = 1


@hookimpl
def promptvision_commands() -> list[Command]:
    """``promptvision mcp``."""
    return [Command("mcp", "Serve all tools to an MCP client.", "promptvision_mcp.command:mcp")]


@hookimpl
def promptvision_routes() -> Iterable[Router]:
    """Streamable HTTP at ``/mcp``."""
    from promptvision_mcp.http import make_router

    return [make_router()]


@hookimpl
def promptvision_settings() -> list[type[Section]]:
    """Settings of the MCP server."""
    return [McpSettings]
