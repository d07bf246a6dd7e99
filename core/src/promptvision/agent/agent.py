"""The agent: runs turns, stores images and calls tools."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Self

from promptvision.agent.approvals import Answer, Approval, open_questions
from promptvision.agent.events.agui import AguiEvent
from promptvision.agent.events.follow import Cursor, StreamEvent, follow
from promptvision.agent.image_input import ImageInput, to_source
from promptvision.agent.images import ImageIntake
from promptvision.agent.loop_thread import LoopThread
from promptvision.agent.operation import call_operation
from promptvision.agent.reply import Reply
from promptvision.agent.request import LOCAL_USER, ChatInput, Source
from promptvision.agent.services import AgentServices
from promptvision.agent.turns.admission import Admission
from promptvision.agent.turns.handle import TurnHandle
from promptvision.agent.turns.running import RunningTurns
from promptvision.agent.turns.session import Observer
from promptvision.conversations.store import ConversationStore, clean_text
from promptvision.errors import NotFound
from promptvision.images.ingest import IngestedImage
from promptvision.images.store import ImageStore
from promptvision.llm.planner import Planner
from promptvision.plugins.middleware import Middleware
from promptvision.plugins.registry import Registry
from promptvision.settings import Settings, load_settings
from promptvision.tools.decorator import ToolLike
from promptvision.types import Box

if TYPE_CHECKING:
    from pathlib import Path

    from PIL.Image import Image

__all__ = ["LOCAL_USER", "Agent"]


class Agent:
    """Runs turns: one user message and its answer.

    Parts that are not passed are created from the settings: plugins from the environment, the stores and the
    executor that the settings name, and the configured planners, each as a fallback for the one before.

    Args:
        settings: default: :func:`load_settings`.
        registry: the installed plugins and tools; default: all plugins of the environment.
        tools: tools of the application, or functions decorated with ``@tool``, in addition to those of the
            plugins.
        middleware: middleware of the application, in addition to that of the plugins.
        planner: decides the next step.
        conversations: where turns are journaled.
        images: where images are stored.
        admission: how many turns of a user and of all users may run or wait.

    Raises:
        PluginError: a tool of the application breaks its contract or clashes with another one.
        SetupError: a part that the settings name cannot be created.
        ValueError: both ``registry`` and ``tools`` are given.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        registry: Registry | None = None,
        tools: Sequence[ToolLike] = (),
        middleware: Sequence[Middleware] = (),
        planner: Planner | None = None,
        conversations: ConversationStore | None = None,
        images: ImageStore | None = None,
        admission: Admission | None = None,
    ) -> None:
        if registry is not None and tools:
            raise ValueError("give either tools or a registry; Registry.load() takes tools too")
        settings = settings or (registry.settings if registry else load_settings())
        self.settings = settings
        self.registry = registry or Registry.load(settings, tools=tools)
        self.services = AgentServices.create(
            settings,
            self.registry,
            planner=planner,
            conversations=conversations,
            images=images,
            middleware=middleware,
        )
        self.observers: list[Observer] = []
        """Called with every reply when its turn ends."""
        self.admission = admission or Admission()
        self._intake = ImageIntake(self.services)
        self._turns = RunningTurns(self.services, self._intake, self.admission, self.observers)
        self._loop_thread = LoopThread("promptvision-agent")
        weakref.finalize(self, self._loop_thread.close)

    @property
    def conversations(self) -> ConversationStore:
        """Where turns are journaled; its methods may block."""
        return self.services.conversations.store

    @property
    def images(self) -> ImageStore:
        """Where images are stored; its methods may block."""
        return self.services.images.store

    async def run(
        self,
        prompt: str,
        *,
        image: ImageInput | None = None,
        mask: ImageInput | None = None,
        user_id: str = LOCAL_USER,
        conversation_id: str | None = None,
        prompt_id: str | None = None,
    ) -> Reply:
        """Run one turn. Cancelling the call stops the turn at its next check point.

        Args:
            prompt: the user's message.
            image: the image it is about; default: the newest of the conversation.
            mask: the part of the image that it is about, 0 keep and 255 edit, selected by hand; it replaces
                the search for what the prompt names.
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
        handle = self.start(
            prompt,
            image=await to_source(image),
            mask=await to_source(mask),
            user_id=user_id,
            conversation_id=conversation_id,
            prompt_id=prompt_id,
        )
        try:
            return await handle.reply()
        except asyncio.CancelledError:
            handle.cancel.cancel("the caller left")
            raise

    def run_sync(
        self,
        prompt: str,
        *,
        image: ImageInput | None = None,
        mask: ImageInput | None = None,
        user_id: str = LOCAL_USER,
        conversation_id: str | None = None,
        prompt_id: str | None = None,
    ) -> Reply:
        """Run one turn and block until it ends; see :meth:`run` for arguments and errors.

        The turn runs on an event loop in a thread that the agent owns, so this also works where an event loop
        is already running, as in a notebook, and from several threads at once.
        """
        return self._loop_thread.run(
            lambda: self.run(
                prompt,
                image=image,
                mask=mask,
                user_id=user_id,
                conversation_id=conversation_id,
                prompt_id=prompt_id,
            )
        )

    async def stream(
        self,
        prompt: str,
        *,
        image: ImageInput | None = None,
        mask: ImageInput | None = None,
        user_id: str = LOCAL_USER,
        conversation_id: str | None = None,
        prompt_id: str | None = None,
    ) -> AsyncGenerator[AguiEvent, None]:
        """Run one turn and yield its AG-UI events as they happen; see :meth:`run` for arguments and errors.

        The last event is ``RUN_FINISHED``, with the reply document as its ``result``, or ``RUN_ERROR``.
        Closing the generator before that stops the turn.
        """
        handle = self.start(
            prompt,
            image=await to_source(image),
            mask=await to_source(mask),
            user_id=user_id,
            conversation_id=conversation_id,
            prompt_id=prompt_id,
        )
        handle.live_reply.has_subscribers = handle.approvals.can_ask = True
        try:
            await handle.is_claimed.wait()
            if handle.turn is None:
                await handle.reply()  # raises why the turn did not begin
                return
            async with aclosing(self.follow(user_id, handle.turn.id, self.images.url)) as events:
                async for streamed in events:
                    yield streamed.event
        except (asyncio.CancelledError, GeneratorExit):
            handle.cancel.cancel("the caller left")
            raise

    def start(
        self,
        prompt: str,
        *,
        image: Source | None = None,
        mask: Source | None = None,
        boxes: Sequence[Box] = (),
        user_id: str = LOCAL_USER,
        conversation_id: str | None = None,
        prompt_id: str | None = None,
        allow_paths: bool = True,
        planner: Planner | None = None,
    ) -> TurnHandle:
        """Start a turn in the background; needs a running event loop.

        ``mask`` and ``boxes`` select the part of the image that the prompt is about. ``planner`` replaces the
        agent's planner for this turn, for example to make one known call.

        The same ``(user_id, conversation_id, prompt_id)`` is the same request: it runs once, and sending it
        again gives the same reply.

        Raises:
            InputError: the prompt or an id cannot be used.
            Conflict: the same request is running with another prompt or image.
            Busy: too many requests are running or waiting.
        """
        return self._turns.start(
            ChatInput.make(
                prompt,
                image=image,
                mask=mask,
                boxes=boxes,
                user_id=user_id,
                conversation_id=conversation_id,
                prompt_id=prompt_id,
                allow_paths=allow_paths,
                planner=planner,
            )
        )

    def follow(
        self, user_id: str, turn_id: str, show: Callable[[str], str], *, after: Cursor | None = None
    ) -> AsyncGenerator[StreamEvent, None]:
        """Replay the events of a turn and follow it to its end.

        Args:
            user_id: the owner of the turn.
            turn_id: the turn.
            show: maps an image id to the URL that the reader can open.
            after: the position to resume from; default: the beginning.

        Raises:
            NotFound: the user has no such turn.
        """
        return follow(self._turns, user_id, turn_id, show, after=after)

    @property
    def running_count(self) -> int:
        """Number of turns that are running or waiting in this process."""
        return len(self._turns)

    def running(self, user_id: str, turn_id: str) -> TurnHandle | None:
        """A turn of the user that is running in this process."""
        return self._turns.find(user_id, turn_id)

    def answer(
        self, user_id: str, turn_id: str, approval_id: str, *, approved: bool, reason: str = ""
    ) -> None:
        """Answer the question of a running turn whether a step may run. Safe across threads.

        Args:
            user_id: the owner of the turn.
            turn_id: the turn.
            approval_id: of the question, as in its event.
            approved: whether the step may run.
            reason: why not.

        Raises:
            NotFound: the user has no such turn here, or no such question waits for an answer.
        """
        handle = self.running(user_id, turn_id)
        if handle is None:
            raise NotFound("no such turn runs here")
        handle.approvals.answer(approval_id, Answer(approved, clean_text(reason)[:500]))

    async def open_approvals(self, user_id: str, turn_id: str) -> list[Approval]:
        """The questions of a turn that wait for an answer, whichever process runs it.

        Raises:
            NotFound: the user has no such turn.
        """
        if (handle := self.running(user_id, turn_id)) is not None:
            return handle.approvals.pending
        turn = await self.services.conversations.turn(user_id, turn_id)
        if turn is None:
            raise NotFound("no such turn")
        return open_questions(turn)

    async def answer_anywhere(
        self, user_id: str, turn_id: str, approval_id: str, *, approved: bool, reason: str = ""
    ) -> None:
        """Answer the question of a turn that may run in another process with the same conversation store.

        That process reads the answer within a second or two. Of several answers the first one counts.

        Args:
            user_id: the owner of the turn.
            turn_id: the turn.
            approval_id: of the question.
            approved: whether the step may run.
            reason: why not.

        Raises:
            NotFound: the user has no such turn, or no such question waits for an answer.
        """
        if self.running(user_id, turn_id) is not None:
            self.answer(user_id, turn_id, approval_id, approved=approved, reason=reason)
            return
        waiting = {one.approval_id for one in await self.open_approvals(user_id, turn_id)}
        answer = Answer(approved, clean_text(reason)[:500]).stored()
        record = self.services.conversations.record_answer
        if approval_id not in waiting or not await record(user_id, turn_id, approval_id, answer):
            raise NotFound(f"no question {approval_id[:64]!r} waits for an answer")

    async def add_image(
        self, image: ImageInput, *, user_id: str = LOCAL_USER, allow_paths: bool = True
    ) -> IngestedImage:
        """Store an image for a user.

        Raises:
            InputError: it is not an image that can be used.
        """
        return await self._intake.upload(image, user_id=user_id, allow_paths=allow_paths)

    async def check_owner(self, user_id: str, image_id: str) -> None:
        """Raise NotFound unless the image belongs to the user."""
        await self._intake.check_owner(user_id, image_id)

    def open(self, image_id: str) -> Image:
        """The decoded image; shared, so copy it before changing it. May wait for the image store."""
        return self.services.open_image(image_id)

    def save(self, image_id: str, path: str | Path) -> None:
        """Write an image to a file in the format of its extension; as it is stored, if that is its format.

        Raises:
            InputError: the name has no known extension, or the file cannot be written.
        """
        self.services.save_image(image_id, path)

    async def call_tool(
        self,
        operation: str,
        values: dict[str, Any],
        *,
        user_id: str = LOCAL_USER,
        allow_paths: bool = True,
    ) -> Reply:
        """Run one operation without a planner; prerequisites run first, as in a turn.

        Args:
            operation: its name, or ``plugin:tool`` for one tool.
            values: arguments; images in any form of :data:`~promptvision.agent.image_input.ImageInput`.
            user_id: owner of the images.
            allow_paths: whether images may be paths.

        Raises:
            NotFound: there is no such operation.
            Busy: too many requests are running or waiting.
            CallError: no tool could do it.
        """
        async with self.admission.admitted(user_id):
            with self.services.in_flight.request():
                return await call_operation(
                    self.services, self._intake, operation, values, user_id=user_id, allow_paths=allow_paths
                )

    async def close_stale(self) -> int:
        """Close turns that dead processes left open and return their number. They are not restarted."""
        return await self._turns.interrupted.close_stale()

    async def drain(self, timeout_s: float) -> None:
        """Wait for the turns on this event loop, then stop the remaining ones and mark them interrupted."""
        await self._turns.drain(timeout_s)

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
        await self.services.close()
