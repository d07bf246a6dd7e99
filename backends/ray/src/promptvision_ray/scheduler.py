"""Distribute calls over the groups of worker actors of a cluster."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any

from promptvision.plugin import Settings, Worker, WorkerStart
from promptvision_ray.connection import all_nodes, connect, disconnect
from promptvision_ray.groups import Accelerators, ModelGroup, group_tools
from promptvision_ray.pool import ActorPool
from promptvision_ray.settings import RaySettings

if TYPE_CHECKING:
    from promptvision.plugin import Call, CallOutput, CancelToken, Progress

__all__ = ["Scheduler"]

log = logging.getLogger(__name__)

PATIENCE_S = 2.0
"""How long a group without an actor waits for free resources before an idle actor of another group ends."""
TICK_S = 0.5
ROOM_S = 0.5
"""How long the free resources of the cluster are cached."""


class Scheduler:
    """Connects to the cluster at the first call. Used on one event loop.

    Args:
        worker: the worker of this process.
    """

    def __init__(self, worker: Worker) -> None:
        self._section = worker.settings.section(RaySettings)
        self._worker = _remote_worker(worker, self._section)
        self._queue = worker.queue
        self._pools: dict[str, ActorPool] = {}
        self._groups: dict[str, ModelGroup] = {}
        self._start = ""
        self._connecting: asyncio.Task[None] | None = None
        self._is_owner = False
        self._tending: asyncio.Task[None] | None = None
        self._free: dict[str, float] = {}
        self._free_at = 0.0

    async def execute(self, call: Call, cancel: CancelToken, on_progress: Progress | None) -> CallOutput:
        """Run a call on an actor of its group."""
        await self._connected()
        cancel.check()
        text = call.to_data(self._worker.settings_digest).model_dump_json()
        return await self._pool(self._groups[call.tool.qualified_name]).execute(
            call, text, cancel, on_progress
        )

    async def close(self) -> None:
        """End the actors, and the connection if this scheduler made it."""
        if self._tending is not None:
            self._tending.cancel()
        await asyncio.gather(*(pool.close() for pool in self._pools.values()))
        if self._is_owner:
            await asyncio.to_thread(disconnect)

    async def _connected(self) -> None:
        """Wait for the connection, which the first call makes; a failed one is tried again."""
        if self._connecting is None or (self._connecting.done() and self._connecting.exception()):
            self._connecting = asyncio.ensure_future(self._connect())
        await asyncio.shield(self._connecting)

    async def _connect(self) -> None:
        self._is_owner = await asyncio.to_thread(connect, self._worker.settings)
        start = await asyncio.to_thread(WorkerStart.of, self._worker, _import_path())
        self._start = start.model_dump_json()
        nodes = await asyncio.to_thread(all_nodes)
        resources = [node["Resources"] for node in nodes if node["Alive"]]
        gpus = Accelerators.of(resources, self._section.ray_gpu_memory)
        tools = {tool.qualified_name: tool for tool in self._worker.tools.values()}
        self._groups = group_tools(tools.values(), self._worker.pool.specs, self._worker.settings, gpus)
        self._tending = asyncio.ensure_future(self._tend())

    def _pool(self, group: ModelGroup) -> ActorPool:
        pool = self._pools.get(group.name)
        if pool is None:
            pool = self._pools[group.name] = ActorPool(
                group,
                self._section,
                self._queue,
                self._start,
                fits=self._fits,
                must_yield=self._must_yield,
            )
        return pool

    async def _tend(self) -> None:
        """Grow, shrink, and end idle actors of other groups for one that waits for resources."""
        while True:
            await asyncio.sleep(TICK_S)
            for pool in self._pools.values():
                pool.shrink()
                if pool.waiting:
                    pool.grow()
            if (starving := self._starving()) is not None:
                self._make_room(starving)

    def _starving(self) -> ActorPool | None:
        """The group that has waited longest for its first actor, longer than it should."""
        since = [
            (pool.waiting_since, pool) for pool in self._pools.values() if pool.waiting_since is not None
        ]
        oldest = min(since, key=lambda each: each[0], default=None)
        if oldest is None or time.monotonic() - oldest[0] < PATIENCE_S:
            return None
        return None if self._fits(oldest[1].group) else oldest[1]  # else its process is slow to start

    def _make_room(self, starving: ActorPool) -> None:
        others = [pool for pool in self._pools.values() if pool is not starving and pool.idle]
        useful = [pool for pool in others if _share_resource(pool.group, starving.group)]
        for pool in sorted(useful, key=lambda each: min(handle.idle_since for handle in each.idle)):
            if pool.end_idle(0):
                log.info(
                    "an idle actor for %s ends: %s needs its resources", pool.group.name, starving.group.name
                )
                return

    def _must_yield(self, pool: ActorPool) -> bool:
        starving = self._starving()
        return starving is not None and starving is not pool and _share_resource(pool.group, starving.group)

    def _fits(self, group: ModelGroup) -> int:
        """How many further actors of a group the free resources of the cluster suffice for."""
        import ray

        if time.monotonic() - self._free_at > ROOM_S:
            resources: Any = ray.available_resources  # it has no annotations
            self._free, self._free_at = resources(), time.monotonic()
        return int(min(self._free.get(name, 0) / amount for name, amount in group.demand.items()))


def _share_resource(one: ModelGroup, other: ModelGroup) -> bool:
    return bool(one.demand.keys() & other.demand.keys())


def _remote_worker(worker: Worker, section: RaySettings) -> Worker:
    """The worker as it is on the nodes, whose folder of local data may be another one."""
    if section.ray_home is None:
        return worker
    settings = Settings.from_mapping({**worker.settings.variables(), "PROMPTVISION_HOME": section.ray_home})
    return Worker(settings, worker.images.store, worker.pool, worker.tools)


def _import_path() -> list[str]:
    import sys

    return [folder for folder in sys.path if folder]
