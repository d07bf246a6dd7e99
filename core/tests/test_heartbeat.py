"""Heartbeats that keep the claim on a running turn alive."""

from __future__ import annotations

import asyncio

from promptvision.agent.turns.heartbeat import Heartbeat
from promptvision.builtin.memory import MemoryConversationStore
from promptvision.conversations.async_store import AsyncConversationStore
from promptvision.conversations.turn import Turn, TurnKey, TurnStatus
from promptvision.runtime.cancellation import CancelToken

LEASE_S = 0.03


def claim(store: MemoryConversationStore) -> Turn:
    return store.claim_turn(TurnKey("ann", "c", "p"), prompt="x", fingerprint="f", owner="o", lease_s=LEASE_S)


def test_claim_is_renewed_until_the_block_ends() -> None:
    beats = asyncio.Queue[str]()

    class Counting(MemoryConversationStore):
        def heartbeat(self, turn: Turn) -> None:
            super().heartbeat(turn)
            beats.put_nowait(turn.id)

    store = Counting()

    async def run() -> None:
        turn, cancel = claim(store), CancelToken()
        async with asyncio.timeout(10):
            with Heartbeat(AsyncConversationStore(store), turn, cancel, LEASE_S):
                assert [await beats.get(), await beats.get()] == [turn.id, turn.id]
        await asyncio.sleep(0)  # the task is cancelled
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert not cancel.is_cancelled

    asyncio.run(run())


def test_turn_is_cancelled_once_its_claim_is_lost() -> None:
    store = MemoryConversationStore()

    async def run() -> None:
        turn, cancel = claim(store), CancelToken()
        cancelled = asyncio.Event()
        store.finish_turn(turn, TurnStatus.INTERRUPTED, {})
        heartbeat = Heartbeat(AsyncConversationStore(store), turn, cancel, LEASE_S)
        async with asyncio.timeout(10):
            with cancel.waking(cancelled.set), heartbeat:
                await cancelled.wait()
        assert "taken the turn over" in cancel.reason

    asyncio.run(run())


def test_no_task_is_created_for_a_turn_that_ends_at_once() -> None:
    store = MemoryConversationStore()

    async def run() -> None:
        with Heartbeat(AsyncConversationStore(store), claim(store), CancelToken(), 3600):
            await asyncio.sleep(0)
            assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())
