"""Download models from a command: one progress display for all, and the question when models are missing."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from promptvision.cli.output import complain, say, say_command
from promptvision.models.licences import is_restrictive
from promptvision.models.placement import gigabytes

if TYPE_CHECKING:
    from promptvision.models.pull import Progress
    from promptvision.models.spec import ModelSpec
    from promptvision.needs import NeedsSetup
    from promptvision.plugins.registry import Registry
    from promptvision.settings import Settings

__all__ = ["is_terminal", "offer_pull", "print_needs", "progress_bar", "pull_models"]


def is_terminal() -> bool:
    """Whether the user can be asked: stdin and stderr are a terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def offer_pull(registry: Registry, needs: NeedsSetup | None, *, pull: bool) -> bool:
    """Download the models that something failed for; ask first on a terminal.

    Args:
        registry: what is installed.
        needs: what is missing.
        pull: whether to download without asking.

    Returns:
        Whether everything that is missing is here now, so that the request can be repeated.
    """
    if needs is None or not needs["models"]:
        return False
    specs = [registry.models[id_] for id_ in needs["models"] if id_ in registry.models]
    if not pull and (not is_terminal() or not _ask(specs, needs)):
        return False
    failed = pull_models(specs, registry.settings)
    registry.availability.invalidate()
    return not failed


def print_needs(needs: NeedsSetup | None) -> None:
    """Print the command that fixes what is missing, alone on the last line of stderr."""
    if needs is not None and needs["command"]:
        say_command(needs["command"])


def _ask(specs: Sequence[ModelSpec], needs: NeedsSetup) -> bool:
    size = f" ({gigabytes(needs['bytes'])})" if needs["bytes"] else ""
    for spec in specs:
        if is_restrictive(spec.license):
            say(f"{spec.id} has the licence {spec.license}: {spec.license_url}", fg="yellow")
    return click.confirm(
        f"This needs {', '.join(needs['models'])}{size}. Download now?", default=True, err=True
    )


def pull_models(specs: Sequence[ModelSpec], settings: Settings) -> bool:
    """Download models with one progress display; say which failed and why.

    Returns:
        Whether one failed.
    """
    from promptvision.models.parallel_pull import pull_all

    with progress_bar() as progress:
        failed = pull_all(specs, settings, progress)
    for id_, error in failed.items():
        complain(f"{id_}: {error}")
    return bool(failed)


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A bar on stderr with bytes, rate and time left when that is a terminal; silence otherwise."""
    from rich import progress as rich_progress
    from rich.console import Console

    console = Console(stderr=True)
    bar = rich_progress.Progress(
        rich_progress.TextColumn("{task.description}"),
        rich_progress.BarColumn(),
        rich_progress.DownloadColumn(),
        rich_progress.TransferSpeedColumn(),
        rich_progress.TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    with bar:
        task = bar.add_task("", total=None)

        def report(done: int, total: int, file: str) -> None:
            bar.update(task, completed=done, total=total or None, description=file)

        yield report
