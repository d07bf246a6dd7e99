"""The worker actors of one group of tools: started on demand, within bounds, and ended when idle."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from promptvision.plugin import PromptvisionError, SetupError
from promptvision_ray.handle import ActorHandle, StartFailed

if TYPE_CHECKING:
    from promptvision.plugin import Call, CallOutput, CancelToken, Progress, StepQueue
    from promptvision_ray.groups import ModelGroup
    from promptvision_ray.settings import RaySettings

__all__ = ["ActorPool"]

log = logging.getLogger(__name__)

GROW_S = 1.0
"""A group with an actor gets another one when a call has waited for so long: the new one must load models."""
START_ATTEMPTS = 4
"""Actors in a row that may end before they are ready until the calls that wait get an error."""


class ActorPool:
    """Runs the calls of one group. Used on one event loop.

    Args:
        group: what its actors serve.
        section: the bounds.
        queue: decides whose call runs next.
        start: the start message of workers as JSON.
        fits: returns how many further actors the cluster has room for now.
        must_yield: returns whether an actor should end because another group waits for its resources.
    """

    def __init__(
        self,
        group: ModelGroup,
        section: RaySettings,
        queue: StepQueue,
        start: str,
        *,
        fits: Callable[[ModelGroup], int],
        must_yield: Callable[[ActorPool], bool],
    ) -> None:
        self.group = group
        self.idle: list[ActorHandle] = []
        self.waiting_since: float | None = None
        """``time.monotonic()`` since when calls wait while the cluster has no room for the first actor."""
        self._section = section
        self._start = start
        self._fits = fits
        self._must_yield = must_yield
        self._lane = queue.lane(0)
        self._ready: set[ActorHandle] = set()
        self._starting: dict[asyncio.Task[None], ActorHandle] = {}
        self._failed_starts = 0
        self._error: Exception = SetupError("executor 'ray': no worker actor could be started")

    @property
    def size(self) -> int:
        """Actors that are ready or starting."""
        return len(self._ready) + len(self._starting)

    @property
    def waiting(self) -> int:
        """Calls that wait for an actor."""
        return self._lane.waiting

    async def execute(
        self, call: Call, text: str, cancel: CancelToken, on_progress: Progress | None
    ) -> CallOutput:
        """Run a call on an actor, preferably one with the models of the tool in memory.

        Raises:
            SetupError: no actor could be started.
            Exception: as :meth:`ActorHandle.run`.
        """
        growing = asyncio.get_running_loop().call_soon(self.grow)  # once the call is in the queue
        try:
            await self._lane.acquire(call.user, cancel)
        finally:
            growing.cancel()
        try:
            handle = self._take(call)
            if handle is None:
                raise self._error
            try:
                return await handle.run(call, text, cancel, on_progress)
            finally:
                self._put_back(handle)
        finally:
            self._lane.release(call.user)

    def grow(self) -> None:
        """Start actors for the calls that wait, as far as the bounds and the cluster allow."""
        wanted = min(self._section.ray_max_actors, max(self._section.ray_min_actors, self._needed()))
        if self.size and self._lane.longest_wait_s < GROW_S:
            wanted = max(self._section.ray_min_actors, 1)
        room = self._fits(self.group) if wanted > self.size else 0
        while self.size < wanted and len(self._starting) < max(1, room):
            handle = ActorHandle(self.group)
            task = asyncio.ensure_future(self._start_actor(handle))
            self._starting[task] = handle
        self._note_waiting()

    def end_idle(self, idle_s: float) -> bool:
        """End the actor that has been idle longest, if for at least so long; return whether there was one."""
        if not self.idle or self._lane.free <= 0:
            return False
        handle = min(self.idle, key=lambda each: each.idle_since)
        if time.monotonic() - handle.idle_since < idle_s:
            return False
        self._remove(handle)
        handle.kill()
        return True

    def shrink(self) -> None:
        """End actors that have been idle for too long, and those that start for calls that are gone."""
        while len(self._ready) > self._section.ray_min_actors and self.end_idle(self._section.ray_idle_s):
            pass
        if not self.waiting:
            for task, handle in list(self._starting.items()):
                if self.size > self._section.ray_min_actors:
                    task.cancel()
                    handle.kill()
        self._note_waiting()

    async def close(self) -> None:
        """End all actors."""
        self._lane.close()
        for task in self._starting:
            task.cancel()
        for handle in (*self._ready, *self._starting.values()):
            handle.kill()
        await asyncio.gather(*self._starting, return_exceptions=True)

    def _needed(self) -> int:
        return len(self._ready) + max(0, self.waiting)

    async def _start_actor(self, handle: ActorHandle) -> None:
        try:
            await handle.start(self._start, self._lose)
        except PromptvisionError as exc:
            log.warning("%s", exc)
            self._error = exc
            self._failed_starts += 1
            if isinstance(exc, StartFailed) and self._failed_starts < START_ATTEMPTS:
                return  # its node may have died; the calls that wait start another one
            self._lane.resize(self.size + self.waiting)  # the calls that wait get the error
            self._lane.resize(len(self._ready))
        else:
            self._failed_starts = 0
            self._ready.add(handle)
            self.idle.append(handle)
            self._lane.resize(len(self._ready))
        finally:
            self._starting = {task: each for task, each in self._starting.items() if each is not handle}
            self._note_waiting()
            if self.waiting:
                asyncio.get_running_loop().call_soon(self.grow)

    def _take(self, call: Call) -> ActorHandle | None:
        """An idle actor, preferably with the models of the tool, else the one that was used last."""
        models = {model for entry in call.tool.requires.models for model in entry.replace("|", " ").split()}
        best = max(
            self.idle, key=lambda each: (len(models.intersection(each.models)), each.idle_since), default=None
        )
        if best is not None:
            self.idle.remove(best)
        return best

    def _put_back(self, handle: ActorHandle) -> None:
        if handle.is_alive and not self._must_yield(self):
            handle.idle_since = time.monotonic()
            self.idle.append(handle)
            return
        self._remove(handle)
        if handle.is_alive:
            handle.kill()
        if self.waiting:
            asyncio.get_running_loop().call_soon(self.grow)

    def _lose(self, handle: ActorHandle) -> None:
        """Remove an actor that has ended by itself."""
        if handle in self.idle:
            log.warning("executor 'ray': worker actor %s has ended", handle.name)
            self._remove(handle)
            self.grow()

    def _remove(self, handle: ActorHandle) -> None:
        self._ready.discard(handle)
        if handle in self.idle:
            self.idle.remove(handle)
        self._lane.resize(len(self._ready))
        self._note_waiting()

    def _note_waiting(self) -> None:
        is_placed = any(handle.is_placed for handle in self._starting.values())
        if self._ready or is_placed or not self.waiting:
            self.waiting_since = None
        elif self.waiting_since is None:
            self.waiting_since = time.monotonic()
