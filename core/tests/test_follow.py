"""A turn replayed and followed to its end, in this process or in another one."""

from __future__ import annotations

import asyncio
import math

import pytest

from promptvision.agent.agent import Agent
from promptvision.agent.events.follow import QUEUE_SIZE, Cursor, StreamEvent, _Subscription
from promptvision.agent.turns.handle import TurnHandle
from promptvision.conversations.turn import Event, EventKind, TurnKey, TurnStatus
from promptvision.errors import NotFound
from promptvision.settings import Settings
from promptvision.testing.agents import make_agent
from promptvision.tools.tool import Tool


async def read(agent: Agent, turn_id: str, after: Cursor | None = None) -> list[StreamEvent]:
    return [streamed async for streamed in agent.follow("local", turn_id, str, after=after)]


def note(seq: int) -> Event:
    return Event(seq=seq, kind=EventKind.NOTE, data={"message": str(seq)})


def handle() -> TurnHandle:
    return TurnHandle(TurnKey("local", "c", "p"), "f")


def test_turn_of_another_process_is_followed_to_its_end(tools: list[Tool], scene_png: bytes) -> None:
    runs = make_agent(tools)
    reads = make_agent(tools, conversations=runs.conversations, images=runs.images)

    async def both() -> tuple[str, list[StreamEvent], list[StreamEvent]]:
        turn = runs.start("change the red square to blue", image=scene_png)
        await turn.is_claimed.wait()
        assert turn.turn is not None
        followed = await asyncio.gather(read(reads, turn.turn.id), read(runs, turn.turn.id))
        await turn.reply()
        return turn.turn.id, followed[0], followed[1]

    turn_id, elsewhere, here = asyncio.run(both())
    numbered = [streamed for streamed in here if streamed.cursor is not None]
    assert [one.event for one in elsewhere] == [one.event for one in numbered]
    assert asyncio.run(read(reads, turn_id)) == elsewhere


def test_cursor_resumes_after_any_event(tools: list[Tool], scene_png: bytes) -> None:
    agent = make_agent(tools)
    turn_id = agent.run_sync("make it black and white", image=scene_png).turn_id
    whole = asyncio.run(read(agent, turn_id))
    for number, streamed in enumerate(whole, start=1):
        assert streamed.cursor is not None
        rest = asyncio.run(read(agent, turn_id, Cursor.parse(str(streamed.cursor))))
        assert rest == whole[number:]


def test_turn_of_a_dead_process_is_closed_while_it_is_followed(tools: list[Tool]) -> None:
    agent = make_agent(tools, settings=Settings(lease_s=0.1))
    key = TurnKey("local", "c", "p")
    turn = agent.conversations.claim_turn(key, prompt="hi", fingerprint="f", owner="dead", lease_s=0.1)
    events = asyncio.run(read(agent, turn.id))
    assert events[-1].event["type"] == "RUN_ERROR"
    assert events[-1].event["code"] == "interrupted"
    assert events[-1].cursor is None, "the turn may go on later"
    assert agent.conversations.history("local", "c", 1)[0].status is TurnStatus.INTERRUPTED


def test_unknown_turn_and_a_turn_of_another_user_are_not_found(tools: list[Tool], scene_png: bytes) -> None:
    agent = make_agent(tools)
    turn_id = agent.run_sync("make it black and white", image=scene_png, user_id="ann").turn_id
    for unknown in ("no-such-turn", turn_id):
        with pytest.raises(NotFound, match="no such turn"):
            asyncio.run(read(agent, unknown))


def test_subscription_ends_with_its_block() -> None:
    async def subscribe() -> None:
        turn = handle()
        with _Subscription(turn):
            assert turn.live_reply.has_subscribers
            assert (
                len(turn.listeners) == len(turn.progress_listeners) == len(turn.live_reply.subscribers) == 1
            )
        subscribed = [*turn.listeners, *turn.progress_listeners, *turn.live_reply.subscribers]
        assert subscribed == []

    asyncio.run(subscribe())


def test_full_queue_drops_the_oldest_event_and_never_blocks_the_turn() -> None:
    async def overflow() -> None:
        turn = handle()
        with _Subscription(turn) as subscription:
            for seq in range(1, QUEUE_SIZE + 4):
                turn.listeners[0](note(seq))
            assert subscription.queue.qsize() == QUEUE_SIZE
            newest = [subscription.queue.get_nowait() for _ in range(QUEUE_SIZE)][-1]
            assert newest == note(QUEUE_SIZE + 3)

    asyncio.run(overflow())


def test_progress_is_throttled_and_has_only_numbers_of_json() -> None:
    async def report() -> None:
        turn = handle()
        with _Subscription(turn) as subscription:
            subscription.queue.get_nowait()  # the note that a reply may be streaming
            for done in (math.nan, math.inf, 1.0, 2.0, 3.0):
                turn.report_progress(1, done, 10.0, "working")
            assert subscription.queue.qsize() == 1

    asyncio.run(report())
