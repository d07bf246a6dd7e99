"""``promptvision serve``: the HTTP interface on this machine."""

from __future__ import annotations

import ipaddress

import click

from promptvision.cli.output import say
from promptvision.errors import SetupError
from promptvision.settings import Settings, load_settings

__all__ = ["serve"]


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to bind.")
@click.option(
    "--port", default=5000, show_default=True, type=click.IntRange(0, 65535), help="0 picks a free one."
)
def serve(host: str, port: int) -> int:
    """Serve the HTTP interface.

    Other machines may connect only when PROMPTVISION_API_KEYS is set (alice:key1,bob:key2).
    """
    settings = load_settings()
    check_bind(host, settings)
    from promptvision.server.process import run_server

    run_server(settings, host, port, lambda url: say(f"promptvision serves on {url} (stop with Ctrl-C)"))
    return 0


def check_bind(host: str, settings: Settings) -> None:
    """Refuse to listen to other machines without API keys.

    Raises:
        SetupError: ``host`` is not a loopback address and no key is set.
    """
    if not _is_loopback(host) and not settings.api_keys:
        raise SetupError(
            f"serve: {host} lets other machines in, and no API key is set",
            hint="set PROMPTVISION_API_KEYS=alice:key1 or bind 127.0.0.1",
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
