"""Which calls of one planner reply may run in parallel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from promptvision.agent.calls.prepared import PreparedCall
from promptvision.images.handles import ImageTable
from promptvision.models.devices import has_gpu
from promptvision.plugins.registry import Registry
from promptvision.tools.artifacts import image_fields, link_types, target_field
from promptvision.tools.requirements import Gpu
from promptvision.tools.tool import Tool

__all__ = ["ResourceUse", "parallel_groups"]


@dataclass(frozen=True)
class ResourceUse:
    """The resources that a call uses exclusively.

    Args:
        images: ids of the images that it names.
        devices: the devices that it runs on.
        call: the call; equal ones do not run in parallel.
    """

    images: frozenset[str]
    devices: frozenset[str]
    call: PreparedCall

    def excludes(self, other: ResourceUse) -> bool:
        """Whether the two calls cannot run in parallel."""
        return (
            not self.images.isdisjoint(other.images)
            or not self.devices.isdisjoint(other.devices)
            or self.call.repeats(other.call)
        )


def parallel_groups(
    calls: Sequence[PreparedCall], registry: Registry, table: ImageTable
) -> Iterator[list[PreparedCall]]:
    """Divide calls into groups that keep their order; calls of a group share no device and no artifact.

    A call gets its own group when it names no image, when a prerequisite must run first, or when its
    arguments cannot be read. A coroutine function uses no device, since it waits for remote work.

    Args:
        calls: of one reply of the planner, in its order.
        registry: selects the tools that would run.
        table: the conversation's images.
    """
    if len(calls) == 1:
        yield list(calls)
        return
    group: list[PreparedCall] = []
    uses: list[ResourceUse] = []
    for call in calls:
        use = _resource_use(call, registry, table)
        if group and (use is None or len(uses) < len(group) or any(use.excludes(other) for other in uses)):
            yield group
            group, uses = [], []
        group.append(call)
        if use is not None:
            uses.append(use)
    if group:
        yield group


def _resource_use(prepared: PreparedCall, registry: Registry, table: ImageTable) -> ResourceUse | None:
    """The resources of a call; None when they are not known before it runs."""
    tools = registry.runnable(prepared.call.name) if prepared.is_readable else []
    if not tools:
        return None
    values = prepared.values
    target = target_field(tools[0].args)
    is_targeted = target is not None and bool(values.get(target))
    needed = [*image_fields(tools[0].args)[:1], *link_types(tools[0].args, required=not is_targeted)]
    if any(not values.get(name) for name in needed):
        return None
    images = frozenset(_image_ids(values, table))
    devices = frozenset(device for tool in tools for device in _devices(tool))
    return ResourceUse(images, devices, prepared)


def _image_ids(value: Any, table: ImageTable) -> Iterator[str]:
    """Ids of all images that a value names, at any depth."""
    if isinstance(value, str):
        try:
            yield table.resolve(value)
        except ValueError:
            return
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _image_ids(item, table)


def _devices(tool: Tool) -> tuple[str, ...]:
    """The devices of a tool; one that prefers a GPU may fall back to the CPU."""
    if tool.is_async:
        return ()
    if tool.requires.gpu is Gpu.NONE or not has_gpu():
        return ("cpu",)
    return ("gpu",) if tool.requires.gpu is Gpu.REQUIRED else ("gpu", "cpu")
