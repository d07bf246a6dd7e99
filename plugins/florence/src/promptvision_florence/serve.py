"""The command ``promptvision-florence``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from promptvision.plugin import PromptvisionError, SetupError
from promptvision_florence.plugin import MODELS, REQUIRES

if TYPE_CHECKING:
    from PIL.Image import Image
    from starlette.applications import Starlette

    from promptvision.plugin import Settings

__all__ = ["main", "make_service"]

FAILED, MUST_SET_UP = 1, 3
"""Exit codes, the same as those of ``promptvision``."""


@click.group()
def cli() -> None:
    """Florence-2 for promptvision."""


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535))
def serve(host: str, port: int) -> None:
    """Serve captions: POST /caption with an image as the form field 'file'.

    It requires no key. Listen on other addresses than loopback only in a trusted network.
    """
    import uvicorn

    from promptvision.plugin import load_settings

    uvicorn.run(make_service(load_settings()), host=host, port=port)


def make_service(settings: Settings) -> Starlette:
    """The captioning service with the chosen model, which is loaded at the first request.

    Raises:
        SetupError: its weights are not downloaded.
    """
    from promptvision.plugin import ModelPool, alternatives, missing_weights, require
    from promptvision_florence.caption import describe
    from promptvision_florence.server import create_app

    specs = {spec.id: spec for spec in MODELS}
    (chosen,) = REQUIRES.chosen_models(settings.value)
    ids = alternatives(chosen)
    if unknown := [id_ for id_ in ids if id_ not in specs]:
        raise SetupError(f"model {unknown[0]!r} is not known here; known: {', '.join(specs)}")
    if all(missing_weights(specs[id_], settings) for id_ in ids):
        require(specs[ids[0]], settings)
    pool = ModelPool(specs, settings)

    def caption(image: Image) -> str:
        with pool.lease(chosen) as (florence,):
            return describe(florence, image, "more_detailed", lambda: None)

    return create_app(caption)


def main() -> None:
    """Run the command; errors that the user can fix are printed without a traceback."""
    try:
        cli()
    except PromptvisionError as exc:
        click.echo(f"promptvision-florence: {exc}", err=True)
        sys.exit(MUST_SET_UP if isinstance(exc, SetupError) else FAILED)
