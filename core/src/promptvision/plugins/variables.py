"""Find unknown names in the settings, with the nearest known name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from promptvision.models.spec import ModelSpec
from promptvision.models.weights import override_name
from promptvision.plugins.discovery import Plugin
from promptvision.settings import PREFIX, Section, Settings
from promptvision.tools.tool import Tool

__all__ = ["find_misspelt", "known_variables"]


class Installed(Protocol):
    """The part of a :class:`~promptvision.plugins.registry.Registry` that the check reads."""

    settings: Settings
    plugins: list[Plugin]

    @property
    def sections(self) -> Mapping[str, Sequence[type[Section]]]:
        """Settings sections by plugin."""

    @property
    def models(self) -> Mapping[str, ModelSpec]:
        """Model specs by id."""

    @property
    def shadowed_models(self) -> Mapping[str, object]:
        """Models that lost a clash, by qualified name."""

    @property
    def tools(self) -> Mapping[str, Tool]:
        """Admitted tools by name."""

    def offered_tools(self) -> Iterable[Tool]:
        """All tools of loaded plugins."""


def known_variables(registry: Installed) -> set[str]:
    """Every variable that the core or a loaded plugin reads."""
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for sections in registry.sections.values():
        for section in sections:
            known.update(section.variables())
    known.update(override_name(spec) for spec in registry.models.values())
    for plugin in registry.plugins:
        known.update(plugin.variables)
        known.add(f"{PREFIX}ENV_{plugin.name.upper()}")
    for tool in registry.tools.values():
        known.update(tool.requires.settings)
        known.update(tool.requires.chosen_by.values())
    return known


def find_misspelt(registry: Installed) -> Iterator[str]:
    """One line per unknown ``PROMPTVISION_*`` name, and per unknown plugin or tool that a setting names.

    A name without a similar known one is reported only if every plugin is loaded: it may belong to a plugin
    that is disabled or failed.
    """
    settings = registry.settings
    is_whole = all(plugin.state == "loaded" for plugin in registry.plugins)
    variables = known_variables(registry)
    known = {name.removeprefix(PREFIX) for name in variables if name.startswith(PREFIX)}
    unknown = {name for name in settings.names if name.startswith(PREFIX)} - variables
    for name in sorted(unknown):
        if nearest := _nearest(name.removeprefix(PREFIX), known):
            yield f"settings: {name} is not a known setting; did you mean {PREFIX}{nearest}?"
        elif is_whole:
            yield f"settings: {name} is not a known setting; see `promptvision doctor`"
    plugins = {plugin.name for plugin in registry.plugins}
    for name in settings.disabled_plugins:
        if name not in plugins:
            yield _unknown_item("PROMPTVISION_DISABLED_PLUGINS", "plugin", name, plugins)
    tools = {tool.qualified_name for tool in registry.offered_tools()}
    models = {f"{spec.plugin}:{spec.id}" for spec in registry.models.values()} | {*registry.shadowed_models}
    for name in settings.prefer:
        if name not in tools | models and name.partition(":")[0] not in settings.disabled_plugins:
            yield _unknown_item("PROMPTVISION_PREFER", "tool", name, tools)


def _unknown_item(variable: str, kind: str, name: str, known: set[str]) -> str:
    nearest = _nearest(name, known)
    fix = f"did you mean {nearest}?" if nearest else f"use one of: {', '.join(sorted(known))}"
    return f"settings: {variable}: no {kind} {name!r} is installed; {fix}"


def _nearest(name: str, known: Iterable[str]) -> str | None:
    import difflib

    return next(iter(difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.75)), None)
