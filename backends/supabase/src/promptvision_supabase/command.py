"""``promptvision supabase``: the set-up script of a project."""

from __future__ import annotations

from importlib.resources import files

import click

__all__ = ["setup_sql", "supabase"]


def setup_sql() -> str:
    """The set-up script: tables, constraints, indexes, functions and row-level security."""
    return (files("promptvision_supabase") / "setup.sql").read_text("utf-8")


@click.group()
def supabase() -> None:
    """Set up a Supabase project."""


@supabase.command()
def sql() -> None:
    """Print the set-up script; run it in the project's SQL editor, or pipe it to psql."""
    click.echo(setup_sql(), nl=False)
