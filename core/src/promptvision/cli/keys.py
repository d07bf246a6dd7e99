"""``promptvision keys``: API keys of LLM hosts."""

from __future__ import annotations

import sys

import click

from promptvision.cli.output import say

__all__ = ["keys", "read_key"]

MAX_KEY = 4096


@click.group()
def keys() -> None:
    """Store API keys of LLM hosts."""


@keys.command("set")
@click.argument("host")
def set_(host: str) -> int:
    """Store the key of HOST, such as groq or openai, in .env of this folder (mode 600).

    The key is asked for on a terminal, else read from stdin; it is never an argument, which other users of
    the machine could see.
    """
    from promptvision.cli.env_file import store_variable
    from promptvision.plugins.registry import Registry
    from promptvision.plugins.variables import known_variables
    from promptvision.settings import load_settings

    known = known_variables(Registry.load(load_settings()))
    variable = f"{host.upper().replace('-', '_')}_API_KEY"
    if variable not in known:
        suffix = "_API_KEY"
        hosts = sorted(name.removesuffix(suffix).lower() for name in known if name.endswith(suffix))
        raise click.BadParameter(f"{host!r}; the hosts are: {', '.join(hosts)}", param_hint="HOST")
    path = store_variable(variable, read_key(host))
    say(f"wrote {variable} to {path}", fg="green")
    return 0


def read_key(host: str) -> str:
    """Ask for a key without showing it; without a terminal, read it from stdin."""
    if sys.stdin.isatty():
        return str(click.prompt(f"Key of {host}", hide_input=True, err=True)).strip()
    return sys.stdin.readline(MAX_KEY).strip()
