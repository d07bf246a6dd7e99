"""The agent: say what you want done to an image."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import weakref
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from promptvision.agent.events.agui import AguiEvent
from promptvision.agent.events.follow import follow
from promptvision.agent.image_input import ImageInput, to_source
from promptvision.agent.journal import call_store
from promptvision.agent.loop_thread import LoopThread
from promptvision.agent.operation import call_operation
from promptvision.agent.planning.selection import make_planner
from promptvision.agent.reply import Reply
from promptvision.agent.request import ChatInput, Source
from promptvision.agent.turns.admission import Admission
from promptvision.agent.turns.handle import ConversationQueue, TurnHandle
from promptvision.agent.turns.session import TurnSession
from promptvision.conversations.store import ConversationStore
from promptvision.conversations.turn import Turn, TurnKey, TurnStatus
from promptvision.errors import Conflict, InputError, LeaseLost, NotFound, PromptvisionError
from promptvision.images.ingest import IngestedImage, ingest
from promptvision.images.store import ImageStore
from promptvision.llm.planner import Planner
from promptvision.models.pool import ModelPool
from promptvision.plugins.registry import Registry
from promptvision.runtime.runtime import Runtime
from promptvision.settings import Settings, load_settings
from promptvision.types import ImageRef

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["LOCAL_USER", "Agent"]

log = logging.getLogger(__name__)

LOCAL_USER = "local"
"""Owner of everything when nobody is named."""


class Agent:
    """Runs turns: one user message and its answer.

    Every part that is not given is made of the settings: plugins from the environment, the stores and the
    executor that the settings name, and a ladder of the planners that are configured.

    Args:
        settings: default: :func:`load_settings`.
        registry: what is installed.
        planner: decides the next step.
        conversations: where turns are journaled.
        images: where images are.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        registry: Registry | None = None,
        planner: Planner | None = None,
        conversations: ConversationStore | None = None,
        images: ImageStore | None = None,
    ) -> None:
        self.settings = settings or (registry.settings if registry else load_settings())
        self.registry = registry or Registry.load(self.settings)
        self.planner = planner or make_planner(self.registry)
        self.images = images or self.registry.make_image_store()
        self.conversations = conversations or self.registry.make_conversation_store()
        self.pool = ModelPool(self.registry.models, self.settings)
        executor = self.registry.make_executor()
        self.runtime = Runtime(self.settings, self.images, self.pool, executor)
        self.owner = f"{socket.gethostname()}:{os.getpid()}"
        self.admission = Admission()
        self._queue = ConversationQueue()
        self._running: dict[TurnKey, TurnHandle] = {}
        self._left_open: dict[tuple[str, str], Turn] = {}
        self._loop_thread = LoopThread("promptvision-agent")
        weakref.finalize(self, self._loop_thread.close)
        self.observers: list[Callable[[Reply], None]] = []
        """Called with every reply when its turn ends."""

    # Turns

    async def run(
        self,
        prompt: str,
        *,
        image: ImageInput | None = None,
        user_id: str = LOCAL_USER,
        conversation_id: str | None = None,
        prompt_id: str | None = None,
    ) -> Reply:
        """Run one turn. Cancelling the call stops the turn at its next check point.

        Args:
            prompt: the user's message.
            image: the image it is about; default: the newest of the conversation.
            user_id: owner of the conversation: 1 to 128 letters, digits and ``_ . @ + -``.
            conversation_id: 1 to 64 letters, digits, ``_`` and ``-``; default: a new conversation.
            prompt_id: idempotency key of the turn, same characters; default: a new one.

        Returns:
            The reply; a turn whose tool failed has one too.

        Raises:
            InputError: the prompt, an id or the image cannot be used; nothing was stored.
            Conflict: this ``prompt_id`` was sent before with another prompt or image.
            Busy: too many requests wait for this conversation.
            StoreError: a store failed.
        """
        source = await to_source(image)
        running = self.start(
            prompt, image=source, user_id=user_id, conversation_id=conversation_id, prompt_id=prompt_id
        )
        try:
            return await running.reply()
        except asyncio.CancelledError:
            running.cancel.cancel("the caller left")
            raise

    def run_sync(
        self,
        prompt: str,
        *,
        image: ImageInput | None = None,
        user_id: str = LOCAL_USER,
        conversation_id: str | None = None,
        prompt_id: str | None = None,
    ) -> Reply:
        """Run one turn and block until it ends; see :meth:`run` for arguments and errors.

        The turn runs on an event loop in a thread that the agent owns. So this works where an event loop
        runs already, as in a notebook, and from several threads at once.
        """
        return self._loop_thread.run(
            lambda: self.run(
                prompt, image=image, user_id=user_id, conversation_id=conversation_id, prompt_id=prompt_id
            )
        )

    async def stream(
        self,
        prompt: str,
        *,
        image: ImageInput | None = None,
        user_id: str = LOCAL_USER,
        conversation_id: str | None = None,
        prompt_id: str | None = None,
    ) -> AsyncGenerator[AguiEvent, None]:
        """Run one turn and yield its AG-UI events as they happen; see :meth:`run` for arguments and errors.

        The last event is ``RUN_FINISHED``, with the reply document as its ``result``, or ``RUN_ERROR``.
        Closing the generator before that stops the turn.
        """
        source = await to_source(image)
        running = self.start(
            prompt, image=source, user_id=user_id, conversation_id=conversation_id, prompt_id=prompt_id
        )
        running.speech.has_subscribers = True
        try:
            await running.is_claimed.wait()
            if running.turn is None:
                await running.reply()  # raises why the turn did not begin
                return
            async with aclosing(follow(self, user_id, running.turn.id, self.images.url)) as events:
                async for streamed in events:
                    yield streamed.event
        except (asyncio.CancelledError, GeneratorExit):
            running.cancel.cancel("the caller left")
            raise

    def start(
        self,
        prompt: str,
        *,
        image: Source | None = None,
        user_id: str = LOCAL_USER,
        conversation_id: str | None = None,
        prompt_id: str | None = None,
        allow_paths: bool = True,
    ) -> TurnHandle:
        """Begin a turn in the background; needs a running event loop.

        The same ``(user_id, conversation_id, prompt_id)`` is the same request: it runs once, and whoever
        asks again gets the same answer.

        Raises:
            InputError: the prompt or an id cannot be used.
            Conflict: the same request is running with another prompt or image.
            Busy: too many requests are running or waiting.
        """
        request = ChatInput.make(
            prompt,
            image=image,
            user_id=user_id,
            conversation_id=conversation_id,
            prompt_id=prompt_id,
            allow_paths=allow_paths,
        )
        running = self._running.get(request.key)
        if running is not None:
            if running.fingerprint != request.fingerprint:
                raise Conflict(f"prompt_id {prompt_id!r} is running with another prompt or picture")
            return running
        self.admission.admit(user_id)
        running = TurnHandle(request.key, request.fingerprint)
        self._running[request.key] = running
        running.task = asyncio.create_task(self._in_line(running, request))
        running.task.add_done_callback(lambda task: self._ended(running, task))
        return running

    @property
    def running_count(self) -> int:
        """How many turns are running or waiting in this process."""
        return len(self._running)

    def running(self, user_id: str, turn_id: str) -> TurnHandle | None:
        """A turn of the user that is running in this process."""
        for running in list(self._running.values()):
            if running.key.user_id == user_id and running.turn is not None and running.turn.id == turn_id:
                return running
        return None

    def _ended(self, running: TurnHandle, task: asyncio.Task[Reply]) -> None:
        self._running.pop(running.key, None)
        self.admission.leave(running.key.user_id)
        running.is_claimed.set()
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, PromptvisionError):
            log.error("turn %s failed", running.key, exc_info=error)

    async def _in_line(self, running: TurnHandle, request: ChatInput) -> Reply:
        user_id = request.key.user_id
        async with self._queue.slot(user_id, request.key.conversation_id), self.admission.slot(user_id):
            reply = await TurnSession(self, running, request).drive()
            return reply.with_images(self.open)

    # Images and single calls

    async def add_image(
        self, image: ImageInput, *, user_id: str = LOCAL_USER, allow_paths: bool = True
    ) -> IngestedImage:
        """Store an image for a user.

        Raises:
            InputError: it is not an image that can be used.
        """
        source = await to_source(image)
        if source is None or isinstance(source, ImageRef):
            raise InputError(
                "image: give the image itself", hint="a reference names one that is stored already"
            )
        ingested = await self._ingest(source, allow_paths=allow_paths)
        await call_store(self.conversations, self.conversations.add_image, user_id, ingested.id)
        return ingested

    async def take_in(
        self, image: ImageInput | None, *, user_id: str, allow_paths: bool
    ) -> IngestedImage | None:
        """An image that somebody sends, stored; one that is stored already must be theirs.

        Raises:
            InputError: it is no image that can be used.
            NotFound: it is stored and belongs to somebody else.
        """
        source = await to_source(image)
        if source is None:
            return None
        if not isinstance(source, ImageRef):
            return await self._ingest(source, allow_paths=allow_paths)
        if self.settings.api_keys:  # without keys nobody is told apart, and the id is the secret
            await self.check_owner(user_id, source.id)
        decoded = await asyncio.to_thread(self.open, source.id)
        stat = await call_store(self.images, self.images.stat, source.id)
        width, height = decoded.size
        return IngestedImage(id=source.id, media_type=stat.media_type, width=width, height=height)

    async def _ingest(self, source: bytes | str | Path, *, allow_paths: bool) -> IngestedImage:
        keep = self.runtime.pictures.keep  # the next step opens it, most likely
        return await ingest(source, self.images, allow_paths=allow_paths, settings=self.settings, keep=keep)

    async def check_owner(self, user_id: str, image_id: str) -> None:
        """Raise NotFound unless the image belongs to the user."""
        store = self.conversations
        if not await call_store(store, store.owns_image, user_id, image_id):
            raise NotFound("no such picture")

    def open(self, image_id: str) -> Image:
        """The decoded image; shared, so copy it before changing it."""
        return self.runtime.pictures.open(image_id)

    async def call_tool(
        self, operation: str, values: dict[str, Any], *, user_id: str = LOCAL_USER, allow_paths: bool = True
    ) -> Reply:
        """Run one operation without a planner; prerequisites run first, as in a turn.

        Args:
            operation: its name.
            values: arguments; images as sources (see :data:`Source`) or references.
            user_id: who will own the images.
            allow_paths: whether sources may be paths.

        Raises:
            NotFound: no such operation.
            Busy: too many requests are running or waiting.
            CallError: it could not be done.
        """
        self.admission.admit(user_id)
        try:
            async with self.admission.slot(user_id):
                reply = await call_operation(
                    self, operation, values, user_id=user_id, allow_paths=allow_paths
                )
                return reply.with_images(self.open)
        finally:
            self.admission.leave(user_id)

    # Life

    async def close_stale(self) -> int:
        """Close turns that a dead process left open; return how many. None is run again by itself."""
        for user_id, conversation_id in list(self._left_open):
            await self.end_left_open(user_id, conversation_id)
        store = self.conversations
        return await call_store(store, store.close_stale, self.settings.lease_s)

    def leave_open(self, turn: Turn) -> None:
        """Remember a turn of ours that has stopped while the store could not be told."""
        self._left_open[turn.key.user_id, turn.key.conversation_id] = turn

    async def end_left_open(self, user_id: str, conversation_id: str) -> None:
        """Mark the turn that :meth:`leave_open` keeps as interrupted: its conversation need not wait for its
        lease to be over.

        Raises:
            StoreError: the store still fails; the turn is kept.
        """
        place, store = (user_id, conversation_id), self.conversations
        turn = self._left_open.get(place)
        if turn is None:
            return
        with suppress(LeaseLost):  # it has ended after all, or somebody else has it
            await call_store(store, store.finish_turn, turn, TurnStatus.INTERRUPTED, {})
        if self._left_open.get(place) is turn:
            del self._left_open[place]

    async def drain(self, timeout_s: float) -> None:
        """Wait for the turns that run on this event loop, then stop those left and mark them interrupted."""
        loop = asyncio.get_running_loop()
        running = [one.task for one in self._running.values() if one.task is not None]
        tasks = [task for task in running if task.get_loop() is loop]
        if not tasks:
            return
        _, left = await asyncio.wait(tasks, timeout=timeout_s)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def close(self) -> None:
        """Stop running turns and release threads, connections and models; the agent cannot be used again."""
        await self.drain(0)
        if self._loop_thread.is_running:  # connections made by run_sync belong to its loop
            await asyncio.wrap_future(self._loop_thread.submit(self._release))
            await asyncio.to_thread(self._loop_thread.close)
        else:
            await self._release()

    def close_sync(self) -> None:
        """Close the agent from code without an event loop; see :meth:`close`."""
        self._loop_thread.run(self._release)
        self._loop_thread.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close_sync()

    async def _release(self) -> None:
        await self.drain(0)
        await self.planner.close()
        await self.runtime.executor.close()
        self.pool.close()
        self.conversations.close()
        self.images.close()
