"""Tools whose requirements are met here, and the functions that the planner is offered."""

from __future__ import annotations

import itertools
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from promptvision.llm.planner import PlannerFunction
from promptvision.models.placement import gigabytes
from promptvision.models.weights import pull_command
from promptvision.needs import NeedsSetup
from promptvision.plugins.admission import Admission
from promptvision.plugins.readiness import Readiness
from promptvision.settings import Settings
from promptvision.tools.artifacts import image_fields, link_types, target_field
from promptvision.tools.requirements import Missing
from promptvision.tools.schema import function_parameters
from promptvision.tools.tool import Operation, Phrase, Tool

__all__ = ["Availability", "Named", "describe_needs"]

RECHECK_S = 10.0
"""How long a snapshot is valid: weights may be pulled while a server runs."""


def _never(tool: Tool) -> bool:
    return False


class Named(Protocol):
    """A tool, or its record in the catalog."""

    @property
    def qualified_name(self) -> str:
        """``plugin:tool``."""


@dataclass
class _Snapshot:
    """The available tools at one moment; functions are created on first use."""

    taken_at: float
    missing: dict[str, list[Missing]]
    runnable: dict[str, list[Tool]]
    functions: tuple[PlannerFunction, ...] | None = None
    unavailable: tuple[PlannerFunction, ...] | None = None


class Availability:
    """Checks the requirements of admitted tools and caches the result for :data:`RECHECK_S`.

    Checking looks for programs, modules and weights on disk. On an event loop an expired snapshot is
    refreshed in a thread while the old one stays in use; :meth:`refresh` creates the first one.

    Args:
        admission: the admitted tools and models.
        settings: location of weights, and variables.
        is_remote: whether a tool runs on other machines; then only its settings are checked.
    """

    def __init__(
        self, admission: Admission, settings: Settings, is_remote: Callable[[Tool], bool] = _never
    ) -> None:
        self._admission = admission
        shadowed = {
            name: Missing(model.reason, model.fix) for name, model in admission.shadowed_models.items()
        }
        self.is_remote = is_remote
        self._readiness = Readiness(admission.models, shadowed, settings, is_remote)
        self._snapshot: _Snapshot | None = None
        self._lock = threading.Lock()

    async def refresh(self) -> None:
        """Check again in a thread if the snapshot has expired. Await it before a turn on an event loop."""
        if self._is_expired():
            import asyncio

            await asyncio.to_thread(self._check)

    def invalidate(self) -> None:
        """Check again at the next question: something was downloaded or installed."""
        with self._lock:
            self._snapshot = None

    def missing(self, tool: Named) -> list[Missing]:
        """The requirements of a tool that are not met here."""
        return self._current().missing[tool.qualified_name]

    def runnable(self, operation: str) -> list[Tool]:
        """Tools that can fulfil an operation here, best first; ``plugin:tool`` means one tool."""
        snapshot = self._current()
        if ":" in operation:
            tools = self._admission.candidates(operation)
            return [tool for tool in tools if not snapshot.missing[tool.qualified_name]]
        return snapshot.runnable.get(operation, [])

    def needs(self, operation: str, values: Mapping[str, Any] | None = None) -> NeedsSetup | None:
        """What the best tool for an operation that is not ready needs, with that of its prerequisites.

        A tool that only lacks models goes before one that lacks something else.

        Args:
            operation: its name.
            values: the arguments so far; tools that do not accept them do not count.

        Returns:
            None if each tool is ready.
        """
        absent = self._absent(operation, values or {})
        if not absent:
            return None
        best = next((tool for tool in absent if self._lacks_models_only(tool)), absent[0])
        others = [one for one in self.missing(best) if not one.model]
        models = {one.model: one.bytes for one in self.missing(best) if one.model}
        if others:
            return NeedsSetup(models=list(models), bytes=sum(models.values()), command=others[0].fix)
        if not self.runnable(operation):
            self._add_prerequisites(best, models, {operation})
        return NeedsSetup(models=list(models), bytes=sum(models.values()), command=pull_command(models))

    def _absent(self, operation: str, values: Mapping[str, Any]) -> list[Tool]:
        """Tools for an operation that are not ready and may serve these arguments, best first."""
        tools = self._admission.candidates(operation)
        return [tool for tool in tools if self.missing(tool) and _may_serve(tool, values)]

    def _lacks_models_only(self, tool: Tool) -> bool:
        return all(one.model for one in self.missing(tool))

    def _add_prerequisites(self, tool: Tool, models: dict[str, int], seen: set[str]) -> None:
        """Add what tools for the required arguments of a tool lack, where none of those can run."""
        for kind in link_types(tool.args, required=True).values():
            for operation, _ in self.producers(kind)[:1]:
                if operation.name in seen or self.runnable(operation.name):
                    continue
                seen.add(operation.name)
                absent = [each for each in self._absent(operation.name, {}) if self._lacks_models_only(each)]
                for best in absent[:1]:
                    models.update((one.model, one.bytes) for one in self.missing(best))
                    self._add_prerequisites(best, models, seen)

    def better(self, tool: Tool) -> NeedsSetup | None:
        """The missing models of a better tool for the same operation; None if there is no such tool."""
        before = itertools.takewhile(
            lambda other: other.name != tool.name, self._admission.candidates(tool.operation.name)
        )
        for other in before:
            if self.missing(other) and other.accepts is None and self._lacks_models_only(other):
                models = {one.model: one.bytes for one in self.missing(other)}
                return NeedsSetup(
                    models=list(models), bytes=sum(models.values()), command=pull_command(models)
                )
        return None

    def reason(self, operation: str) -> str:
        """Why no tool for an operation can run here, and the fix; empty if one can run."""
        if self.runnable(operation):
            return ""
        needs = self.needs(operation)
        is_download = needs is not None and needs["command"] == pull_command(needs["models"])
        reasons = [
            f"tool {tool.name!r}: " + "; ".join(f"{one.what}; {one.fix}" for one in missing)
            for tool in self._admission.candidates(operation)
            if (missing := self.missing(tool)) and not (is_download and tool.requires.models)
        ]
        if needs is not None and is_download:
            reasons.append(describe_needs(needs))
        return "; or ".join(reasons) or "no installed plugin provides it"

    def functions(self) -> tuple[PlannerFunction, ...]:
        """One function per operation that some installed tool can fulfil here."""
        snapshot = self._current()
        if snapshot.functions is None:
            available = [tools for _, tools in sorted(snapshot.runnable.items()) if tools]
            snapshot.functions = tuple(self._function(tools) for tools in available)
        return snapshot.functions

    def unavailable(self) -> tuple[PlannerFunction, ...]:
        """One function per operation for which no installed tool can run; ``missing`` holds the reason."""
        snapshot = self._current()
        if snapshot.unavailable is None:
            names = [name for name, tools in sorted(snapshot.runnable.items()) if not tools]
            snapshot.unavailable = tuple(self._unavailable(name) for name in names)
        return snapshot.unavailable

    def producers(self, kind: Any) -> list[tuple[Operation, str]]:
        """Operations that make a type from an image, with the result's field of that type.

        Those that can run here come first, and among them those with a target. An operation that itself
        needs the type does not count.
        """
        found = []
        for _, operation in sorted(self._admission.operations.items()):
            fields = [field for field, made in link_types(operation.result).items() if made == kind]
            needed = link_types(operation.args, required=True).values()
            if fields and image_fields(operation.args) and kind not in needed:
                found.append((operation, fields[0]))
        return sorted(
            found, key=lambda made: (not self.runnable(made[0].name), target_field(made[0].args) is None)
        )

    def filled(self, tool: Tool) -> set[str]:
        """Required arguments of a tool that the core fills in."""
        needed = link_types(tool.args, required=True)
        filled = {name for name, kind in needed.items() if self.producers(kind)}
        return filled.union(image_fields(tool.args)[:1])

    # Snapshots

    def _current(self) -> _Snapshot:
        if self._snapshot is not None and not self._is_expired():
            return self._snapshot
        if self._snapshot is None or not _is_on_event_loop():
            return self._check()
        if self._lock.acquire(blocking=False):  # else a check is already running
            self._lock.release()
            threading.Thread(target=self._check, name="promptvision-availability", daemon=True).start()
        return self._snapshot

    def _is_expired(self) -> bool:
        return self._snapshot is None or time.monotonic() - self._snapshot.taken_at > RECHECK_S

    def _check(self) -> _Snapshot:
        with self._lock:
            if self._snapshot is not None and not self._is_expired():
                return self._snapshot
            now = time.monotonic()
            missing = {
                tool.qualified_name: self._readiness.missing(tool) for tool in self._admission.all_tools()
            }
            if self._snapshot is not None and self._snapshot.missing == missing:
                self._snapshot.taken_at = now
            else:
                runnable = {
                    name: [
                        tool for tool in self._admission.candidates(name) if not missing[tool.qualified_name]
                    ]
                    for name in self._admission.operations
                }
                self._snapshot = _Snapshot(now, missing, runnable)
            return self._snapshot

    # Functions

    def _unavailable(self, name: str) -> PlannerFunction:
        made = self._function(self._admission.candidates(name))
        description = self._admission.operations[name].description
        return replace(made, description=description, missing=self.reason(name))

    def _function(self, tools: list[Tool]) -> PlannerFunction:
        """The function of an operation, described by its best tool, or the best one without limits."""
        best = next((tool for tool in tools if tool.accepts is None), tools[0])
        filled = self.filled(best)
        phrases = [*best.operation.phrases, *(phrase for tool in tools for phrase in tool.phrases)]
        lexicons = [*best.operation.lexicons, *(lexicon for tool in tools for lexicon in tool.lexicons)]
        return PlannerFunction(
            name=best.operation.name,
            description=best.operation.description + (f" Limits: {best.limits}" if best.limits else ""),
            parameters=function_parameters(best.args, optional=filled),
            phrases=tuple(phrase for phrase in phrases if isinstance(phrase, Phrase)),
            lexicons=tuple(lexicons),
            defaults=frozenset(filled),
            image=next(iter(image_fields(best.args)), None),
            target=target_field(best.args),
        )


def describe_needs(needs: NeedsSetup) -> str:
    """What is missing and the command, in words."""
    if not needs["models"]:
        return needs["command"]
    verb = "is" if len(needs["models"]) == 1 else "are"
    size = f" ({gigabytes(needs['bytes'])})" if needs["bytes"] else ""
    return f"{', '.join(needs['models'])} {verb} not downloaded{size}; run `{needs['command']}`"


def _may_serve(tool: Tool, values: Mapping[str, Any]) -> bool:
    """Whether a tool may accept arguments that are not complete."""
    if tool.accepts is None:
        return True
    known = {name: value for name, value in values.items() if name in tool.args.model_fields}
    try:
        return bool(tool.accepts(tool.args.model_construct(**known)))
    except Exception:  # noqa: BLE001  # a plugin's function may raise anything for what is missing
        return True


def _is_on_event_loop() -> bool:
    if "asyncio" not in sys.modules:  # importing it costs 30 ms, and without it no loop can run
        return False
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
