"""``promptvision models``: list, download, verify and remove model weights, and show their memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import click

from promptvision.cli.model_status import pool_status, status_lines
from promptvision.cli.pulling import progress_bar
from promptvision.models.parallel_pull import pull_all
from promptvision.models.placement import gigabytes
from promptvision.models.pull import is_partial, remove, verify
from promptvision.models.spec import ModelSpec
from promptvision.models.weights import effective_spec, local_override, locate, pull_bytes, require
from promptvision.plugins.registry import Registry
from promptvision.settings import Settings, load_settings

__all__ = ["models"]

Command = TypeVar("Command", bound=Callable[..., Any])


def _registry(ctx: click.Context | None) -> Registry:
    """The registry on the context; created from all installed plugins if there is none."""
    ctx = ctx or click.get_current_context()
    registry = ctx.find_object(Registry)
    if registry is None:
        registry = ctx.find_root().obj = Registry.load(load_settings())
    return registry


def _specs_of(ctx: click.Context, param: click.Parameter, ids: tuple[str, ...]) -> tuple[ModelSpec, ...]:
    known = _registry(ctx).models
    if unknown := [id_ for id_ in ids if id_ not in known]:
        names = ", ".join(sorted(known)) or "none; install a plugin that declares one"
        raise click.BadParameter(f"{unknown[0]!r} is not a known model; known: {names}", ctx, param)
    return tuple(known[id_] for id_ in ids)


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    return [id_ for id_ in sorted(_registry(ctx).models) if id_.startswith(incomplete)]


def _ids(*, required: bool) -> Callable[[Command], Command]:
    return click.argument(
        "specs",
        metavar="ID..." if required else "[ID]...",
        nargs=-1,
        required=required,
        callback=_specs_of,
        shell_complete=_complete,
    )


@click.group()
def models() -> None:
    """List, pull, verify and remove model weights, and show their memory."""


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
@click.pass_context
def list_(ctx: click.Context, as_json: bool) -> None:
    """List the models of installed plugins, and which are downloaded."""
    registry = _registry(ctx)
    rows = [_describe(spec, registry.settings) for _, spec in sorted(registry.models.items())]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    cells = [
        (row["id"], row["state"], gigabytes(row["bytes"]), row["license"], row["plugin"]) for row in rows
    ]
    for line in _columns([("MODEL", "STATE", "SIZE", "LICENCE", "PLUGIN"), *cells]):
        click.echo(line)


def _describe(spec: ModelSpec, settings: Settings) -> dict[str, Any]:
    path, wanted = locate(spec, settings), effective_spec(spec, settings)
    return {
        "id": spec.id,
        "plugin": spec.plugin,
        "state": _state(spec, settings, path),
        "bytes": _bytes_on_disk(path) if path else pull_bytes(wanted),
        "path": str(path) if path else None,
        "source": wanted.source,
        "revision": wanted.revision,
        "license": spec.license,
        "license_url": spec.license_url,
        "tier": spec.tier,
    }


def _state(spec: ModelSpec, settings: Settings, path: Path | None) -> str:
    if path is None:
        return "partial" if is_partial(spec, settings) else "missing"
    return "own" if local_override(spec, settings) else "ready"


def _bytes_on_disk(path: Path) -> int:
    files = [path] if path.is_file() else path.rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file())


def _columns(rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


@models.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def status(ctx: click.Context, as_json: bool) -> None:
    """Show the memory for models, where pipelines were placed and why, and what calls needed."""
    found = pool_status(_registry(ctx).settings)
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for line in status_lines(found):
        click.echo(line)


@models.command("pull")
@_ids(required=True)
@click.pass_context
def pull_(ctx: click.Context, specs: tuple[ModelSpec, ...]) -> None:
    """Download weights. Ctrl-C stops the download; the same command resumes it."""
    settings = _registry(ctx).settings
    for spec in specs:
        licence = " ".join(filter(None, (spec.license, spec.license_url)))
        click.echo(f"{spec.id}: {effective_spec(spec, settings).source}, licence {licence}", err=True)
    with progress_bar() as progress:
        failed = pull_all(specs, settings, progress)
    for spec in specs:
        if spec.id not in failed:
            click.echo(require(spec, settings))
    for error in failed.values():
        raise error


@models.command("verify")
@_ids(required=False)
@click.pass_context
def verify_(ctx: click.Context, specs: tuple[ModelSpec, ...]) -> None:
    """Compare files with their SHA-256. Without an ID: of all downloaded models."""
    registry = _registry(ctx)
    chosen = specs or [spec for spec in registry.models.values() if locate(spec, registry.settings)]
    is_sound = True
    for spec in chosen:
        problems = verify(spec, registry.settings)
        is_sound = is_sound and not problems
        for problem in problems:
            click.echo(f"{spec.id}: {problem.path} {problem.what}")
        if not problems:
            click.echo(f"{spec.id}: ok")
    if not is_sound:
        ctx.exit(1)


@models.command("rm")
@_ids(required=True)
@click.pass_context
def rm(ctx: click.Context, specs: tuple[ModelSpec, ...]) -> None:
    """Delete pulled weights. Your own files, named by a setting, are never deleted."""
    for spec in specs:
        freed = remove(spec, _registry(ctx).settings)
        click.echo(f"{spec.id}: {gigabytes(freed)} freed" if freed else f"{spec.id}: not downloaded")
