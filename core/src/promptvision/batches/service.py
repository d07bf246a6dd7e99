"""Batches that run in the background of a server, journaled so that any process can report their progress."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field

from promptvision.agent.agent import Agent
from promptvision.agent.journal import Entry, Journal
from promptvision.agent.reply import MadeImage, Reply
from promptvision.agent.request import Source, check_id, check_prompt, check_user
from promptvision.agent.turns.heartbeat import Heartbeat
from promptvision.batches.runner import BatchRunner
from promptvision.batches.state import BATCH_PROMPT_ID, BatchItem, BatchState
from promptvision.conversations.turn import Claim, EventKind, Turn, TurnKey, TurnStatus
from promptvision.errors import (
    Busy,
    Cancelled,
    Conflict,
    InputError,
    LeaseLost,
    NotFound,
    PromptvisionError,
    StoreError,
)
from promptvision.images.handles import ImageTable
from promptvision.runtime.cancellation import CancelToken

__all__ = ["MAX_IMAGES", "BatchService"]

log = logging.getLogger(__name__)

MAX_IMAGES = 1000
MAX_BATCH_ID_CHARS = 100
JOBS = 2
"""Images of one batch at once, so that the user can chat meanwhile."""
RUNNING_PER_USER = 2
MAX_RUNNING = 16


@dataclass(eq=False)
class _Running:
    """A batch that runs in this process.

    Args:
        fingerprint: digest of the request.
        runner: runs its turns.
        task: works through it.
    """

    fingerprint: str
    runner: BatchRunner
    task: asyncio.Task[None]


class BatchService:
    """Starts batches, and reads those that are stored.

    A batch is a conversation with one turn, whose events hold the outcome of each image; the conversation
    holds the resulting images. Each image has a turn in its own conversation while it runs. So a batch that a
    dead process left open continues when the same request is sent again, without repeating finished images.

    Args:
        agent: runs the turns.
    """

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._conversations = agent.services.conversations
        self._running: dict[TurnKey, _Running] = {}

    async def start(
        self, user_id: str, batch_id: str, prompt: str, images: Sequence[Source], names: Sequence[str]
    ) -> BatchState:
        """Start a batch, or continue an interrupted one; the same request again only reads it.

        Args:
            user_id: owner.
            batch_id: idempotency key of the batch, and the conversation that holds its results.
            prompt: what is done to each image.
            images: at most :data:`MAX_IMAGES`.
            names: of the results, one for each image.

        Raises:
            InputError: the prompt, an id or the number of images cannot be used.
            Conflict: the id was used for another request.
            Busy: too many batches are running.
            StoreError: the conversation store failed.
        """
        key = _key(user_id, batch_id)
        if not 1 <= len(images) <= MAX_IMAGES:
            raise InputError(f"images: give 1 to {MAX_IMAGES} images, not {len(images)}")
        prompt = check_prompt(prompt)
        fingerprint = _fingerprint(prompt, images)
        running = self._running.get(key)
        if running is not None:
            if running.fingerprint != fingerprint:
                raise Conflict(f"batch_id {batch_id!r} is running with another prompt or other images")
            return await self.state(user_id, batch_id)
        self._admit(user_id)
        turn = await self._conversations.claim_turn(
            key,
            prompt=prompt,
            fingerprint=fingerprint,
            owner=self._agent.services.owner,
            lease_s=self._agent.settings.lease_s,
        )
        if turn.claim is Claim.BUSY or key in self._running:
            raise Busy(f"batch {batch_id!r} is running in another process", retry_after_s=5)
        if turn.claim is Claim.DONE:
            return await self.state(user_id, batch_id)
        stored = BatchState.of(turn)
        journal = Journal(self._conversations, turn, [])
        if stored is None:
            await journal.write((EventKind.ITEM, {"names": list(names)}, None))
        runner = BatchRunner(
            self._agent,
            prompt,
            batch_id=batch_id,
            user_id=user_id,
            plan=stored.plan if stored else None,
            allow_paths=False,
        )
        items = stored.items if stored else map(_waiting, range(1, len(names) + 1), names)
        work = _Work(self._agent, runner, journal, list(items), images)
        task = asyncio.create_task(work.run())
        self._running[key] = _Running(fingerprint, runner, task)
        task.add_done_callback(lambda _: self._running.pop(key, None))
        return await self.state(user_id, batch_id)

    async def state(self, user_id: str, batch_id: str) -> BatchState:
        """The progress of a batch.

        Raises:
            NotFound: the user has no such batch.
        """
        turn = await self._conversations.find_turn(_key(user_id, batch_id))
        state = BatchState.of(turn) if turn is not None else None
        if state is None:
            raise NotFound("no such batch")
        return state

    async def cancel(self, user_id: str, batch_id: str) -> BatchState:
        """Cancel a batch: turns stop at their next check point, and no more begin. Finished results are kept.

        Raises:
            NotFound: the user has no such batch.
            Busy: it runs in another process, which alone can cancel it.
        """
        running = self._running.get(_key(user_id, batch_id))
        if running is not None:
            running.runner.cancel()
        state = await self.state(user_id, batch_id)
        if running is None and state.status == TurnStatus.RUNNING:
            raise Busy("the batch runs in another process, which alone can cancel it", retry_after_s=5)
        return state

    async def close(self) -> None:
        """Stop the batches of this process; they are interrupted, and continue when they are sent again."""
        tasks = [running.task for running in self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _admit(self, user_id: str) -> None:
        count = sum(key.user_id == user_id for key in self._running)
        if count >= RUNNING_PER_USER or len(self._running) >= MAX_RUNNING:
            raise Busy(f"{count or len(self._running)} batches are running already", retry_after_s=30)


@dataclass
class _Work:
    """Works through one batch.

    Args:
        agent: whose stores are used.
        runner: runs the turn of an image.
        journal: of the batch.
        items: the images with their outcomes so far.
        sources: the images.
        table: the resulting images.
        is_plan_stored: whether the journal has the plan.
    """

    agent: Agent
    runner: BatchRunner
    journal: Journal
    items: list[BatchItem]
    sources: Sequence[Source]
    table: ImageTable = field(default_factory=ImageTable)
    is_plan_stored: bool = False

    async def run(self) -> None:
        conversations, cancel = self.agent.services.conversations, CancelToken()
        heartbeat = Heartbeat(conversations, self.journal.turn, cancel, self.agent.settings.lease_s)
        with cancel.waking(self.runner.cancel), heartbeat:
            await self._run_items()

    async def _run_items(self) -> None:
        turn = self.journal.turn
        self.table.include(await self.agent.services.conversations.images(*_place(turn)))
        left = iter([item for item in self.items if item.status != "done"])
        workers = [asyncio.create_task(self._work(left)) for _ in range(JOBS)]
        try:
            await asyncio.gather(*workers)
            await self.journal.finish(*self._outcome())
        except LeaseLost:
            log.warning("batch %s: another process has taken it over", turn.key.conversation_id)
        except BaseException as exc:  # a bug or the end of the process must not leave the batch open
            await self._stop(workers)
            with suppress(StoreError):
                await asyncio.shield(asyncio.to_thread(self.journal.interrupt))
            if isinstance(exc, Exception):
                log.exception("batch %s stopped", turn.key.conversation_id)
            else:
                raise
        finally:
            await self._stop(workers)

    async def _stop(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self, left: Iterator[BatchItem]) -> None:
        for item in left:
            await self._run_item(item)

    async def _run_item(self, item: BatchItem) -> None:
        entries: list[Entry] = []
        try:
            reply = await self.runner.run(item.number, self.sources[item.number - 1])
        except Cancelled as exc:
            ended = BatchItem(number=item.number, name=item.name, status="cancelled", message=str(exc))
        except LeaseLost:
            raise
        except PromptvisionError as exc:
            ended = BatchItem(number=item.number, name=item.name, status="failed", message=str(exc))
        else:
            ended = _ended(item, reply)
            if ended.image_id is not None:
                entries.append(await self._add_image(ended.image_id))
        if self.runner.plan is not None and not self.is_plan_stored:
            self.is_plan_stored = True
            entries.append((EventKind.ITEM, {"plan": self.runner.plan.stored()}, None))
        self.items[item.number - 1] = ended
        await self.journal.write(*entries, (EventKind.ITEM, ended.stored(), None))
        await self.runner.delete_conversation(item.number)

    async def _add_image(self, image_id: str) -> Entry:
        """Enter a result into the conversation of the batch, which owns it from then on."""
        width, height = (await asyncio.to_thread(self.agent.open, image_id)).size
        seq = self.journal.turn.seq
        record = self.table.add(image_id, "edit", None, "batch", width, height, seq)
        return EventKind.IMAGE, asdict(record), image_id

    def _outcome(self) -> tuple[TurnStatus, dict[str, object]]:
        turn = self.journal.turn
        done = sum(item.status == "done" for item in self.items)
        is_cancelled = any(item.status == "cancelled" for item in self.items)
        status = TurnStatus.CANCELLED if is_cancelled else TurnStatus.DONE
        reply = Reply(
            text_response=f"{done} of {len(self.items)} images are done.",
            image_url=None,
            steps=(),
            images=tuple(_made(self.table)),
            turn_id=turn.id,
            conversation_id=turn.key.conversation_id,
            prompt_id=turn.key.prompt_id,
            status=status,
            planner=self.agent.services.planner.name,
        )
        return status, reply.stored()


def _waiting(number: int, name: str) -> BatchItem:
    return BatchItem(number=number, name=name)


def _key(user_id: str, batch_id: str) -> TurnKey:
    check_id("batch_id", batch_id)
    if len(batch_id) > MAX_BATCH_ID_CHARS:
        raise InputError(f"batch_id: use at most {MAX_BATCH_ID_CHARS} characters")
    return TurnKey(check_user(user_id), batch_id, BATCH_PROMPT_ID)


def _place(turn: Turn) -> tuple[str, str]:
    return turn.key.user_id, turn.key.conversation_id


def _fingerprint(prompt: str, images: Sequence[Source]) -> str:
    digest = hashlib.sha256(prompt.encode())
    for image in images:
        digest.update(hashlib.sha256(str(image).encode("utf-8", "replace")).digest())
    return digest.hexdigest()


def _ended(item: BatchItem, reply: Reply) -> BatchItem:
    is_cancelled = reply.status is TurnStatus.CANCELLED
    is_done = reply.status is TurnStatus.DONE
    return BatchItem(
        number=item.number,
        name=item.name,
        status="done" if is_done else "cancelled" if is_cancelled else "failed",
        message=reply.text_response,
        image_id=reply.image_id if is_done else None,
    )


def _made(table: ImageTable) -> Iterator[MadeImage]:
    for record in table.records:
        yield {"id": record.image_id, "handle": record.handle, "kind": record.kind}
