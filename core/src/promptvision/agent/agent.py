"""The agent: say what you want done to a picture."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from promptvision.agent.artifacts import Artifacts
from promptvision.agent.journal import Journal, call_store
from promptvision.agent.planners import make_planner
from promptvision.agent.reply import Reply, Step
from promptvision.agent.request import ChatInput, Source
from promptvision.agent.running import Lines, RunningTurn
from promptvision.agent.steps import StepRunner
from promptvision.agent.turn import TurnLoop, recall_artifacts, recall_steps
from promptvision.agent.window import TURNS
from promptvision.conversations.store import ConversationStore
from promptvision.conversations.turn import Claim, EventKind, Turn, TurnKey, TurnStatus
from promptvision.errors import Busy, Conflict, InputError, LeaseLost, NotFound, PromptvisionError, StoreError
from promptvision.images.handles import ImageRecord, ImageTable
from promptvision.images.ingest import IngestedImage, ingest
from promptvision.images.store import ImageStore
from promptvision.llm.provider import LLMProvider
from promptvision.models.pool import ModelPool
from promptvision.plugins.registry import Registry
from promptvision.runtime.cancellation import CancelToken
from promptvision.runtime.runtime import Runtime
from promptvision.settings import Settings, load_settings
from promptvision.tools.artifacts import plain_type
from promptvision.tools.context import INPUT, MASK
from promptvision.types import ImageRef, MaskRef

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["LOCAL_USER", "Agent"]

log = logging.getLogger(__name__)

LOCAL_USER = "local"
"""Owner of everything when nobody is named."""

MAX_RUNNING = 64
"""Turns that may run or wait in one process; the next is told to come back later."""

BUSY_WAIT_S = 30.0
"""How long a request waits for another process to end the turn that is in its way."""


class Agent:
    """Runs turns: one user message and its answer.

    Every part that is not given is made of the settings: plugins from the environment, the stores and the
    executor that the settings name, and a ladder of the planners that are configured.

    Args:
        settings: default: :func:`load_settings`.
        registry: what is installed.
        planner: decides the next step.
        conversations: where turns are journaled.
        images: where pictures are.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        registry: Registry | None = None,
        planner: LLMProvider | None = None,
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
        self._owner = f"{socket.gethostname()}:{os.getpid()}"
        self._lines = Lines()
        self._running: dict[TurnKey, RunningTurn] = {}
        self.observers: list[Callable[[Reply], None]] = []
        """Told of every reply when its turn ends."""

    # Turns

    def run(self, prompt: str, *, image: Source | None = None, **ids: Any) -> Reply:
        """Run one turn and wait for it; for code without an event loop. See :meth:`chat`."""
        return asyncio.run(self.chat(prompt, image=image, **ids))

    async def chat(self, prompt: str, *, image: Source | None = None, **ids: Any) -> Reply:
        """Run one turn.

        Args:
            prompt: what is wanted, in words.
            image: the picture it is about; default: the newest of the conversation.
            ids: ``user_id``, ``conversation_id`` and ``prompt_id``, see :meth:`start`.

        Returns:
            The answer; a failed tool is an answer too.

        Raises:
            InputError: the prompt, an id or the picture cannot be used; nothing was stored.
            Conflict: this ``prompt_id`` was sent before with another prompt or picture.
            Busy: too many requests wait for this conversation.
            StoreError: a store failed.
        """
        running = self.start(prompt, image=image, **ids)
        try:
            return await running.reply()
        except asyncio.CancelledError:
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
    ) -> RunningTurn:
        """Begin a turn in the background; needs a running event loop.

        The same ``(user_id, conversation_id, prompt_id)`` is the same request: it runs once, and whoever
        asks again gets the same answer.

        Raises:
            InputError: the prompt or an id cannot be used.
            Conflict: the same request is running with another prompt or picture.
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
        if len(self._running) >= MAX_RUNNING:
            raise Busy(f"{MAX_RUNNING} requests are running or waiting already", retry_after_s=5)
        running = RunningTurn(request.key, request.fingerprint)
        self._running[request.key] = running
        running.task = asyncio.create_task(self._drive(running, request))
        running.task.add_done_callback(lambda task: self._ended(running, task))
        return running

    @property
    def running_count(self) -> int:
        """How many turns are running or waiting in this process."""
        return len(self._running)

    def running(self, user_id: str, turn_id: str) -> RunningTurn | None:
        """A turn of the user that is running in this process."""
        for running in self._running.values():
            if running.key.user_id == user_id and running.turn is not None and running.turn.id == turn_id:
                return running
        return None

    def _ended(self, running: RunningTurn, task: asyncio.Task[Reply]) -> None:
        self._running.pop(running.key, None)
        running.is_claimed.set()
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, PromptvisionError):
            log.error("turn %s failed", running.key, exc_info=error)

    async def _drive(self, running: RunningTurn, request: ChatInput) -> Reply:
        key = request.key
        async with self._lines.place(key.user_id, key.conversation_id):
            try:
                ingested = await self._ingest(request.image, request.allow_paths, key.user_id)
            except InputError:
                if (stored := await self._stored_reply(request)) is not None:
                    return stored
                raise
            turn = await self._claim(request)
            running.turn = turn
            running.is_claimed.set()
            if turn.claim is Claim.DONE and turn.reply is not None:
                return Reply.from_stored(turn.reply)
            with self._heartbeat(turn, running.cancel):
                return await self._run_turn(turn, ingested, running)

    async def _claim(self, request: ChatInput) -> Turn:
        """Claim the turn, waiting a while if another process is at work in the conversation."""
        store, pause, waited = self.conversations, 0.02, 0.0
        while True:
            turn = await call_store(
                store,
                store.claim_turn,
                request.key,
                prompt=request.prompt,
                fingerprint=request.fingerprint,
                owner=self._owner,
                lease_s=self.settings.lease_s,
            )
            if turn.claim is not Claim.BUSY:
                return turn
            if waited > BUSY_WAIT_S:
                raise Busy("another turn of this conversation is running elsewhere", retry_after_s=5)
            await asyncio.sleep(pause)
            waited, pause = waited + pause, min(pause * 1.5, 0.5)

    async def _stored_reply(self, request: ChatInput) -> Reply | None:
        """The stored answer to an ended request whose picture cannot be had any more."""
        key, store = request.key, self.conversations
        turns = await call_store(store, store.history, key.user_id, key.conversation_id, TURNS)
        for turn in turns:
            if turn.key == key and turn.fingerprint == request.fingerprint and turn.status is TurnStatus.DONE:
                return Reply.from_stored(turn.reply or {})
        return None

    async def _run_turn(self, turn: Turn, ingested: IngestedImage | None, running: RunningTurn) -> Reply:
        journal = Journal(self.conversations, turn, running.listeners)
        try:
            reply = await self._converse(turn, ingested, running, journal)
            await call_store(
                self.conversations, self.conversations.finish_turn, turn, reply.status, reply.stored()
            )
        except LeaseLost as exc:
            raise Busy(f"turn {turn.id}: another process has taken it over", retry_after_s=2) from exc
        except asyncio.CancelledError:
            running.cancel.cancel("the process is stopping")
            self._close_interrupted(turn)
            raise
        for observer in self.observers:
            observer(reply)
        return reply

    def _close_interrupted(self, turn: Turn) -> None:
        try:
            self.conversations.finish_turn(turn, TurnStatus.INTERRUPTED, {})
        except StoreError as exc:
            log.warning("turn %s stays open until its lease is over: %s", turn.id, exc)

    async def _converse(
        self, turn: Turn, ingested: IngestedImage | None, running: RunningTurn, journal: Journal
    ) -> Reply:
        key, store = turn.key, self.conversations
        turns = await call_store(store, store.history, key.user_id, key.conversation_id, TURNS + 1)
        records = await call_store(store, store.images, key.user_id, key.conversation_id)
        table = ImageTable(records)
        if ingested is not None and not any(_is_given(record, turn) for record in records):
            record = table.add(ingested.id, INPUT, None, "", ingested.width, ingested.height, turn.seq)
            await journal.write((EventKind.IMAGE, asdict(record), ingested.id))
        closed = await self._close_open_steps(turn, journal)
        deadline = time.monotonic() + self.settings.turn_timeout_s
        runner = self._runner(
            table, recall_artifacts(turns, self.registry), running, deadline, turn.seq, journal
        )
        _restore(runner, turn, closed, records)
        earlier = [old for old in turns if old.seq < turn.seq and old.status is not TurnStatus.RUNNING]
        loop = TurnLoop(
            turn,
            earlier,
            registry=self.registry,
            planner=self.planner,
            runner=runner,
            journal=journal,
            settings=self.settings,
            started_from=_started_from(table, turn),
            deadline=deadline,
        )
        return await loop.run()

    def _runner(
        self,
        table: ImageTable,
        artifacts: Artifacts,
        running: RunningTurn | None,
        deadline: float,
        turn_seq: int = 0,
        journal: Journal | None = None,
    ) -> StepRunner:
        loop = asyncio.get_running_loop()

        def progress(step: int, done: float, total: float, message: str) -> None:
            if running is not None and running.progress_listeners:
                loop.call_soon_threadsafe(running.tell_progress, step, done, total, message)

        return StepRunner(
            self.registry,
            self.runtime,
            table,
            artifacts,
            cancel=running.cancel if running else CancelToken(),
            deadline=deadline,
            max_calls=self.settings.max_tool_calls,
            turn_seq=turn_seq,
            journal=journal,
            on_progress=progress,
        )

    async def _close_open_steps(self, turn: Turn, journal: Journal) -> list[Step]:
        """Close the steps that an interruption left open; whether they ran is not known."""
        closed: list[Step] = []
        finished = {e.data["step"] for e in turn.events if e.kind is EventKind.STEP_FINISHED}
        for event in turn.events:
            if event.kind is EventKind.STEP_STARTED and event.data["step"] not in finished:
                names = {name: event.data[name] for name in ("operation", "tool", "plugin", "arguments")}
                step = Step(**names, status="interrupted", message="the process was stopped in this step")
                closed.append(step)
                await journal.write(
                    (EventKind.STEP_FINISHED, {"step": event.data["step"], **asdict(step)}, None)
                )
        return closed

    @contextmanager
    def _heartbeat(self, turn: Turn, cancel: CancelToken) -> Iterator[None]:
        """Keep the claim alive while a long step runs; stop the turn if it is lost."""

        async def beat() -> None:
            while True:
                await asyncio.sleep(self.settings.lease_s / 3)
                try:
                    await call_store(self.conversations, self.conversations.beat, turn)
                except LeaseLost:
                    cancel.cancel("another process has taken the turn over")
                    return
                except StoreError as exc:
                    log.warning("turn %s: no heartbeat: %s", turn.id, exc)

        task = asyncio.create_task(beat())
        try:
            yield
        finally:
            task.cancel()

    # Pictures and single calls

    async def add_image(
        self, source: bytes | str | Path, *, user_id: str = LOCAL_USER, allow_paths: bool = True
    ) -> IngestedImage:
        """Store a picture for a user.

        Raises:
            InputError: it is no picture that can be used.
        """
        ingested = await ingest(source, self.images, allow_paths=allow_paths, settings=self.settings)
        await call_store(self.conversations, self.conversations.add_image, user_id, ingested.id)
        return ingested

    async def _ingest(self, source: Source | None, allow_paths: bool, user_id: str) -> IngestedImage | None:
        if source is None:
            return None
        if isinstance(source, ImageRef):
            return await self._owned(source, user_id)
        return await ingest(source, self.images, allow_paths=allow_paths, settings=self.settings)

    async def _owned(self, ref: ImageRef, user_id: str) -> IngestedImage:
        """A picture that is in the store already and belongs to the user."""
        if self.settings.api_keys:  # without keys nobody is told apart, and the id is the secret
            await self.check_owner(user_id, ref.id)
        image = await asyncio.to_thread(self.open, ref.id)
        stat = await call_store(self.images, self.images.stat, ref.id)
        return IngestedImage(id=ref.id, media_type=stat.media_type, width=image.width, height=image.height)

    async def check_owner(self, user_id: str, image_id: str) -> None:
        """Raise NotFound unless the picture belongs to the user."""
        store = self.conversations
        if not await call_store(store, store.owns_image, user_id, image_id):
            raise NotFound("no such picture")

    def open(self, image_id: str) -> Image:
        """The decoded picture; shared, so copy it before changing it."""
        return self.runtime.pictures.open(image_id)

    def save(self, reply: Reply, path: str | Path) -> bool:
        """Write the picture of a reply in the format that the file name says; False when it has none."""
        if reply.picture is None:
            return False
        self.open(reply.picture).save(path)
        return True

    async def call_tool(
        self, operation: str, values: dict[str, Any], *, user_id: str = LOCAL_USER, allow_paths: bool = True
    ) -> Reply:
        """Run one operation without a planner; prerequisites run first, as in a turn.

        Args:
            operation: its name.
            values: arguments; pictures as sources (see :data:`Source`) or references.
            user_id: who will own the pictures.
            allow_paths: whether sources may be paths.

        Raises:
            NotFound: no such operation.
            CallError: it could not be done.
        """
        known = self.registry.operations.get(operation)
        if known is None:
            names = ", ".join(sorted(self.registry.operations))
            raise NotFound(f"no operation {operation!r}", hint=f"the operations are: {names}")
        table = ImageTable([])
        given = await self._ingest_arguments(operation, values, table, allow_paths, user_id)
        deadline = time.monotonic() + self.settings.turn_timeout_s
        runner = self._runner(table, Artifacts(), None, deadline)
        result, _ = await runner.perform(operation, given, call_id="direct")
        for image in runner.images:
            await call_store(self.conversations, self.conversations.add_image, user_id, image["id"])
        return Reply(
            text_response=result.summary(),
            image_url=table.records[0].image_id if table.records else None,
            steps=tuple(runner.steps),
            images=tuple(runner.images),
            turn_id="",
            conversation_id="",
            prompt_id="",
            status=TurnStatus.DONE,
            planner="",
        )

    async def _ingest_arguments(
        self, operation: str, values: dict[str, Any], table: ImageTable, allow_paths: bool, user_id: str
    ) -> dict[str, Any]:
        """Values with each picture stored, entered in the table and given as a reference."""
        given = dict(values)
        for tool in self.registry.candidates(operation)[:1]:
            for name, field in tool.args.model_fields.items():
                kind = plain_type(field.annotation)
                if kind not in (ImageRef, MaskRef) or given.get(name) is None:
                    continue
                stored = await self._ingest(given[name], allow_paths, user_id)
                if stored is not None:
                    role = MASK if kind is MaskRef else INPUT
                    table.add(stored.id, role, None, "", stored.width, stored.height, 0)
                    given[name] = kind(stored.id)
        return given

    # Life

    async def close_stale(self) -> int:
        """Close turns that a dead process left open; return how many. None is run again by itself."""
        store = self.conversations
        return await call_store(store, store.close_stale, self.settings.lease_s)

    async def drain(self, timeout_s: float) -> None:
        """Wait for running turns, then stop those that are left and mark them interrupted."""
        tasks = [running.task for running in self._running.values() if running.task is not None]
        if not tasks:
            return
        _, left = await asyncio.wait(tasks, timeout=timeout_s)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def close(self) -> None:
        """Give back threads, connections and models. The agent is not used afterwards."""
        await self.drain(0)
        await self.planner.close()
        await self.runtime.executor.close()
        self.pool.close()
        self.conversations.close()
        self.images.close()


def _is_given(record: ImageRecord, turn: Turn) -> bool:
    """Whether a picture is the one that the user sent with this turn."""
    return record.turn_seq == turn.seq and not record.maker


def _started_from(table: ImageTable, turn: Turn) -> str | None:
    """The picture that a turn starts from: the one sent with it, else the newest of the turns before."""
    before = [record for record in table.records if record.turn_seq < turn.seq or not record.maker]
    current = ImageTable(before).current
    return current.image_id if current else None


def _restore(runner: StepRunner, turn: Turn, closed: list[Step], records: list[ImageRecord]) -> None:
    """Give a runner the steps and pictures of the try that was interrupted."""
    runner.steps.extend([*recall_steps(turn.events), *closed])
    runner.images.extend(
        {"id": record.image_id, "handle": record.handle, "kind": record.kind}
        for record in records
        if record.turn_seq == turn.seq and record.maker
    )
