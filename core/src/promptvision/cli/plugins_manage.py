"""``promptvision plugins install``, ``uninstall`` and ``search``."""

from __future__ import annotations

import importlib
import re
import sys
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, entry_points, version
from typing import TYPE_CHECKING

import click

from promptvision.cli.output import echo_json, echo_table, say
from promptvision.errors import InputError, SetupError
from promptvision.plugins.first_party import FIRST_PARTY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from promptvision.plugins.installer import Change, Installer

__all__ = ["install", "search", "uninstall"]

_GROUP = "promptvision"
_yes = click.option("--yes", "-y", is_flag=True, help="Do not ask.")
_json = click.option("--json", "as_json", is_flag=True, help="Print as JSON; without --yes, only the plan.")


@click.command()
@click.argument("names", nargs=-1, required=True)
@_yes
@_json
def install(names: tuple[str, ...], *, yes: bool, as_json: bool) -> int:
    """Install plugins NAMES into this environment, with pip or uv.

    A name is that of a plugin of this project, such as 'sam', or a requirement: the name of a distribution,
    'promptvision-x>=1.2', a wheel or a URL. What will be installed is shown first.
    """
    from promptvision.plugins.installer import find_installer

    installer = find_installer()
    requirements = [_requirement(name) for name in names]
    changes = installer.plan(requirements)
    is_done = _confirm(installer, changes, yes=yes, as_json=as_json)
    if is_done and changes:
        before = _plugin_distributions()
        installer.install(requirements)
        importlib.invalidate_caches()
        if _plugin_distributions() == before and not before.intersection(
            _normal(one.name) for one in changes
        ):
            say("none of them is a plugin: no entry point in the group 'promptvision'", fg="yellow")
    return _report(installer, changes, is_done=is_done, as_json=as_json)


@click.command()
@click.argument("name")
@_yes
@_json
def uninstall(name: str, *, yes: bool, as_json: bool) -> int:
    """Remove the plugin NAME from this environment; its dependencies stay."""
    from promptvision.plugins.installer import Change, find_installer

    distribution = _installed_distribution(name)
    installer = find_installer()
    changes = [Change(distribution, version(distribution), is_removed=True)]
    is_done = _confirm(installer, changes, yes=yes, as_json=as_json)
    if is_done:
        installer.uninstall(distribution)
    return _report(installer, changes, is_done=is_done, as_json=as_json)


@click.command()
@click.argument("query", default="")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@click.option("--offline", is_flag=True, help="Do not ask the package index.")
def search(query: str, *, as_json: bool, offline: bool) -> int:
    """List plugins of this project whose name or description contains QUERY.

    A package index cannot be searched. If QUERY is the name of no plugin of this project, the index that pip
    or uv is configured for is asked for the distribution QUERY and for promptvision-QUERY.
    """
    words = query.lower().split()
    found = {
        name: summary
        for name, summary in FIRST_PARTY.items()
        if all(word in f"{name} {summary}".lower() for word in words)
    }
    rows = [(name, _installed_version(name), summary) for name, summary in found.items()]
    if query and not offline and _normal(query).removeprefix("promptvision-") not in _short_names():
        rows += _indexed(query)
    if as_json:
        echo_json(
            {"plugins": [{"name": name, "installed": has, "summary": what} for name, has, what in rows]}
        )
    elif rows:
        echo_table(("DISTRIBUTION", "INSTALLED", "DESCRIPTION"), rows)
        say("install one with `promptvision plugins install NAME`")
    else:
        say(f"no plugin matches {query!r}", fg="yellow")
    return 0 if rows else 1


def _requirement(name: str) -> str:
    """A requirement for pip or uv; the name of a plugin of this project is that of its distribution."""
    if name.startswith("-"):
        raise InputError(f"{name!r} is not the name of a plugin", hint="options of pip cannot be passed on")
    short = _normal(name)
    return f"promptvision-{short}" if short in _short_names() else name


def _short_names() -> set[str]:
    return {name.removeprefix("promptvision-") for name in FIRST_PARTY}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _plugin_distributions() -> set[str]:
    return {_normal(point.dist.name) for point in entry_points(group=_GROUP) if point.dist is not None}


def _installed_distribution(name: str) -> str:
    """The distribution of a plugin, given by its own name or that of its distribution."""
    if _normal(name) == "promptvision":
        raise InputError("promptvision itself is not a plugin", hint="pip uninstall promptvision")
    for point in entry_points(group=_GROUP):
        if point.dist is not None and _normal(name) in (_normal(point.name), _normal(point.dist.name)):
            return point.dist.name
    raise InputError(f"no plugin {name!r} is installed", hint="`promptvision plugins` lists them")


def _installed_version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


def _indexed(query: str) -> list[tuple[str, str, str]]:
    """What the index has under a name; dependencies are not looked at."""
    from promptvision.plugins.installer import find_installer

    if not re.fullmatch(r"[\w.-]+", query):
        return []
    name, installer = _normal(query), find_installer()
    rows = []
    for distribution in dict.fromkeys((name, f"promptvision-{name.removeprefix('promptvision-')}")):
        try:
            changes = installer.plan([distribution], alone=True)
        except SetupError:  # it is not in the index
            continue
        rows += [
            (one.name, _installed_version(one.name), f"{one.version} is in the package index")
            for one in changes
            if not one.is_removed
        ]
    return rows


def _confirm(installer: Installer, changes: Sequence[Change], *, yes: bool, as_json: bool) -> bool:
    """Show what will be changed; whether the user agrees.

    Raises:
        SetupError: there is no terminal to ask on.
    """
    if as_json:
        return yes
    if not changes:
        say("everything is installed already")
        return True
    say(f"{installer.name} will change {sys.prefix}:")
    for change in changes:
        say(f"  {'remove' if change.is_removed else 'install'} {change.name} {change.version}")
    if yes:
        return True
    if not sys.stdin.isatty():
        raise SetupError("there is no terminal to confirm this on", hint="add --yes")
    return click.confirm("Continue?", err=True)


def _report(installer: Installer, changes: Sequence[Change], *, is_done: bool, as_json: bool) -> int:
    if as_json:
        echo_json(
            {
                "environment": sys.prefix,
                "installer": installer.name,
                "changes": [asdict(change) for change in changes],
                "done": is_done,
            }
        )
    elif is_done:
        say("done; `promptvision plugins` lists the plugins" if changes else "nothing to do")
    else:
        say("nothing was changed")
    return 0
