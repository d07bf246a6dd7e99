"""``promptvision plugin new``: create a plugin distribution."""

from __future__ import annotations

import keyword
import re
from importlib.resources import files
from pathlib import Path
from string import Template

import click

from promptvision.cli.output import say
from promptvision.errors import InputError

__all__ = ["plugin"]

_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
TEMPLATE = {
    "pyproject.toml.in": "pyproject.toml",
    "README.md.in": "README.md",
    "plugin.py.in": "src/promptvision_{name}/plugin.py",
    "init.py.in": "src/promptvision_{name}/__init__.py",
    "test_plugin.py.in": "tests/test_{name}.py",
}
"""Maps each file in ``promptvision/template`` to its path in the new distribution."""


@click.group()
def plugin() -> None:
    """Create a plugin project."""


@plugin.command()
@click.argument("name")
@click.option(
    "--into",
    default=".",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Parent folder.",
)
def new(name: str, into: Path) -> int:
    """Write a distribution with one working tool, named NAME."""
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise click.UsageError(f"NAME {name!r}: start with a-z, then a-z, 0-9 and '_'; not a Python keyword")
    folder = into / f"promptvision-{name.replace('_', '-')}"
    if folder.exists():
        raise InputError(f"{folder} already exists", hint="choose another name or remove it")
    try:
        _write(folder, name)
    except OSError as exc:
        raise InputError(f"{exc.filename}: {exc.strerror}", hint="choose another folder with --into") from exc
    say(f"wrote {folder}; try it with:")
    click.echo(f"pip install -e {folder} && promptvision tools")
    return 0


def _write(folder: Path, name: str) -> None:
    for source, place in TEMPLATE.items():
        path = folder / place.format(name=name)
        path.parent.mkdir(parents=True, exist_ok=True)
        text = files("promptvision").joinpath("template", source).read_text("utf-8")
        path.write_text(Template(text).substitute(name=name, dist=folder.name), "utf-8")
    (folder / "src" / f"promptvision_{name}" / "py.typed").touch()
