"""``promptvision plugin``: create a plugin project, and check one."""

from __future__ import annotations

from pathlib import Path

import click

from promptvision.cli.output import say
from promptvision.cli.plugin_check import check
from promptvision.cli.scaffold import KINDS, check_name, write_project
from promptvision.errors import InputError

__all__ = ["plugin"]


@click.group()
def plugin() -> None:
    """Create a plugin project, or check one."""


plugin.add_command(check)


@plugin.command()
@click.argument("name")
@click.option(
    "--kind",
    default="function",
    show_default=True,
    type=click.Choice(list(KINDS)),
    help="A tool from a plain function, a tool of an existing operation, a neural network, or a service.",
)
@click.option(
    "--into",
    default=".",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Parent folder.",
)
def new(name: str, kind: str, into: Path) -> int:
    """Write a distribution for plugin NAME that works without changes, with tests and CI."""
    try:
        check_name(name)
    except InputError as exc:
        raise click.UsageError(str(exc)) from exc
    folder = into / f"promptvision-{name.replace('_', '-')}"
    if folder.exists():
        raise InputError(f"{folder} already exists", hint="choose another name or remove it")
    try:
        write_project(folder, name, kind)
    except OSError as exc:
        raise InputError(f"{exc.filename}: {exc.strerror}", hint="choose another folder with --into") from exc
    say(f"wrote {folder}; try it with:")
    click.echo(f"pip install -e {folder} && promptvision plugins")
    return 0
