"""``promptvision mcp``: all tools for an MCP client."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click

from promptvision.plugin import PromptvisionError, load_settings
from promptvision_mcp.settings import McpSettings, Show

__all__ = ["main", "mcp"]


@click.command()
@click.option(
    "--root",
    "roots",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder whose images the client may name by path; may be repeated. Over stdio only.",
)
@click.option("--conversation", help="Continue the conversation of this id. Over stdio only.")
@click.option(
    "--images",
    type=click.Choice(["preview", "link", "none"]),
    help="How results show their image. Default: PROMPTVISION_MCP_IMAGES, else preview. Over stdio only.",
)
@click.option("--http", is_flag=True, help="Serve Streamable HTTP at /mcp, with the other routes of `serve`.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to bind. With --http.")
@click.option("--port", default=5000, show_default=True, type=click.IntRange(0, 65535), help="With --http.")
def mcp(
    roots: tuple[Path, ...], conversation: str | None, images: Show | None, http: bool, host: str, port: int
) -> int:
    """Serve all tools to an MCP client, over stdin and stdout.

    Example of a client's configuration: {"command": "promptvision", "args": ["mcp", "--root", "/photos"]}
    """
    settings = load_settings()
    if http:
        if roots or conversation or images:
            raise click.UsageError("--root, --conversation and --images do not go with --http")
        from promptvision.plugin import run_server  # imports the server

        run_server(settings, host, port, lambda url: click.echo(f"MCP serves on {url}/mcp", err=True))
        return 0
    from promptvision_mcp.stdio import run_stdio

    allowed = (*settings.section(McpSettings).roots, *roots)
    asyncio.run(run_stdio(settings, roots=allowed, conversation_id=conversation, show=images))
    return 0


def main() -> None:
    """The same command as a separate program, for ``uvx promptvision-mcp``."""
    try:
        mcp.main(prog_name="promptvision-mcp")
    except PromptvisionError as exc:
        click.echo(f"promptvision-mcp: {exc}", err=True)
        sys.exit(3)
