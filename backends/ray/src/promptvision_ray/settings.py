"""Settings of the Ray executor."""

from __future__ import annotations

from pydantic import Field

from promptvision.plugin import Section

__all__ = ["RaySettings"]


class RaySettings(Section):
    """The Ray cluster that runs tools."""

    address: str | None = Field(
        None,
        alias="RAY_ADDRESS",
        description="Address of the head of the cluster, such as `10.0.0.1:6379`; default: start Ray here.",
    )
    ray_home: str | None = Field(
        None,
        description="Folder of local data on the nodes, such as a shared folder with model weights; default: "
        "the path of `PROMPTVISION_HOME`.",
    )
    ray_min_actors: int = Field(
        0, ge=0, le=1000, description="Worker actors that each group of tools keeps when they are idle."
    )
    ray_max_actors: int = Field(
        8, ge=1, le=1000, description="Maximum number of worker actors of each group of tools."
    )
    ray_idle_s: float = Field(
        300, ge=1, description="An actor that is idle for longer ends, unless it is one of the minimum."
    )
    ray_gpu_memory: int = Field(
        24_000_000_000,
        ge=10**9,
        description="Bytes of one GPU, for nodes that do not declare the resource `gpu_gib`.",
    )
