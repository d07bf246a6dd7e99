"""The driver's handle of one worker actor."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from promptvision.plugin import (
    DeviceLost,
    Failure,
    SetupError,
    ToolFailed,
    WorkerLost,
    pass_on,
    read_answer,
    took_too_long,
)
from promptvision_ray.actor import CONTROL, actor_class

if TYPE_CHECKING:
    from promptvision.plugin import Call, CallOutput, CancelToken, Progress
    from promptvision_ray.groups import ModelGroup

__all__ = ["CANCEL_GRACE_S", "ActorHandle", "StartFailed"]

CANCEL_GRACE_S = 2.0
"""How long a cancelled call may take to reach its next check point before its actor is killed."""

_NODE_IS_LOST = ("node has died", "node was", "its node")
"""Texts of Ray for an actor whose machine is gone."""


class StartFailed(SetupError):
    """A worker actor has ended before it was ready; another one may start."""


class ActorHandle:
    """Creates a worker actor and runs one call at a time on it. Used on one event loop.

    Args:
        group: the group that the actor serves.
    """

    def __init__(self, group: ModelGroup) -> None:
        self.name = f"{group.name}-{uuid.uuid4().hex[:8]}"
        self.group = group
        self.models: tuple[str, ...] = ()
        """Ids of the models in its memory after its last call."""
        self.idle_since = time.monotonic()
        self.is_alive = True
        self.is_placed = False
        """Whether the cluster has given it its resources."""
        self._actor = actor_class().options(name=self.name, **group.options).remote(group.name)
        self._watching: asyncio.Task[None] | None = None

    async def start(self, text: str, on_end: Callable[[ActorHandle], None]) -> None:
        """Wait until the cluster has placed the actor and its worker is ready.

        Args:
            text: the start message as JSON.
            on_end: called when the actor has ended by itself.

        Raises:
            StartFailed: it ended before it was ready.
            SetupError: its worker has another version or cannot read the image store.
        """
        from ray.exceptions import RayError

        try:
            await self._control("describe")
            self.is_placed = True
            message = json.loads(await self._actor.start.remote(text))
        except RayError as exc:
            self.kill()
            raise StartFailed(
                f"executor 'ray': a worker actor for {self.group.name} did not start: {_cause(exc)}",
                hint="install promptvision-ray and the plugins on all nodes; run `promptvision doctor`",
            ) from exc
        if message["type"] == "failed":
            self.kill()
            raise Failure.model_validate(message["failure"]).to_error("executor 'ray'")
        self._watching = asyncio.ensure_future(self._watch(on_end))

    async def run(
        self, call: Call, text: str, cancel: CancelToken, on_progress: Progress | None
    ) -> CallOutput:
        """Run a call; an actor that ignores a cancellation or the time limit of the call is killed.

        Args:
            call: the call.
            text: the call as JSON.
            cancel: forwarded to the actor.
            on_progress: called with the progress of the tool.

        Raises:
            WorkerLost: the actor or its node ended during the call.
            DeviceLost: the actor could no longer use its GPU, and was killed.
            ToolFailed: the actor was killed since it ignored the time limit of the call.
            Cancelled: the actor was killed since it ignored a cancellation.
            Exception: what the tool raised.
        """
        from ray.exceptions import RayError, RayTaskError

        has_expired = False
        call_id = uuid.uuid4().hex
        loop = asyncio.get_running_loop()

        def expire() -> None:
            nonlocal has_expired
            has_expired = True
            self.kill()

        limit = None if call.limit_s is None else loop.call_later(call.limit_s + CANCEL_GRACE_S, expire)
        try:
            async with self._cancelled_by(cancel, call_id):
                message = await self._receive(call_id, text, on_progress)
        except RayTaskError as exc:
            raise ToolFailed(f"{call.label}: its worker actor failed: {_cause(exc)}") from exc
        except RayError as exc:
            self.kill()
            cancel.check()
            if has_expired:
                raise took_too_long(call) from exc
            raise WorkerLost(
                f"{call.label}: its worker actor ended: {_cause(exc)}",
                is_machine_lost=any(text in str(exc) for text in _NODE_IS_LOST),
            ) from exc
        finally:
            if limit is not None:
                limit.cancel()
        self.models = tuple(message.pop("models", ()))
        try:
            return read_answer(message, call)
        except DeviceLost as exc:
            self.kill()  # each further call in the actor would fail as well
            raise exc.replaced("worker actor") from exc

    def kill(self) -> None:
        """End the actor now."""
        import ray

        self.is_alive = False
        if self._watching is not None:
            self._watching.cancel()
        if ray.is_initialized():
            ray.kill(self._actor)

    async def _watch(self, on_end: Callable[[ActorHandle], None]) -> None:
        from ray.exceptions import RayError

        try:
            await self._control("watch")
        except RayError:
            self.is_alive = False
            on_end(self)

    async def _receive(self, call_id: str, text: str, on_progress: Progress | None) -> dict[str, Any]:
        """The last message of a call; the others are passed on."""
        async for ref in self._actor.run.options(num_returns="streaming").remote(call_id, text):
            message: dict[str, Any] = json.loads(await ref)
            if not pass_on(message, on_progress):
                return message
        raise ToolFailed("the worker actor sent no result")

    @asynccontextmanager
    async def _cancelled_by(self, cancel: CancelToken, call_id: str) -> AsyncIterator[None]:
        """Forward a cancellation to the actor inside the block, and kill it if it does not react."""
        loop = asyncio.get_running_loop()
        timers: list[asyncio.TimerHandle] = []

        def forward() -> None:
            self._control("cancel", call_id, cancel.reason)
            timers.append(loop.call_later(CANCEL_GRACE_S, self.kill))

        with cancel.waking(lambda: loop.call_soon_threadsafe(forward)):
            try:
                yield
            finally:
                for timer in timers:
                    timer.cancel()

    def _control(self, method: str, *args: str) -> Any:
        return getattr(self._actor, method).options(concurrency_group=CONTROL).remote(*args)


def _cause(error: Exception) -> str:
    """The most informative line of a message of Ray."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    wanted = [line for line in lines if line.startswith("The actor") and "unexpectedly" not in line]
    return (wanted or lines[-1:] or [type(error).__name__])[0]
