"""Commands of the ``promptvision`` program, described so that ``--help`` imports none of them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import click

__all__ = ["Command"]


class Command(NamedTuple):
    """A command that is imported when it is called.

    Args:
        name: what the user types after ``promptvision``.
        summary: one line for ``--help``.
        target: ``"package.module:command"``, a :class:`click.Command`.
    """

    name: str
    summary: str
    target: str

    def load(self) -> click.Command:
        """Import the command."""
        module, _, attribute = self.target.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command
