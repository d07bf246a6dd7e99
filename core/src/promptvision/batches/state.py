"""The stored state of a batch: the journal of one turn, whose events are the outcomes of images."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

from promptvision.batches.plan import Plan
from promptvision.conversations.turn import EventKind, Turn, TurnStatus

__all__ = ["BATCH_PROMPT_ID", "BatchItem", "BatchState", "ItemStatus"]

BATCH_PROMPT_ID = "batch"
"""Idempotency key of the turn of a batch in the conversation of its name."""

ItemStatus = Literal["waiting", "done", "failed", "cancelled"]


@dataclass(frozen=True, kw_only=True)
class BatchItem:
    """One image of a batch.

    Args:
        number: from 1.
        name: of the result, without an extension.
        status: ``waiting`` until its turn has ended.
        message: the answer, or why it failed.
        image_id: the resulting image; None if the answer has none.
    """

    number: int
    name: str
    status: ItemStatus = "waiting"
    message: str = ""
    image_id: str | None = None

    def stored(self) -> dict[str, Any]:
        """The item as an event has it."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class BatchState:
    """The state of a batch, read from its journal.

    Args:
        batch_id: its name.
        prompt: the instruction.
        status: of the batch: ``running``, ``done``, ``cancelled`` or ``interrupted``.
        items: its images, in order.
        plan: the plan that is used for all images, if there is one.
    """

    batch_id: str
    prompt: str
    status: TurnStatus
    items: tuple[BatchItem, ...]
    plan: Plan | None = field(default=None)

    @classmethod
    def of(cls, turn: Turn) -> Self | None:
        """Read the journal of a turn; None if it is not that of a batch."""
        items: dict[int, BatchItem] = {}
        plan = None
        for event in turn.events:
            if event.kind is not EventKind.ITEM:
                continue
            if "names" in event.data:
                items = {n: BatchItem(number=n, name=name) for n, name in enumerate(event.data["names"], 1)}
            elif "plan" in event.data:
                plan = Plan.from_stored(event.data["plan"])
            else:
                item = BatchItem(**event.data)
                items[item.number] = item
        if not items:
            return None
        return cls(
            batch_id=turn.key.conversation_id,
            prompt=turn.prompt,
            status=turn.status,
            items=tuple(items.values()),
            plan=plan,
        )

    def count(self, status: ItemStatus) -> int:
        """How many items have a status."""
        return sum(item.status == status for item in self.items)
