"""The turns that run in this process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from promptvision.agent.images import ImageIntake
from promptvision.agent.reply import Reply
from promptvision.agent.request import ChatInput
from promptvision.agent.services import AgentServices
from promptvision.agent.turns.activity import TurnActivity
from promptvision.agent.turns.admission import Admission
from promptvision.agent.turns.handle import ConversationQueue, TurnHandle
from promptvision.agent.turns.recovery import InterruptedTurns
from promptvision.agent.turns.session import Observer, TurnSession
from promptvision.conversations.turn import TurnKey
from promptvision.errors import Conflict, PromptvisionError

__all__ = ["RunningTurns"]

log = logging.getLogger(__name__)


class RunningTurns:
    """Starts turns and finds those that run, one per idempotency key.

    Args:
        services: stores, tools and planner.
        intake: stores the images of requests.
        admission: decides how many turns may run.
        observers: called with each new reply; the list may change at any time.
    """

    def __init__(
        self,
        services: AgentServices,
        intake: ImageIntake,
        admission: Admission,
        observers: Sequence[Observer] = (),
    ) -> None:
        self.services = services
        self.interrupted = InterruptedTurns(services.conversations, services.settings.lease_s)
        self._intake = intake
        self._admission = admission
        self._observers = observers
        self._queue = ConversationQueue()
        self._handles: dict[TurnKey, TurnHandle] = {}

    def __len__(self) -> int:
        """Number of turns that are running or waiting."""
        return len(self._handles)

    def find(self, user_id: str, turn_id: str) -> TurnHandle | None:
        """A turn of the user that is running; None when it runs elsewhere or has ended."""
        for handle in list(self._handles.values()):
            if handle.key.user_id == user_id and handle.turn is not None and handle.turn.id == turn_id:
                return handle
        return None

    def start(self, request: ChatInput) -> TurnHandle:
        """Start a turn in the background, or return the one that runs under the same key.

        Raises:
            Conflict: the same request is running with another prompt or image.
            Busy: too many requests are running or waiting.
        """
        handle = self._handles.get(request.key)
        if handle is not None:
            if handle.fingerprint != request.fingerprint:
                prompt_id = request.key.prompt_id
                raise Conflict(f"prompt_id {prompt_id!r} is running with another prompt or image")
            return handle
        self._admission.admit(request.key.user_id)
        handle = TurnHandle(request.key, request.fingerprint)
        self._handles[request.key] = handle
        handle.task = asyncio.create_task(self._run(handle, request))
        handle.task.add_done_callback(lambda task: self._remove(handle, task))
        return handle

    async def drain(self, timeout_s: float) -> None:
        """Wait for the turns on this event loop, then stop the remaining ones and mark them interrupted."""
        loop = asyncio.get_running_loop()
        running = [handle.task for handle in self._handles.values() if handle.task is not None]
        tasks = [task for task in running if task.get_loop() is loop]
        if not tasks:
            return
        _, left = await asyncio.wait(tasks, timeout=timeout_s)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _run(self, handle: TurnHandle, request: ChatInput) -> Reply:
        user_id = request.key.user_id
        async with self._queue.slot(user_id, request.key.conversation_id), self._admission.slot(user_id):
            session = TurnSession(
                self.services, self._intake, self.interrupted, handle, request, self._observers
            )
            around = self.services.instruments.around(TurnActivity, request.key, request.prompt)
            with self.services.in_flight.request(), around as activity:
                reply = await session.run(activity)
                if activity is not None:
                    activity.reply = reply
                return reply

    def _remove(self, handle: TurnHandle, task: asyncio.Task[Reply]) -> None:
        self._handles.pop(handle.key, None)
        self._admission.leave(handle.key.user_id)
        handle.is_claimed.set()
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, PromptvisionError):
            log.error("turn %s failed", handle.key, exc_info=error)
