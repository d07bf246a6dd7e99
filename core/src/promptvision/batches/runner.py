"""Run the turns of a batch: the first image is planned, the others follow its plan."""

from __future__ import annotations

import asyncio

from promptvision.agent.agent import Agent
from promptvision.agent.export import delete_conversation
from promptvision.agent.reply import Reply
from promptvision.agent.request import LOCAL_USER, Source
from promptvision.agent.turns.handle import TurnHandle
from promptvision.batches.plan import ImageSpecific, Plan, PlanFollower, plan_of
from promptvision.errors import Busy, Cancelled, NotFound, SetupError

__all__ = ["BatchRunner"]

MAX_WAITS = 120
"""How often an item waits because other requests of the user are running, before it fails."""
MAX_WAIT_S = 5.0
MAX_UNDELETED = 64
"""Images that are kept in mind to be deleted later; `promptvision store gc` deletes the others."""


class BatchRunner:
    """Runs one instruction on one image after the other, each in a turn of its own conversation.

    Until it is known whether a plan can be used again, images run one at a time. The first turn that succeeds
    decides: its plan is used for all others, or, if it depends on the image, each image is planned by itself.

    Args:
        agent: runs the turns.
        prompt: what is done to each image.
        batch_id: prefix of the conversations. The same batch and number is the same request: an item that has
            ended is not run again, and one that was interrupted goes on.
        user_id: owner of the conversations.
        plan: a plan that was made before.
        allow_paths: whether an image may be a path.
    """

    def __init__(
        self,
        agent: Agent,
        prompt: str,
        *,
        batch_id: str,
        user_id: str = LOCAL_USER,
        plan: Plan | None = None,
        allow_paths: bool = True,
    ) -> None:
        self.plan = plan
        """The plan that is used for all images; None until there is one, or if there is none."""
        self.reason = ""
        """Why each image is planned by itself."""
        self.unready: Reply | None = None
        """The reply that says what must be set up before any image can be done; no more turns begin."""
        self._agent = agent
        self._prompt = prompt
        self._batch_id = batch_id
        self._user_id = user_id
        self._allow_paths = allow_paths
        self.is_decided = plan is not None
        """Whether it is known if there is a plan to use again."""
        self._deciding = asyncio.Lock()
        self._running: set[TurnHandle] = set()
        self._undeleted: list[str] = []
        self._is_cancelled = False
        self._has_succeeded = False

    async def run(self, number: int, image: Source) -> Reply:
        """Run the turn of one image.

        Args:
            number: of the image in the batch, from 1.
            image: the image.

        Raises:
            InputError: the image cannot be used.
            Busy: other requests of the user kept it waiting for too long.
            Cancelled: the batch was cancelled before the turn began.
            SetupError: something must be set up before any image can be done.
            StoreError: a store failed.
        """
        if self.is_decided:
            return await self._turn(number, image)
        async with self._deciding:
            is_first = not self.is_decided
            if is_first:
                reply = await self._turn(number, image)
                await self._decide(reply)
        return reply if is_first else await self._turn(number, image)

    async def delete_conversation(self, number: int) -> None:
        """Delete the conversation of an image, with the images that nothing else refers to.

        An image that was put since the oldest running turn began stays for now; it is deleted with the
        conversation of a later image.
        """
        key = self._user_id, self._conversation(number)
        services = self._agent.services
        records = await services.conversations.images(*key)
        await delete_conversation(services, *key)
        left = dict.fromkeys([*self._undeleted, *(record.image_id for record in records)])
        kept = [image_id for image_id in left if not await self._delete_image(image_id)]
        self._undeleted = kept[-MAX_UNDELETED:]

    async def _delete_image(self, image_id: str) -> bool:
        """Delete an image that nothing refers to; False if a running turn may be about to."""
        services = self._agent.services
        if await services.conversations.image_in_use(image_id):
            return True
        await services.images.delete(image_id, unless_put_since=services.in_flight.oldest_start())
        try:
            await services.images.stat(image_id)
        except NotFound:
            return True
        return False

    def cancel(self) -> None:
        """Cancel the turns that run at their next check point, and begin no more."""
        self._is_cancelled = True
        for handle in self._running:
            handle.cancel.cancel("the batch was cancelled")

    def _conversation(self, number: int) -> str:
        return f"{self._batch_id}.{number}"

    async def _turn(self, number: int, image: Source) -> Reply:
        if self.unready is not None:
            raise SetupError(self.unready.text_response, needs=self.unready.setup)
        reply = await self._run_when_free(number, image)
        if reply.status == "done":
            self._has_succeeded = True
        elif reply.needs_setup and not self._has_succeeded:
            self.unready = reply
        return reply

    async def _run_when_free(self, number: int, image: Source) -> Reply:
        for _ in range(MAX_WAITS):
            if self._is_cancelled:
                raise Cancelled("the batch was cancelled")
            try:
                return await self._run(number, image)
            except Busy as exc:
                await asyncio.sleep(min(exc.retry_after_s, MAX_WAIT_S))
        return await self._run(number, image)

    async def _run(self, number: int, image: Source) -> Reply:
        planner = PlanFollower(self.plan, self._agent.services.planner) if self.plan else None
        handle = self._agent.start(
            self._prompt,
            image=image,
            user_id=self._user_id,
            conversation_id=self._conversation(number),
            prompt_id="item",
            allow_paths=self._allow_paths,
            planner=planner,
        )
        self._running.add(handle)
        try:
            return await handle.reply()
        except asyncio.CancelledError:  # the process is stopping; the turn may continue later
            if handle.task is not None:
                handle.task.cancel()
                await asyncio.wait({handle.task})
            raise
        finally:
            self._running.discard(handle)

    async def _decide(self, reply: Reply) -> None:
        """Take the plan of a turn that succeeded; one that failed decides nothing."""
        if reply.status != "done":
            return
        turn = await self._agent.services.conversations.turn(self._user_id, reply.turn_id)
        try:
            if turn is not None:
                self.plan = plan_of(turn)
        except ImageSpecific as exc:
            self.reason = str(exc)
        self.is_decided = True
