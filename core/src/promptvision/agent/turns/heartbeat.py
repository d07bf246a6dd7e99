"""Keep the claim on a running turn alive."""

from __future__ import annotations

import asyncio
import logging
from types import TracebackType
from typing import Self

from promptvision.conversations.async_store import AsyncConversationStore
from promptvision.conversations.turn import Turn
from promptvision.errors import LeaseLost, StoreError
from promptvision.runtime.cancellation import CancelToken

__all__ = ["Heartbeat"]

log = logging.getLogger(__name__)


class Heartbeat:
    """Sends heartbeats while a turn runs, and stops the turn if its claim is lost. A context manager.

    Args:
        conversations: where the turn is claimed.
        turn: the claimed turn.
        cancel: of the turn.
        lease_s: how long a claim is valid without a heartbeat.
    """

    def __init__(
        self, conversations: AsyncConversationStore, turn: Turn, cancel: CancelToken, lease_s: float
    ) -> None:
        self._conversations = conversations
        self._turn = turn
        self._cancel = cancel
        self._pause_s = lease_s / 3
        self._task: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        # Most turns end before the first heartbeat, so its task is created when it is due.
        self._first = asyncio.get_running_loop().call_later(self._pause_s, self._start)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._first.cancel()
        if self._task is not None:
            self._task.cancel()

    def _start(self) -> None:
        self._task = asyncio.create_task(self._send())

    async def _send(self) -> None:
        while True:
            try:
                await self._conversations.heartbeat(self._turn)
            except LeaseLost:
                self._cancel.cancel("another process has taken the turn over")
                return
            except StoreError as exc:
                log.warning("turn %s: no heartbeat: %s", self._turn.id, exc)
            await asyncio.sleep(self._pause_s)
