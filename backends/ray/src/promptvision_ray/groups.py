"""Groups of tools that share worker actors, and the resources of one actor of a group."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from promptvision.plugin import Gpu, alternatives

if TYPE_CHECKING:
    from promptvision.plugin import ModelSpec, Settings, Tool

__all__ = ["GPU_GIB", "Accelerators", "ModelGroup", "group_tools"]

GPU_GIB = "gpu_gib"
"""Custom resource of a node: memory of its GPUs in GiB, together."""

CPU_GROUP = "cpu"
GIB = 2**30
MIN_SHARE = 0.05
"""Smallest share of a GPU: a process with CUDA takes hundreds of megabytes before it loads a model."""


@dataclass(frozen=True, kw_only=True)
class Accelerators:
    """The GPUs of a cluster.

    Args:
        count: of all nodes.
        bytes_each: memory of the smallest one.
        declares_memory: whether a node has the resource ``gpu_gib``.
    """

    count: float = 0
    bytes_each: int = 0
    declares_memory: bool = False

    @classmethod
    def of(cls, resources: Iterable[Mapping[str, float]], default_bytes: int) -> Accelerators:
        """The GPUs of nodes.

        Args:
            resources: the resources of each node.
            default_bytes: memory of a GPU of a node that does not declare it.
        """
        nodes = [each for each in resources if each.get("GPU")]
        declared = [each[GPU_GIB] * GIB / each["GPU"] for each in nodes if each.get(GPU_GIB)]
        sizes = [*declared, default_bytes] if len(declared) < len(nodes) else declared
        return cls(
            count=sum(each["GPU"] for each in nodes),
            bytes_each=int(min(sizes, default=default_bytes)),
            declares_memory=bool(declared),
        )


@dataclass(frozen=True, kw_only=True)
class ModelGroup:
    """Tools whose calls run on the same actors, because they use the same models.

    Args:
        name: ids of its models, or ``cpu`` for tools without models.
        num_cpus: CPUs of one actor.
        num_gpus: GPUs of one actor, or the share of one.
        memory: bytes of memory of one actor; 0: not reserved.
        resources: custom resources of one actor.
    """

    name: str
    num_cpus: float = 1
    num_gpus: float = 0
    memory: int = 0
    resources: Mapping[str, float] = field(default_factory=dict)

    @property
    def demand(self) -> dict[str, float]:
        """The resources of one actor by Ray's names."""
        named = {"CPU": self.num_cpus, "GPU": self.num_gpus, "memory": float(self.memory), **self.resources}
        return {name: amount for name, amount in named.items() if amount}

    @property
    def options(self) -> dict[str, Any]:
        """The resources of one actor as options of its actor class."""
        options: dict[str, Any] = {"num_cpus": self.num_cpus, "num_gpus": self.num_gpus}
        if self.memory:
            options["memory"] = self.memory
        if self.resources:
            options["resources"] = dict(self.resources)
        return options


def group_tools(
    tools: Iterable[Tool], specs: Mapping[str, ModelSpec], settings: Settings, gpus: Accelerators
) -> dict[str, ModelGroup]:
    """The group of each tool, by its qualified name.

    Tools that share a model, or an alternative of one, are in one group.

    Args:
        tools: all tools.
        specs: the declared models.
        settings: may choose other models.
        gpus: the GPUs of the cluster.
    """
    by_name = {tool.qualified_name: tool for tool in tools}
    models = {name: _models_of(tool, settings) for name, tool in by_name.items()}
    groups: dict[str, ModelGroup] = {}
    for members in _connected(models):
        made = _make_group([by_name[name] for name in members], specs, settings, gpus)
        groups.update(dict.fromkeys(members, made))
    return groups


def _models_of(tool: Tool, settings: Settings) -> frozenset[str]:
    chosen = tool.requires.chosen_models(settings.value)
    found = frozenset(model for entry in chosen for model in alternatives(entry))
    if found or tool.requires.gpu is Gpu.NONE:
        return found
    return frozenset((tool.qualified_name,))  # it uses a GPU without a declared model


def _connected(models: Mapping[str, frozenset[str]]) -> list[list[str]]:
    """Names of tools with common models, in lists; those without models together."""
    merged: list[tuple[set[str], list[str]]] = []
    for name, used in sorted(models.items()):
        together, members = set(used), [name]
        rest = []
        for other_models, other_members in merged:
            if other_models & used or not (other_models or used):
                together |= other_models
                members = [*other_members, *members]
            else:
                rest.append((other_models, other_members))
        merged = [*rest, (together, members)]
    return [members for _, members in merged]


def _make_group(
    tools: Sequence[Tool], specs: Mapping[str, ModelSpec], settings: Settings, gpus: Accelerators
) -> ModelGroup:
    used = sorted({model for tool in tools for model in _models_of(tool, settings)})
    if not used:
        return ModelGroup(name=CPU_GROUP)
    name = "+".join(used)
    wants = {tool.requires.gpu for tool in tools}
    on_gpu = Gpu.REQUIRED in wants or (Gpu.PREFERRED in wants and gpus.count > 0)
    device = "cuda" if on_gpu else "cpu"
    need = max(_bytes_needed(tool, specs, settings, device) for tool in tools)
    if not on_gpu:
        return ModelGroup(name=name, memory=need)
    need = max(need, *(tool.requires.gpu_bytes for tool in tools), 0)
    share = min(1.0, max(MIN_SHARE, math.ceil(need / gpus.bytes_each * 100) / 100)) if need else 1.0
    gib = {GPU_GIB: float(math.ceil(need / GIB))} if gpus.declares_memory and need else {}
    return ModelGroup(name=name, num_gpus=share, resources=gib)


def _bytes_needed(tool: Tool, specs: Mapping[str, ModelSpec], settings: Settings, device: str) -> int:
    """Memory of the models of one call: all weights, and the largest working memory."""
    weights, peaks = 0, [0]
    for entry in tool.requires.chosen_models(settings.value):
        known = [specs[model] for model in alternatives(entry) if model in specs]
        sizes = [_bytes_of(spec, spec.weight_bytes, device) for spec in known]
        weights += max(sizes, default=0)
        peaks += [_bytes_of(spec, spec.peak_bytes, device) for spec in known]
    return weights + max(peaks)


def _bytes_of(spec: ModelSpec, sizes: Mapping[str, int], device: str) -> int:
    dtype = next(iter(spec.dtypes.get(device, ())), "")
    return sizes.get(dtype) or max(sizes.values(), default=0)
