"""``promptvision plugins isolate``: a Python environment for one plugin."""

from __future__ import annotations

import click

from promptvision.cli.output import say

__all__ = ["isolate"]


@click.command()
@click.argument("name")
@click.option(
    "--from",
    "requirements",
    multiple=True,
    metavar="REQUIREMENT",
    help="Packages to install, such as a wheel or 'promptvision-sam==1.2'. Default: promptvision-NAME.",
)
@click.option(
    "--share",
    "is_shared",
    is_flag=True,
    help="Import missing packages, promptvision included, from this environment.",
)
@click.option("--refresh", is_flag=True, help="Install nothing; read the plugin's manifest again.")
def isolate(name: str, requirements: tuple[str, ...], is_shared: bool, refresh: bool) -> int:
    """Create a separate Python environment for plugin NAME with uv.

    Its tools then run in worker processes of that environment; otherwise the plugin behaves the same.
    """
    from promptvision.plugins.environments import (
        ENVIRONMENT_PREFIX,
        environment_folder,
        make_environment,
        write_manifest,
    )
    from promptvision.settings import load_settings

    settings = load_settings()
    folder = environment_folder(name, settings)
    if not refresh:
        make_environment(
            folder, requirements or (f"promptvision-{name.replace('_', '-')}",), is_shared=is_shared
        )
    write_manifest(name, folder, settings)
    variable = f"{ENVIRONMENT_PREFIX}{name.upper()}"
    if settings.value(variable) is None:
        say(f"plugin {name!r} is ready in {folder}; to use it, set:")
        click.echo(f"{variable}=auto")
    else:
        say(f"plugin {name!r} is ready in {folder}")
    return 0
