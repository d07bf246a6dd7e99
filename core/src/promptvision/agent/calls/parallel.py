"""Which calls of one reply may be made side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from promptvision.agent.calls.dispatcher import call_key
from promptvision.errors import ArgumentsError
from promptvision.images.handles import ImageTable
from promptvision.llm.messages import ToolCall
from promptvision.llm.planner import PlannerFunction
from promptvision.llm.repair import repair_arguments
from promptvision.models.devices import has_gpu
from promptvision.plugins.registry import Registry
from promptvision.tools.artifacts import image_fields, link_types, target_field
from promptvision.tools.requirements import Gpu
from promptvision.tools.tool import Tool

__all__ = ["parallel_groups"]


@dataclass(frozen=True)
class ResourceUse:
    """What a call takes for itself: images, devices, and its own words, so that none is made twice."""

    pictures: frozenset[str]
    devices: frozenset[str]
    call: str

    def excludes(self, other: ResourceUse) -> bool:
        return (
            not self.pictures.isdisjoint(other.pictures)
            or not self.devices.isdisjoint(other.devices)
            or self.call == other.call
        )


def parallel_groups(
    calls: Sequence[ToolCall], functions: Sequence[PlannerFunction], registry: Registry, table: ImageTable
) -> Iterator[list[ToolCall]]:
    """Part calls into groups that keep their order; those in one group share no device and no artifact.

    A call stands alone when it does not say which image it means, when something must be made for it
    first, or when it cannot be read. A coroutine function takes no device: what it waits for is elsewhere.

    Args:
        calls: of one reply of the planner, in its order.
        functions: what may be called.
        registry: says which tools would be used.
        table: the conversation's images.
    """
    parameters = {function.name: function.parameters for function in functions}
    group: list[ToolCall] = []
    uses: list[ResourceUse] = []
    for call in calls:
        use = _use(call, parameters, registry, table) if len(calls) > 1 else None
        if group and (use is None or len(uses) < len(group) or any(use.excludes(other) for other in uses)):
            yield group
            group, uses = [], []
        group.append(call)
        if use is not None:
            uses.append(use)
    if group:
        yield group


def _use(
    call: ToolCall, parameters: dict[str, Any], registry: Registry, table: ImageTable
) -> ResourceUse | None:
    """What a call takes; None when that is not known before it is made."""
    tools = registry.runnable(call.name) if call.name in parameters else []
    if not tools:
        return None
    try:
        values, _ = repair_arguments(call.arguments, parameters[call.name])
    except ArgumentsError:
        return None
    target = target_field(tools[0].args)
    is_targeted = target is not None and bool(values.get(target))
    needed = [*image_fields(tools[0].args)[:1], *link_types(tools[0].args, required=not is_targeted)]
    if any(not values.get(name) for name in needed):
        return None
    pictures = frozenset(_pictures(values, table))
    devices = frozenset(device for tool in tools for device in _devices(tool))
    return ResourceUse(pictures, devices, call_key(call.name, values))


def _pictures(value: Any, table: ImageTable) -> Iterator[str]:
    """Ids of all images that are named anywhere in a value."""
    if isinstance(value, str):
        try:
            yield table.resolve(value)
        except ValueError:
            return
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _pictures(item, table)


def _devices(tool: Tool) -> tuple[str, ...]:
    """Where a tool computes; one that likes a GPU may come down to the processor."""
    if tool.is_async:
        return ()
    if tool.requires.gpu is Gpu.NONE or not has_gpu():
        return ("cpu",)
    return ("gpu",) if tool.requires.gpu is Gpu.REQUIRED else ("gpu", "cpu")
