"""Driving one request from its claim to its stored reply."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

from promptvision.agent.calls.runner import StepRunner
from promptvision.agent.journal import Journal, call_store
from promptvision.agent.planning.history import TURNS
from promptvision.agent.reply import Reply, Step
from promptvision.agent.turns.loop import TurnLoop, recall_artifacts, recall_steps
from promptvision.conversations.turn import Claim, EventKind, Turn, TurnStatus
from promptvision.errors import Busy, LeaseLost, StoreError
from promptvision.images.handles import ImageRecord, ImageTable
from promptvision.images.ingest import IngestedImage
from promptvision.plugins.observers import guarded
from promptvision.tools.context import INPUT

if TYPE_CHECKING:
    from promptvision.agent.agent import Agent
    from promptvision.agent.request import ChatInput
    from promptvision.agent.turns.handle import TurnHandle

__all__ = ["TurnSession"]

log = logging.getLogger(__name__)

BUSY_WAIT_S = 30.0
"""How long a request waits for another process to end the turn that is in its way."""


class TurnSession:
    """Claims a turn, keeps the claim alive, runs the loop, and ends the turn in the store.

    Args:
        agent: whose stores, tools and planner are used.
        running: where readers listen, and where the wish to stop is left.
        request: what was asked.
    """

    def __init__(self, agent: Agent, running: TurnHandle, request: ChatInput) -> None:
        self._agent = agent
        self._running = running
        self._request = request
        self._store = agent.conversations
        self._settings = agent.settings

    async def drive(self) -> Reply:
        """Run the request once, or return its stored answer.

        Raises:
            InputError: the image cannot be used; nothing was stored.
            Conflict: the request was sent before with another prompt or image.
            Busy: another process is at work in the conversation, or has taken the turn over.
            StoreError: a store failed.
        """
        request, key = self._request, self._request.key
        given = None
        if request.image is not None and not await self._is_repeat():
            given = await self._agent.take_in(
                request.image, user_id=key.user_id, allow_paths=request.allow_paths
            )
        turn = await self._claim()
        self._running.turn = turn
        self._running.is_claimed.set()
        if turn.claim is Claim.DONE and turn.reply is not None:
            return Reply.from_stored(turn.reply)
        with self._heartbeat(turn):
            return await self._run(turn, given)

    async def _claim(self) -> Turn:
        """Claim the turn, waiting a while if another process is at work in the conversation."""
        key, pause, waited = self._request.key, 0.02, 0.0
        await self._agent.end_left_open(key.user_id, key.conversation_id)
        while True:
            turn = await call_store(
                self._store,
                self._store.claim_turn,
                key,
                prompt=self._request.prompt,
                fingerprint=self._request.fingerprint,
                owner=self._agent.owner,
                lease_s=self._settings.lease_s,
            )
            if turn.claim is not Claim.BUSY:
                return turn
            if waited > BUSY_WAIT_S:
                raise Busy("another turn of this conversation is running elsewhere", retry_after_s=5)
            await asyncio.sleep(pause)
            waited, pause = waited + pause, min(pause * 1.5, 0.5)

    async def _is_repeat(self) -> bool:
        """Whether the image need not be read: an earlier try has stored it, or the claim will be refused."""
        turn = await call_store(self._store, self._store.find_turn, self._request.key)
        if turn is None:
            return False
        is_other = turn.fingerprint != self._request.fingerprint
        return is_other or bool(turn.reply) or any(e.kind is EventKind.IMAGE for e in turn.events)

    async def _run(self, turn: Turn, given: IngestedImage | None) -> Reply:
        registry = self._agent.registry
        await registry.availability.refresh()
        self._running.listeners.extend(guarded(observer, turn) for observer in registry.observers)
        journal = Journal(self._store, turn, self._running.listeners)
        try:
            reply = await self._converse(turn, given, journal)
            await journal.end(reply.status, reply.stored())
        except LeaseLost as exc:
            raise Busy(f"turn {turn.id}: another process has taken it over", retry_after_s=2) from exc
        except StoreError:
            self._agent.leave_open(turn)
            raise
        except BaseException:  # a bug or the end of the process: the turn must not stay open for that
            self._running.cancel.cancel("the process is stopping")
            self._close_interrupted(journal)
            raise
        for observer in self._agent.observers:
            observer(reply)
        return reply

    def _close_interrupted(self, journal: Journal) -> None:
        try:
            journal.break_off()
        except StoreError as exc:
            log.warning("turn %s stays open until its lease is over: %s", journal.turn.id, exc)

    async def _converse(self, turn: Turn, given: IngestedImage | None, journal: Journal) -> Reply:
        agent = self._agent
        turns, records = await self._recall(turn)
        table = ImageTable(records)
        if given is not None and not any(_is_given(record, turn) for record in records):
            record = table.add(given.id, INPUT, None, "", given.width, given.height, turn.seq)
            journal.post((EventKind.IMAGE, asdict(record), given.id))
        closed = await _close_open_steps(turn, journal)
        deadline = time.monotonic() + self._settings.turn_timeout_s
        runner = StepRunner(
            agent.registry,
            agent.runtime,
            table,
            recall_artifacts(turns, agent.registry),
            cancel=self._running.cancel,
            deadline=deadline,
            max_calls=self._settings.max_tool_calls,
            turn_seq=turn.seq,
            journal=journal,
            on_progress=self._running.progress_from_thread(),
        )
        _restore(runner, turn, closed, records)
        return await TurnLoop(
            turn,
            [old for old in turns if old.seq < turn.seq and old.status is not TurnStatus.RUNNING],
            registry=agent.registry,
            planner=agent.planner,
            runner=runner,
            journal=journal,
            speech=self._running.speech,
            settings=self._settings,
            started_from=_started_from(table, turn),
            deadline=deadline,
        ).run()

    async def _recall(self, turn: Turn) -> tuple[list[Turn], list[ImageRecord]]:
        """The last turns and all images of the conversation; a new one has none."""
        if turn.seq == 1 and turn.claim is Claim.NEW:
            return [], []
        store, place = self._store, (turn.key.user_id, turn.key.conversation_id)
        turns = await call_store(store, store.history, *place, TURNS + 1)
        return turns, await call_store(store, store.images, *place)

    @contextmanager
    def _heartbeat(self, turn: Turn) -> Iterator[None]:
        """Keep the claim alive while a long step runs; stop the turn if it is lost."""

        pause_s = self._settings.lease_s / 3

        async def beat() -> None:
            while True:
                try:
                    await call_store(self._store, self._store.beat, turn)
                except LeaseLost:
                    self._running.cancel.cancel("another process has taken the turn over")
                    return
                except StoreError as exc:
                    log.warning("turn %s: no heartbeat: %s", turn.id, exc)
                await asyncio.sleep(pause_s)

        tasks: list[asyncio.Task[None]] = []
        begin = asyncio.get_running_loop().call_later(
            pause_s, lambda: tasks.append(asyncio.create_task(beat()))
        )
        try:
            yield
        finally:
            begin.cancel()
            for task in tasks:
                task.cancel()


async def _close_open_steps(turn: Turn, journal: Journal) -> list[Step]:
    """Close the steps that an interruption left open; whether they ran is not known."""
    closed: list[Step] = []
    finished = {event.data["step"] for event in turn.events if event.kind is EventKind.STEP_FINISHED}
    for event in turn.events:
        if event.kind is EventKind.STEP_STARTED and event.data["step"] not in finished:
            names = {name: event.data[name] for name in ("operation", "tool", "plugin", "arguments")}
            step = Step(**names, status="interrupted", message="the process was stopped in this step")
            closed.append(step)
            await journal.write((EventKind.STEP_FINISHED, {"step": event.data["step"], **asdict(step)}, None))
    return closed


def _is_given(record: ImageRecord, turn: Turn) -> bool:
    """Whether an image is the one that the user sent with this turn."""
    return record.turn_seq == turn.seq and not record.maker


def _started_from(table: ImageTable, turn: Turn) -> str | None:
    """The image that a turn starts from: the one sent with it, else the newest of the turns before."""
    before = [record for record in table.records if record.turn_seq < turn.seq or not record.maker]
    current = ImageTable(before).current
    return current.image_id if current else None


def _restore(runner: StepRunner, turn: Turn, closed: list[Step], records: list[ImageRecord]) -> None:
    """Give a runner the steps and images of the try that was interrupted."""
    runner.steps.extend([*recall_steps(turn.events), *closed])
    runner.images.extend(
        {"id": record.image_id, "handle": record.handle, "kind": record.kind}
        for record in records
        if record.turn_seq == turn.seq and record.maker
    )
