"""``promptvision serve``: run the HTTP server."""

from __future__ import annotations

import click

from promptvision.cli.output import say
from promptvision.settings import load_settings

__all__ = ["serve"]


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to bind.")
@click.option(
    "--port", default=5000, show_default=True, type=click.IntRange(0, 65535), help="0 picks a free one."
)
def serve(host: str, port: int) -> int:
    """Serve the HTTP interface.

    Other machines can connect only when PROMPTVISION_API_KEYS is set (alice:key1,bob:key2).
    """
    settings = load_settings()
    from promptvision.server.process import run_server

    run_server(settings, host, port, lambda url: say(f"promptvision serves on {url} (stop with Ctrl-C)"))
    return 0
