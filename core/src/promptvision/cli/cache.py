"""``promptvision cache``: show and clear the cache of stages."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from promptvision.cli.output import echo_json, echo_table

if TYPE_CHECKING:
    from promptvision.runtime.stage_files import StageFiles, StageUse

__all__ = ["cache"]


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
@click.pass_context
def cache(ctx: click.Context, as_json: bool) -> None:
    """Show what stages of tools, such as image embeddings, are cached on disk, and what that has saved."""
    if ctx.invoked_subcommand is not None:
        return
    files = _files()
    use = files.use()
    if as_json:
        echo_json([asdict(one) for one in use])
        return
    if use:
        echo_table(("STAGE", "ENTRIES", "SIZE", "HITS", "MISSES", "SAVED"), [_row(one) for one in use])
    click.echo(f"{_size(sum(one.bytes for one in use))} in {files.folder}")


@cache.command()
@click.argument("stage", required=False)
def clear(stage: str | None) -> None:
    """Delete the entries and counts of one STAGE, or of all. A running server keeps what it has in memory."""
    files = _files()
    known = [one.stage for one in files.use()]
    if stage is not None and stage not in known:
        raise click.BadParameter(f"{stage!r} is not cached; cached: {', '.join(known) or 'none'}")
    click.echo(f"{_size(files.clear(stage))} freed")


def _files() -> StageFiles:
    from promptvision.runtime.stage_files import StageFiles
    from promptvision.settings import load_settings

    settings = load_settings()
    return StageFiles(settings.cache_home, settings.cache_disk)


def _row(use: StageUse) -> tuple[str, ...]:
    counts = (str(use.entries), _size(use.bytes), str(use.hits), str(use.misses))
    return (use.stage, *counts, f"{use.saved_s:.1f} s")


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB"
