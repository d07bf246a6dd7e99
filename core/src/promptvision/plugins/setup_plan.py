"""What a profile of ``promptvision setup`` downloads: derived from tools and the tiers of their models."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from promptvision.models.licences import is_restrictive
from promptvision.models.machine import Machine, needed_bytes
from promptvision.models.placement import gigabytes
from promptvision.models.profiles import Profile
from promptvision.models.spec import ModelSpec, Tier, alternatives
from promptvision.models.weights import effective_spec, local_override, locate, pull_bytes
from promptvision.plugins.registry import Registry
from promptvision.tools.tool import Tool

__all__ = ["PlannedModel", "SetupPlan", "SkippedTool", "make_plan"]

_LARGE, _HUGE = 1_000_000_000, 4_000_000_000
"""Bytes of weights of a tool, in the dtype it computes with, that make it slower by a class."""


@dataclass(kw_only=True)
class PlannedModel:
    """A model of the profile.

    Args:
        spec: the model.
        operations: what it is for.
        bytes: size of the download; 0 if it is here, or unknown.
        is_here: whether its weights are on disk.
        speed: expected speed class of its tool on this machine.
    """

    spec: ModelSpec
    operations: dict[str, None] = field(default_factory=dict)
    bytes: int = 0
    is_here: bool = False
    speed: str = ""

    @property
    def is_restrictive(self) -> bool:
        """Whether the user should read its licence first."""
        return is_restrictive(self.spec.license)


@dataclass(frozen=True)
class SkippedTool:
    """A tool that the profile leaves out, and why."""

    tool: str
    operation: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class SetupPlan:
    """The models of a profile on one machine.

    Args:
        profile: its name.
        models: in the order of the operations that they are for.
        tools: the tools that can run with these models.
        skipped: tools with models that are left out.
    """

    profile: Profile
    models: tuple[PlannedModel, ...]
    tools: tuple[Tool, ...]
    skipped: tuple[SkippedTool, ...]

    @property
    def missing(self) -> list[PlannedModel]:
        """The models that are to be downloaded."""
        return [model for model in self.models if not model.is_here]

    @property
    def bytes(self) -> int:
        """Size of all downloads, as far as it is known."""
        return sum(model.bytes for model in self.models)

    def without(self, refused: list[PlannedModel]) -> SetupPlan:
        """The plan without some models and the tools that need them."""
        ids = {model.spec.id for model in refused}
        named = {id_ for tool in self.tools for entry in tool.requires.models for id_ in alternatives(entry)}
        tools = tuple(
            tool
            for tool in self.tools
            if not any(ids & set(alternatives(entry)) for entry in tool.requires.models)
        )
        kept_ids = {id_ for tool in tools for entry in tool.requires.models for id_ in alternatives(entry)}
        kept = tuple(
            model
            for model in self.models
            if model.spec.id not in ids and (model.spec.id in kept_ids or model.spec.id not in named)
        )
        skipped = tuple(
            SkippedTool(tool.name, tool.operation.name, "a licence was not accepted")
            for tool in self.tools
            if tool not in tools
        )
        return SetupPlan(profile=self.profile, models=kept, tools=tools, skipped=(*self.skipped, *skipped))


def make_plan(registry: Registry, profile: Profile, machine: Machine) -> SetupPlan:
    """Choose the models of a profile for the tools that are installed.

    A tool is left out if one of its models has no tier of the profile, does not fit in memory, or if it lacks
    something other than models. A model that no tool requires is part of the profile by its tier.
    """
    planner = _Planner(registry, profile, machine)
    for _, operation in sorted(registry.operations.items()):
        for tool in registry.candidates(operation.name):
            planner.add_tool(tool)
    planner.add_optional()
    return SetupPlan(
        profile=profile,
        models=tuple(planner.models.values()),
        tools=tuple(planner.tools),
        skipped=tuple(planner.skipped),
    )


class _Planner:
    def __init__(self, registry: Registry, profile: Profile, machine: Machine) -> None:
        self.models: dict[str, PlannedModel] = {}
        self.tools: list[Tool] = []
        self.skipped: list[SkippedTool] = []
        self._registry = registry
        self._settings = registry.settings
        self._machine = machine
        self._tiers: tuple[Tier, ...] = ("light",) if profile == "light" else ("full", "light")
        self._required: set[str] = set()

    def add_tool(self, tool: Tool) -> None:
        """Add the models of a tool, or say why not."""
        entries = tool.requires.chosen_models(self._settings.value)
        self._required.update(
            id_ for entry in (*tool.requires.models, *entries) for id_ in alternatives(entry)
        )
        if not entries:
            return
        try:
            chosen = [self._choose(entry) for entry in entries]
            self._refuse_unready(tool)
        except _LeftOut as exc:
            self.skipped.append(SkippedTool(tool.name, tool.operation.name, str(exc)))
            return
        self.tools.append(tool)
        speed = self._speed(chosen)
        for spec in chosen:
            self._add(spec, tool.operation.name, speed)

    def add_optional(self) -> None:
        """Add models of the profile that no tool requires, for the operations of their plugins."""
        for spec in self._registry.models.values():
            is_wanted = spec.tier in self._tiers and spec.id not in self._required
            owners = [tool for tool in self.tools if tool.plugin == spec.plugin]
            if is_wanted and owners and self._fits(spec):
                for tool in owners:
                    self._add(spec, tool.operation.name, self._speed([spec]))

    def _choose(self, entry: str) -> ModelSpec:
        """The best alternative of the profile that fits; a better one that is here already goes before it."""
        known = [self._registry.models[id_] for id_ in alternatives(entry) if id_ in self._registry.models]
        if not known:
            raise _LeftOut(f"no plugin declares {entry}")
        here = [spec for spec in known if locate(spec, self._settings) is not None]
        wanted = [spec for spec in known if spec.tier in self._tiers]
        fitting = [spec for spec in wanted if self._fits(spec)]
        if fitting and here and known.index(here[0]) > known.index(fitting[0]):
            return fitting[0]
        if here:
            return here[0]
        if not wanted:
            raise _LeftOut("its models are not part of this profile")
        if not fitting:
            smallest = min(needed_bytes(spec, next(iter(spec.dtypes))) for spec in wanted)
            raise _LeftOut(f"needs {gigabytes(smallest)} of memory")
        return fitting[0]

    def _refuse_unready(self, tool: Tool) -> None:
        for one in self._registry.missing(tool):
            if not one.model:
                raise _LeftOut(f"{one.what}: {one.fix}")

    def _fits(self, spec: ModelSpec) -> bool:
        """Whether a model fits in memory; the size of one that a setting replaces is not known."""
        if local_override(spec, self._settings) or effective_spec(spec, self._settings) is not spec:
            return True
        return self._machine.device_for(spec) is not None

    def _add(self, spec: ModelSpec, operation: str, speed: str) -> None:
        if spec.id not in self.models:
            is_here = locate(spec, self._settings) is not None
            is_replaced = effective_spec(spec, self._settings) is not spec
            size = 0 if is_here or is_replaced else pull_bytes(spec)
            self.models[spec.id] = PlannedModel(spec=spec, bytes=size, is_here=is_here, speed=speed)
        self.models[spec.id].operations[operation] = None

    def _speed(self, specs: list[ModelSpec]) -> str:
        """How long one call takes, by the size of what is computed with."""
        devices = {self._machine.device_for(spec) or "cpu" for spec in specs}
        weights = sum(max(spec.weight_bytes.values(), default=0) for spec in specs)
        if devices == {"cuda"}:
            return "under a second" if weights < _HUGE else "seconds"
        return "seconds" if weights < _LARGE else "tens of seconds" if weights < _HUGE else "minutes"


class _LeftOut(Exception):
    """Why the profile leaves a tool out."""


def ready_commands(tools: Iterator[Tool] | tuple[Tool, ...], image: str) -> list[str]:
    """Three commands to try, for what the tools of a plan can do."""
    names = {tool.operation.name for tool in tools}
    tries = (
        ({"detect_objects", "segment_objects", "inpaint_image"}, f'run {image} "change the cat to a dog"'),
        ({"caption_image"}, f'run {image} "describe it"'),
        ({"detect_objects"}, f'run {image} "find the faces"'),
        ({"extract_text"}, f'run {image} "read the text"'),
    )
    fitting = [f"promptvision {words}" for needed, words in tries if needed <= names]
    return [*fitting, f"promptvision chat {image}", "promptvision serve", "promptvision tools"][:3]
