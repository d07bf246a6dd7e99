"""One request from its claim to its stored reply."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial

from promptvision.agent.calls.artifacts import Artifacts
from promptvision.agent.calls.record import StepRecord
from promptvision.agent.calls.runner import StepRunner
from promptvision.agent.images import ImageIntake
from promptvision.agent.journal import Journal
from promptvision.agent.middleware import TurnMiddleware
from promptvision.agent.planning.history import TURNS
from promptvision.agent.reply import MadeImage, Reply
from promptvision.agent.request import ChatInput
from promptvision.agent.services import AgentServices
from promptvision.agent.turns.activity import TurnActivity
from promptvision.agent.turns.handle import TurnHandle
from promptvision.agent.turns.heartbeat import Heartbeat
from promptvision.agent.turns.loop import TurnLoop
from promptvision.agent.turns.records import records_near
from promptvision.agent.turns.recovery import InterruptedTurns, artifacts_of, close_open_steps, steps_of
from promptvision.conversations.turn import Claim, EventKind, Turn, TurnStatus
from promptvision.errors import Busy, LeaseLost, StoreError
from promptvision.images.handles import ImageRecord, ImageTable
from promptvision.images.ingest import IngestedImage
from promptvision.logs import current_turn
from promptvision.plugins.observers import guarded
from promptvision.tools.context import INPUT, MASK
from promptvision.types import Box, MaskRef

__all__ = ["Observer", "TurnSession"]

log = logging.getLogger(__name__)

Observer = Callable[[Reply], None]
"""Called with the reply of a turn once it is stored."""

BUSY_WAIT_S = 30.0
"""How long a request waits for another turn of its conversation that runs in another process."""


class TurnSession:
    """Claims a turn, keeps the claim alive, runs the loop, and ends the turn in the store.

    Args:
        services: stores, tools and planner.
        intake: stores the image of the request.
        interrupted: turns of this process that could not be ended.
        handle: where readers subscribe and where cancellation is requested.
        request: the request.
        observers: called with the reply.
    """

    def __init__(
        self,
        services: AgentServices,
        intake: ImageIntake,
        interrupted: InterruptedTurns,
        handle: TurnHandle,
        request: ChatInput,
        observers: Sequence[Observer] = (),
    ) -> None:
        self._services = services
        self._intake = intake
        self._interrupted = interrupted
        self._handle = handle
        self._request = request
        self._observers = observers
        self._conversations = services.conversations
        self._settings = services.settings

    async def run(self, activity: TurnActivity | None) -> Reply:
        """Run the request once, or return its stored reply.

        Args:
            activity: gets the id of the turn; None if there are no instruments.

        Raises:
            InputError: the image cannot be used; nothing was stored.
            Conflict: the request was sent before with another prompt or image.
            Busy: another process runs a turn of the conversation, or has taken this one over.
            StoreError: a store failed.
        """
        image, mask = await self._store_images()
        turn = await self._claim()
        self._handle.turn = turn
        self._handle.is_claimed.set()
        if activity is not None:
            activity.turn_id = turn.id
        current_turn.set(turn.id)  # for the log lines of this task and what it starts
        if turn.claim is Claim.DONE and turn.reply is not None:
            return Reply.from_stored(turn.reply).with_images(
                self._services.open_image, self._services.save_image
            )
        with Heartbeat(self._conversations, turn, self._handle.cancel, self._settings.lease_s):
            reply = await self._run_claimed(turn, image, mask)
        self._notify(reply)
        return reply

    async def _store_images(self) -> tuple[IngestedImage | None, IngestedImage | None]:
        """The stored image and mask of the request; None if missing or stored by an earlier try."""
        request = self._request
        mask = request.selection.mask
        if (request.image is None and mask is None) or await self._is_repeat():
            return None, None
        user_id, allow_paths = request.key.user_id, request.allow_paths
        image = await self._intake.admit(request.image, user_id=user_id, allow_paths=allow_paths)
        return image, await self._intake.admit(mask, user_id=user_id, allow_paths=allow_paths)

    async def _is_repeat(self) -> bool:
        """Whether the image need not be read: an earlier try has stored it, or the claim will be refused."""
        turn = await self._conversations.find_turn(self._request.key)
        if turn is None:
            return False
        is_other = turn.fingerprint != self._request.fingerprint
        return is_other or bool(turn.reply) or any(e.kind is EventKind.IMAGE for e in turn.events)

    async def _claim(self) -> Turn:
        """Claim the turn, waiting if another process runs it, and a while if it runs an earlier one."""
        key, pause, waited = self._request.key, 0.02, 0.0
        await self._interrupted.close(key.user_id, key.conversation_id)
        while True:
            turn = await self._conversations.claim_turn(
                key,
                prompt=self._request.prompt,
                fingerprint=self._request.fingerprint,
                owner=self._services.owner,
                lease_s=self._settings.lease_s,
            )
            if turn.claim is not Claim.BUSY:
                return turn
            limit = BUSY_WAIT_S + (self._settings.turn_timeout_s if turn.key == key else 0.0)
            if waited > limit:
                raise Busy("another turn of this conversation is running elsewhere", retry_after_s=5)
            await asyncio.sleep(pause)
            waited, pause = waited + pause, min(pause * 1.5, 0.5)

    async def _run_claimed(
        self, turn: Turn, image: IngestedImage | None, mask: IngestedImage | None
    ) -> Reply:
        registry = self._services.registry
        await registry.availability.refresh()
        self._handle.listeners.extend(guarded(observer, turn) for observer in registry.observers)
        journal = Journal(self._conversations, turn, self._handle.listeners)
        middleware = self._make_middleware(turn, journal)
        try:
            loop = await self._make_loop(turn, image, mask, journal, middleware)
            reply = await loop.run()
            await journal.finish(reply.status, reply.stored())
        except LeaseLost as exc:
            raise Busy(f"turn {turn.id}: another process has taken it over", retry_after_s=2) from exc
        except StoreError as exc:
            self._interrupted.add(turn)
            await _report_error(middleware, exc)
            raise
        except BaseException as exc:  # a bug or the end of the process must not leave the turn open
            self._handle.cancel.cancel("the process is stopping")
            self._close_interrupted(journal)
            await _report_error(middleware, exc)
            raise
        if middleware is not None:
            await middleware.after_turn(reply.status, reply.text_response)
        return reply

    async def _make_loop(
        self,
        turn: Turn,
        image: IngestedImage | None,
        mask: IngestedImage | None,
        journal: Journal,
        middleware: TurnMiddleware | None,
    ) -> TurnLoop:
        """Restore the state of the conversation and of an earlier try of the turn."""
        turns, records = await self._read_conversation(turn)
        table = ImageTable(records)
        complete_table = partial(self._complete_table, table, turn)
        messages = [str(event.data) for event in turn.events if event.kind is EventKind.MESSAGE]
        await complete_table([turn.prompt, *messages])
        notes = image.notes if image is not None else ()
        if image is not None and not any(_is_sent_with(record, turn) for record in records):
            record = table.add(image.id, INPUT, None, "", image.width, image.height, turn.seq)
            journal.post((EventKind.IMAGE, asdict(record), image.id))
            for note in notes:
                journal.post((EventKind.NOTE, {"message": note}, None))
        artifacts = artifacts_of(turns, self._services.registry)
        self._select(table, artifacts, turn, mask, journal)
        steps = StepRecord(table, journal, turn.seq)
        if turn.events:
            steps.steps.extend([*steps_of(turn.events), *await close_open_steps(turn, journal)])
            steps.images.extend(_made_in(turn, records))
        services, deadline = self._services, time.monotonic() + self._settings.turn_timeout_s
        runner = StepRunner(
            services.registry,
            services.runtime,
            steps,
            artifacts,
            cancel=self._handle.cancel,
            deadline=deadline,
            max_calls=self._settings.max_tool_calls,
            on_progress=self._handle.progress_from_thread(),
            middleware=middleware,
            user_id=turn.key.user_id,
        )
        return TurnLoop(
            turn,
            [old for old in turns if old.seq < turn.seq and old.status is not TurnStatus.RUNNING],
            services=services,
            planner=self._request.planner or services.planner,
            runner=runner,
            journal=journal,
            live_reply=self._handle.live_reply,
            started_from=_started_from(table, turn),
            deadline=deadline,
            notes=notes,
            complete_table=complete_table,
            has_selection=artifacts.has_selection,
            middleware=middleware,
        )

    def _make_middleware(self, turn: Turn, journal: Journal) -> TurnMiddleware | None:
        """The middleware of the turn; None if there is none."""
        handle, middleware = self._handle, self._services.middleware
        if not middleware:
            return None
        return TurnMiddleware(
            middleware, handle.cancel, turn=turn, journal=journal, approvals=handle.approvals
        )

    def _select(
        self,
        table: ImageTable,
        artifacts: Artifacts,
        turn: Turn,
        mask: IngestedImage | None,
        journal: Journal,
    ) -> None:
        """Add the user's selection on the current image to the artifacts."""
        current = table.current
        if current is None:
            return
        if mask is not None:
            if (mask.width, mask.height) != (current.width, current.height):
                journal.post((EventKind.NOTE, {"message": _mask_note(mask, current)}, None))
            record = table.add(mask.id, MASK, current.image_id, "", mask.width, mask.height, turn.seq)
            journal.post((EventKind.IMAGE, asdict(record), mask.id))
        for record in table.records:
            if record.turn_seq == turn.seq and record.kind == MASK and not record.maker:
                artifacts.select(MaskRef, MaskRef(record.image_id), current.image_id)
        if boxes := self._request.selection.boxes:
            artifacts.select(list[Box], list(boxes), current.image_id)

    async def _read_conversation(self, turn: Turn) -> tuple[list[Turn], list[ImageRecord]]:
        """The last turns of the conversation, its newest images and those that the turns used.

        The cost does not depend on the length of the conversation.
        """
        if turn.seq == 1 and turn.claim is Claim.NEW:
            return [], []
        key = turn.key.user_id, turn.key.conversation_id
        turns = await self._conversations.history(*key, TURNS + 1)
        return turns, await records_near(self._conversations, *key, turns)

    async def _complete_table(self, table: ImageTable, turn: Turn, texts: Sequence[str]) -> None:
        """Read the whole image table if the current image, or one that the texts name, is not in it."""
        if table.is_whole or not (_started_from(table, turn) is None or any(map(table.is_missing, texts))):
            return
        table.include(await self._conversations.images(turn.key.user_id, turn.key.conversation_id))

    def _close_interrupted(self, journal: Journal) -> None:
        try:
            journal.interrupt()
        except StoreError as exc:
            log.warning("turn %s stays open until its lease expires: %s", journal.turn.id, exc)

    def _notify(self, reply: Reply) -> None:
        for observer in self._observers:
            try:
                observer(reply)
            except Exception:  # isolation: the turn is stored, whatever an observer does with its reply
                log.exception("turn %s: observer %r failed", reply.turn_id, observer)


async def _report_error(middleware: TurnMiddleware | None, error: BaseException) -> None:
    if middleware is not None:
        await middleware.on_turn_error(error)


def _is_sent_with(record: ImageRecord, turn: Turn) -> bool:
    """Whether an image is the one that the user sent with the turn."""
    return record.turn_seq == turn.seq and record.kind == INPUT


def _mask_note(mask: IngestedImage, image: ImageRecord) -> str:
    return (
        f"the mask has {mask.width} x {mask.height} pixels, the image {image.width} x {image.height}: it is "
        "scaled if both have the same proportions"
    )


def _made_in(turn: Turn, records: list[ImageRecord]) -> Iterator[MadeImage]:
    """The images that an earlier try of the turn made."""
    for record in records:
        if record.turn_seq == turn.seq and record.maker:
            yield {"id": record.image_id, "handle": record.handle, "kind": record.kind}


def _started_from(table: ImageTable, turn: Turn) -> str | None:
    """Id of the image that a turn starts from."""
    current = table.current_at(turn.seq)
    return current.image_id if current else None
