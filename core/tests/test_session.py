"""One request from its claim to its stored reply."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from PIL import Image

from promptvision.agent.agent import Agent
from promptvision.agent.events.encoder import StreamEvent
from promptvision.agent.export import conversation_page
from promptvision.agent.reply import Reply
from promptvision.agent.turns import records as records_module
from promptvision.agent.turns import session as session_module
from promptvision.builtin.memory import MemoryConversationStore
from promptvision.conversations.turn import Event, ImageRecord, Turn, TurnKey, TurnStatus
from promptvision.errors import Busy, LeaseLost, StoreError
from promptvision.llm.messages import ChatReply, ToolCall
from promptvision.settings import Settings
from promptvision.testing.agents import make_agent
from promptvision.testing.planner import ScriptedPlanner
from promptvision.tools import operations
from promptvision.tools.context import ToolContext
from promptvision.tools.tool import Tool

KEY = TurnKey("local", "c", "p")


class FailingStore(MemoryConversationStore):
    """Fails on demand: writes of events, the end of a turn, and heartbeats."""

    def __init__(self) -> None:
        super().__init__()
        self.append_error: Exception | None = None
        self.finish_error: Exception | None = None
        self.beat_error: Exception | None = None
        self.heartbeat_called = threading.Event()

    def append(self, turn: Turn, events: Sequence[Event]) -> None:
        if self.append_error is not None:
            raise self.append_error
        super().append(turn, events)

    def finish_turn(
        self, turn: Turn, status: TurnStatus, reply: dict[str, Any], events: Sequence[Event] = ()
    ) -> None:
        if self.finish_error is not None:
            raise self.finish_error
        super().finish_turn(turn, status, reply, events)

    def heartbeat(self, turn: Turn) -> None:
        self.heartbeat_called.set()
        if self.beat_error is not None:
            raise self.beat_error
        super().heartbeat(turn)


class CountingStore(MemoryConversationStore):
    """Records which part of the image table is read."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: list[str] = []

    def images(
        self,
        user_id: str,
        conversation_id: str,
        *,
        newest: int | None = None,
        ids: Sequence[str] | None = None,
    ) -> list[ImageRecord]:
        self.reads.append("newest" if newest is not None else "all" if ids is None else "some")
        return super().images(user_id, conversation_id, newest=newest, ids=ids)


def _call(name: str, **arguments: str) -> ChatReply:
    return ChatReply(tool_calls=(ToolCall(id="c", name=name, arguments=json.dumps(arguments)),))


def test_turn_reads_a_bounded_part_of_the_image_table(
    tools: list[Tool], scene_png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Detection draws an image each time; the subject stays the first one, far behind the newest."""
    monkeypatch.setattr(records_module, "NEWEST_IMAGES", 3)
    turns = 9
    replies = [r for _ in range(turns) for r in (_call("detect_objects", prompt="red"), ChatReply(text="ok"))]
    planner = ScriptedPlanner([*replies, _call("detect_objects", prompt="blue"), ChatReply(text="ok")])
    store = CountingStore()
    agent = make_agent(tools, planner=planner, conversations=store)
    agent.run_sync("find red", image=scene_png, conversation_id="c")
    for _ in range(turns - 1):
        reply = agent.run_sync("find red", conversation_id="c")
        assert reply.status is TurnStatus.DONE
    records = store.images("local", "c")
    assert len(records) == turns + 1
    assert {record.parent for record in records[1:]} == {1}
    assert "img_1 input" in planner.requests[-2].messages[-1].content
    store.reads.clear()
    assert agent.run_sync("and blue", conversation_id="c").status is TurnStatus.DONE
    assert store.reads == ["newest", "some"]


@pytest.mark.parametrize("prompt", ["make the first one grey", "make img_1 grey"])
def test_image_outside_that_part_is_read_when_it_is_named(
    tools: list[Tool], scene: Image.Image, monkeypatch: pytest.MonkeyPatch, prompt: str
) -> None:
    monkeypatch.setattr(records_module, "NEWEST_IMAGES", 3)
    monkeypatch.setattr(session_module, "TURNS", 2)
    store = CountingStore()
    replies = [*[ChatReply(text="ok")] * 8, _call("convert_to_bw", image_url="img_1"), ChatReply(text="ok")]
    agent = make_agent(tools, planner=ScriptedPlanner(replies), conversations=store)
    for number in range(8):
        agent.run_sync("look", image=scene.resize((60 + number, 40)), conversation_id="c")
    store.reads.clear()
    reply = agent.run_sync(prompt, conversation_id="c")
    assert [image["handle"] for image in reply.images] == ["img_9"]
    assert store.reads == ["newest", "some", "all"] or store.reads == ["newest", "all"]
    newest = store.images("local", "c")[-1]
    assert (newest.parent, newest.width) == (1, 60)


def test_pages_and_followers_read_no_more_than_they_show(
    tools: list[Tool], scene: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records_module, "NEWEST_IMAGES", 3)
    store = CountingStore()
    planner = ScriptedPlanner([ChatReply(text="ok")] * 8)
    agent = make_agent(tools, planner=planner, conversations=store)
    for number in range(8):
        reply = agent.run_sync("look", image=scene.resize((60 + number, 40)), conversation_id="c")
    store.reads.clear()

    async def read() -> tuple[Any, list[StreamEvent]]:
        page = await conversation_page(agent.services, "local", "c", str, limit=2)
        return page, [event async for event in agent.follow("local", reply.turn_id, str)]

    page, events = asyncio.run(read())
    assert [image["handle"] for image in page["images"]] == ["img_7", "img_8"]
    (snapshot,) = (one.event for one in events if one.event["type"] == "STATE_SNAPSHOT")
    assert [image["handle"] for image in snapshot["snapshot"]["images"]] == ["img_6", "img_7"]
    assert set(store.reads) <= {"newest", "some"}


def status_of(agent: Agent) -> TurnStatus:
    return agent.conversations.history("local", "c", 1)[0].status


def test_turn_that_cannot_be_ended_is_closed_by_the_next_request(tools: list[Tool], scene_png: bytes) -> None:
    store = FailingStore()
    agent = make_agent(tools, conversations=store)
    store.finish_error = StoreError("the disk is full")
    with pytest.raises(StoreError, match="the disk is full"):
        agent.run_sync("make it black and white", image=scene_png, conversation_id="c")
    assert status_of(agent) is TurnStatus.RUNNING
    store.finish_error = None
    assert agent.run_sync("make it black and white", conversation_id="c").status is TurnStatus.DONE
    statuses = [turn.status for turn in store.history("local", "c", 5)]
    assert statuses == [TurnStatus.INTERRUPTED, TurnStatus.DONE]


def test_sweep_closes_the_turns_that_this_process_could_not_end(tools: list[Tool], scene_png: bytes) -> None:
    store = FailingStore()
    agent = make_agent(tools, conversations=store)
    store.append_error = StoreError("no connection")
    with pytest.raises(StoreError):
        agent.run_sync("make it black and white", image=scene_png, conversation_id="c")
    store.append_error = None
    assert asyncio.run(agent.close_stale()) == 0, "its lease has not expired, so the store closes none"
    assert status_of(agent) is TurnStatus.INTERRUPTED


def test_turn_that_another_process_took_over_is_busy(tools: list[Tool], scene_png: bytes) -> None:
    store = FailingStore()
    agent = make_agent(tools, conversations=store)
    store.finish_error = LeaseLost("taken over")
    with pytest.raises(Busy, match="another process has taken it over") as caught:
        agent.run_sync("make it black and white", image=scene_png, conversation_id="c")
    assert caught.value.retry_after_s == 2


@pytest.mark.parametrize(
    ("error", "expected"),
    [(LeaseLost("taken over"), TurnStatus.CANCELLED), (StoreError("no connection"), TurnStatus.DONE)],
)
def test_heartbeat_stops_a_turn_only_when_the_claim_is_lost(
    scene_png: bytes, error: Exception, expected: TurnStatus
) -> None:
    store = FailingStore()
    store.beat_error = error

    def work(args: operations.ImageArgs, context: ToolContext) -> operations.BwResult:
        assert store.heartbeat_called.wait(10)
        for _ in range(2000 if expected is TurnStatus.CANCELLED else 1):
            context.check_cancelled()
            threading.Event().wait(0.005)
        return operations.BwResult(original_image_url=args.image_url, bw_image_url=args.image_url)

    tool = Tool(name="work", operation=operations.CONVERT_TO_BW, run=work)
    agent = make_agent([tool], conversations=store, settings=Settings(lease_s=0.06))
    reply = agent.run_sync("make it black and white", image=scene_png, conversation_id="c")
    assert reply.status is expected


def test_observer_that_raises_does_not_fail_the_turn(
    tools: list[Tool], scene_png: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    agent = make_agent(tools)
    seen: list[Reply] = []

    def broken(reply: Reply) -> None:
        raise ZeroDivisionError("observer")

    agent.observers.extend([broken, seen.append])
    with caplog.at_level(logging.ERROR):
        reply = agent.run_sync("make it black and white", image=scene_png, conversation_id="c")
    assert reply.status is TurnStatus.DONE
    assert status_of(agent) is TurnStatus.DONE
    assert seen == [reply]
    assert "broken" in caplog.text


def test_bug_in_the_planner_leaves_no_turn_open() -> None:
    def bug(request: object) -> ChatReply:
        raise KeyError("a bug")

    agent = make_agent(planner=ScriptedPlanner([bug]))
    with pytest.raises(KeyError, match="a bug"):
        agent.run_sync("hello", conversation_id="c")
    assert status_of(agent) is TurnStatus.INTERRUPTED


def test_turn_running_in_another_process_is_waited_for_and_then_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("promptvision.agent.turns.session.BUSY_WAIT_S", 0.05)
    agent = make_agent(planner=ScriptedPlanner([]))
    other = TurnKey("local", "c", "other")
    agent.conversations.claim_turn(other, prompt="hi", fingerprint="f", owner="elsewhere", lease_s=60)
    with pytest.raises(Busy, match="running elsewhere"):
        agent.run_sync("hello", conversation_id="c")


class CountedClaims(MemoryConversationStore):
    """Sets an event once a turn has been claimed five times."""

    def __init__(self) -> None:
        super().__init__()
        self.claims = 0
        self.is_polled = threading.Event()

    def claim_turn(self, key: TurnKey, *, prompt: str, fingerprint: str, owner: str, lease_s: float) -> Turn:
        self.claims += 1
        if self.claims == 5:
            self.is_polled.set()
        return super().claim_turn(key, prompt=prompt, fingerprint=fingerprint, owner=owner, lease_s=lease_s)


def test_same_request_running_in_another_process_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("promptvision.agent.turns.session.BUSY_WAIT_S", 0)
    store, is_running = CountedClaims(), threading.Event()

    def answer_late(request: object) -> ChatReply:
        is_running.set()
        assert store.is_polled.wait(60)
        return ChatReply(text="the answer")

    first = make_agent(planner=ScriptedPlanner([answer_late]), conversations=store)
    second = make_agent(planner=ScriptedPlanner([]), conversations=store)

    def ask(agent: Agent) -> Reply:
        return agent.run_sync("hello", conversation_id="c", prompt_id="p")

    with ThreadPoolExecutor(2) as threads:
        earlier = threads.submit(ask, first)
        assert is_running.wait(60)
        later = threads.submit(ask, second)
        assert later.result(60).text_response == earlier.result(60).text_response == "the answer"


def test_stored_reply_is_returned_without_notifying_observers(tools: list[Tool], scene_png: bytes) -> None:
    agent = make_agent(tools)
    seen: list[Reply] = []
    agent.observers.append(seen.append)
    replies = [
        agent.run_sync("make it black and white", image=scene_png, conversation_id="c", prompt_id="p")
        for _ in range(3)
    ]
    assert replies[0] == replies[1] == replies[2]
    assert len(seen) == 1
