"""Recovery from an interruption."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from promptvision.agent.journal import Journal
from promptvision.agent.reply import Step
from promptvision.agent.turns.recovery import InterruptedTurns, artifacts_of, close_open_steps, steps_of
from promptvision.builtin.memory import MemoryConversationStore
from promptvision.conversations.async_store import AsyncConversationStore
from promptvision.conversations.turn import Claim, Event, EventKind, Turn, TurnKey, TurnStatus
from promptvision.errors import StoreError
from promptvision.testing.agents import make_agent, make_registry
from promptvision.tools.tool import Tool
from promptvision.types import Box

KEY = TurnKey("ann", "c", "p")
NAMES: dict[str, Any] = {"operation": "convert_to_bw", "tool": "grey", "plugin": "test"}


class Failing(MemoryConversationStore):
    fails = True

    def finish_turn(self, *args: Any, **kwargs: Any) -> None:
        if self.fails:
            raise StoreError("no connection")
        super().finish_turn(*args, **kwargs)


def claim(store: MemoryConversationStore) -> Turn:
    return store.claim_turn(KEY, prompt="x", fingerprint="f", owner="o", lease_s=0)


def started(seq: int, step: int) -> Event:
    data = {
        "step": step,
        "call_id": "c",
        "arguments": {"image_url": "a" * 64},
        "image_ids": ["a" * 64],
        **NAMES,
    }
    return Event(seq=seq, kind=EventKind.STEP_STARTED, data=data)


def test_turn_is_kept_for_closing_until_the_store_works_again() -> None:
    store = Failing()
    interrupted = InterruptedTurns(AsyncConversationStore(store), lease_s=60)
    interrupted.add(claim(store))
    with pytest.raises(StoreError):
        asyncio.run(interrupted.close("ann", "c"))
    store.fails = False
    asyncio.run(interrupted.close("ann", "c"))
    asyncio.run(interrupted.close("ann", "c"))
    assert store.history("ann", "c", 1)[0].status is TurnStatus.INTERRUPTED


def test_turn_claimed_by_another_process_is_not_closed() -> None:
    store = MemoryConversationStore()
    mine = claim(store)
    interrupted = InterruptedTurns(AsyncConversationStore(store), lease_s=60)
    interrupted.add(mine)
    theirs = store.claim_turn(KEY, prompt="x", fingerprint="f", owner="other", lease_s=0)
    assert theirs.claim is Claim.RESUMED
    assert asyncio.run(interrupted.close_stale()) == 0
    assert store.history("ann", "c", 1)[0].status is TurnStatus.RUNNING


def test_open_steps_are_journaled_as_interrupted_and_finished_ones_are_kept() -> None:
    store = MemoryConversationStore()
    turn = claim(store)
    done = Step(**NAMES, status="done", arguments={}, result={"success": True})
    finished = Event(seq=2, kind=EventKind.STEP_FINISHED, data={"step": 1, **done.stored()})
    store.append(turn, [started(1, 1), finished, started(3, 2)])
    resumed = store.claim_turn(KEY, prompt="x", fingerprint="f", owner="other", lease_s=0)

    async def close() -> list[Step]:
        return await close_open_steps(resumed, Journal(AsyncConversationStore(store), resumed, []))

    (closed,) = asyncio.run(close())
    assert (closed.status, closed.arguments, closed.image_ids) == (
        "interrupted",
        {"image_url": "a" * 64},
        ("a" * 64,),
    )
    stored = store.turn("ann", turn.id)
    assert stored is not None
    assert steps_of(stored.events) == [done, closed]


def test_artifacts_are_restored_from_the_journal_if_their_tools_still_exist(
    tools: list[Tool], scene_png: bytes
) -> None:
    agent = make_agent(tools)
    reply = agent.run_sync("find the red square", image=scene_png, conversation_id="c")
    turns = agent.conversations.history("local", "c", 5)
    artifact = artifacts_of(turns, agent.registry).newest(list[Box], str(reply.image_url), "red square")
    assert artifact is not None
    assert artifact.value == [Box(10, 10, 30, 30)]
    assert artifacts_of(turns, make_registry()).newest(list[Box], str(reply.image_url), None) is None
