"""Turns as AG-UI events: valid for the protocol's own package, and the same for every reader."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import pytest
from ag_ui.core import Event as ProtocolEvent
from PIL import Image
from pydantic import TypeAdapter

from promptvision import tool
from promptvision.agent.agent import Agent
from promptvision.agent.events.follow import Cursor, StreamEvent
from promptvision.agent.turns.handle import TurnHandle
from promptvision.conversations.turn import TurnKey, TurnStatus
from promptvision.errors import NotFound, ProviderError, ToolFailed
from promptvision.llm.messages import ChatDelta, ChatReply, ChatRequest, ToolCall
from promptvision.settings import Settings
from promptvision.testing.agents import make_agent
from promptvision.testing.planner import ScriptedPlanner
from promptvision.tools import operations
from promptvision.tools.context import ToolContext
from promptvision.tools.tool import Tool

PROTOCOL: TypeAdapter[Any] = TypeAdapter(ProtocolEvent)


def show(image_id: str) -> str:
    return f"http://127.0.0.1:5000/images/{image_id}"


async def read(
    agent: Agent, turn_id: str, after: Cursor | None = None, user: str = "local"
) -> list[StreamEvent]:
    return [frame async for frame in agent.follow(user, turn_id, show, after=after)]


def kinds(frames: list[StreamEvent]) -> list[str]:
    return [frame.event["type"] for frame in frames]


def check_frames(frames: list[StreamEvent]) -> None:
    """Validate frames against the protocol: each is valid, and each message and step is closed."""
    open_steps: list[str] = []
    open_calls: set[str] = set()
    open_texts: set[str] = set()
    assert frames[0].event["type"] == "RUN_STARTED"
    assert frames[-1].event["type"] in ("RUN_FINISHED", "RUN_ERROR")
    for frame in frames:
        event = frame.event
        parsed = PROTOCOL.validate_python(event)
        assert parsed.model_dump(mode="json", by_alias=True, exclude_unset=True) == event, (
            "nothing is dropped"
        )
        match event["type"]:
            case "STEP_STARTED":
                open_steps.append(event["stepName"])
            case "STEP_FINISHED":
                assert open_steps.pop() == event["stepName"]
            case "TEXT_MESSAGE_START":
                assert not open_texts
                open_texts.add(event["messageId"])
            case "TEXT_MESSAGE_CONTENT":
                assert event["messageId"] in open_texts
            case "TEXT_MESSAGE_END":
                open_texts.remove(event["messageId"])
            case "TOOL_CALL_START":
                open_calls.add(event["toolCallId"])
            case "TOOL_CALL_RESULT":
                open_calls.remove(event["toolCallId"])
            case "RUN_FINISHED":
                assert not open_steps
                assert not open_calls
    assert not open_texts


def run_and_read(agent: Agent, prompt: str, **given: Any) -> tuple[list[StreamEvent], list[StreamEvent]]:
    """The frames of a reader during the turn, and those of another one afterwards."""

    async def both() -> tuple[list[StreamEvent], list[StreamEvent]]:
        running = agent.start(prompt, **given)
        await running.is_claimed.wait()
        assert running.turn is not None
        live = await read(agent, running.turn.id)
        return live, await read(agent, running.turn.id)

    return asyncio.run(both())


def stored(frames: list[StreamEvent]) -> list[StreamEvent]:
    return [frame for frame in frames if frame.cursor is not None]


@pytest.fixture
def dawdle() -> tuple[Tool, threading.Event]:
    begun = threading.Event()

    @tool(phrases=["dawdle over it"], cacheable=False)
    def dawdle(image: Image.Image, context: ToolContext) -> str:
        """Work until cancelled."""
        begun.set()
        for step in range(10_000):
            context.progress(step, 10_000, f"part {step}")
            time.sleep(0.002)
        return "never"

    return dawdle.tool, begun


def test_done_turn_is_valid_and_replays_identically(tools: list[Tool], scene_png: bytes) -> None:
    agent = make_agent(tools)
    live, replayed = run_and_read(agent, "change the red square to blue", image=scene_png)
    check_frames(live)
    assert stored(live) == replayed
    assert [frame.cursor for frame in replayed] == [Cursor(n) for n in range(1, len(replayed) + 1)]
    assert kinds(replayed).count("TOOL_CALL_RESULT") == 3
    last = replayed[-1].event
    assert (last["type"], last["outcome"]) == ("RUN_FINISHED", {"type": "success"})
    assert last["result"]["inpainted_image_url"].startswith("http://127.0.0.1:5000/images/")
    assert last["runId"] == last["result"]["turn_id"]


def test_events_contain_the_steps_the_images_and_the_answer(tools: list[Tool], scene_png: bytes) -> None:
    agent = make_agent(tools)
    _, frames = run_and_read(agent, "change the red square to blue", image=scene_png)
    events = [frame.event for frame in frames]
    calls = [event["toolCallName"] for event in events if event["type"] == "TOOL_CALL_START"]
    assert calls == ["detect_objects", "segment_objects", "inpaint_image"]
    images: list[dict[str, Any]] = next(e for e in events if e["type"] == "STATE_SNAPSHOT")["snapshot"][
        "images"
    ]
    images += [patch["value"] for e in events if e["type"] == "STATE_DELTA" for patch in e["delta"]]
    assert [image["handle"] for image in images] == [f"img_{n}" for n in range(1, 6)]
    assert images[-1]["kind"] == "edit"
    parent = next(image for image in images if image["handle"] == images[-1]["parent"])
    assert parent["url"] == images[0]["url"]
    results = [event["content"] for event in events if event["type"] == "TOOL_CALL_RESULT"]
    assert results[-1][1] == {"type": "image", "source": {"type": "url", "value": images[-1]["url"]}}
    received = "".join(event["delta"] for event in events if event["type"] == "TEXT_MESSAGE_CONTENT")
    assert received == events[-1]["result"]["text_response"]


def test_earlier_images_are_in_the_snapshot(tools: list[Tool], scene_png: bytes) -> None:
    agent = make_agent(tools)
    run_and_read(agent, "make it black and white", image=scene_png, conversation_id="c")
    live, replayed = run_and_read(agent, "find the red square", conversation_id="c")
    check_frames(live)
    assert stored(live) == replayed
    assert [image["handle"] for image in live[1].event["snapshot"]["images"]] == ["img_1", "img_2"]


def test_any_last_event_id_misses_nothing_and_repeats_nothing(tools: list[Tool], scene_png: bytes) -> None:
    agent = make_agent(tools)
    _, whole = run_and_read(agent, "change the red square to blue", image=scene_png)
    turn_id = whole[0].event["runId"]
    for after in range(len(whole) + 2):
        assert asyncio.run(read(agent, turn_id, Cursor(after))) == whole[after:]


def test_clients_that_reconnect_during_the_turn_miss_no_event(tools: list[Tool], scene_png: bytes) -> None:
    agent = make_agent(tools)

    async def reconnect() -> tuple[list[StreamEvent], list[StreamEvent]]:
        running = agent.start("change the red square to blue", image=scene_png)
        await running.is_claimed.wait()
        assert running.turn is not None
        seen: list[StreamEvent] = []
        while not seen or seen[-1].event["type"] != "RUN_FINISHED":
            frames = agent.follow("local", running.turn.id, show, after=Cursor(len(seen)))
            seen.extend([frame async for frame in first_two(frames)])
            await frames.aclose()
        assert running.task is not None
        await running.task
        assert running.listeners == []
        return seen, await read(agent, running.turn.id)

    async def first_two(frames: AsyncIterator[StreamEvent]) -> AsyncIterator[StreamEvent]:
        count = 0
        async for frame in frames:
            if frame.cursor is not None:
                yield frame
                count += 1
                if count == 2:
                    return

    seen, whole = asyncio.run(reconnect())
    assert seen == whole


def test_slow_reader_reads_dropped_events_from_the_store(
    tools: list[Tool], scene_png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("promptvision.agent.events.follow.QUEUE_SIZE", 2)
    agent = make_agent(tools)

    async def slow_reader() -> tuple[list[StreamEvent], list[StreamEvent]]:
        running = agent.start("change the red square to blue", image=scene_png)
        await running.is_claimed.wait()
        assert running.turn is not None
        assert running.task is not None
        seen = []
        async for frame in agent.follow("local", running.turn.id, show):
            seen.append(frame)
            if len(seen) == 2:
                await running.task  # the whole turn runs without a reader
        return seen, await read(agent, running.turn.id)

    seen, whole = asyncio.run(slow_reader())
    assert stored(seen) == whole


def test_failed_tool_is_a_warning_and_the_fallback_tool_runs(tools: list[Tool], scene_png: bytes) -> None:
    def broken(args: operations.ImageArgs, context: ToolContext) -> operations.BwResult:
        raise ToolFailed("test: out of film")

    better = Tool(name="better", operation=operations.CONVERT_TO_BW, run=broken, priority=90)
    live, replayed = run_and_read(make_agent([*tools, better]), "make it black and white", image=scene_png)
    check_frames(live)
    assert stored(live) == replayed
    warnings = [frame.event["value"] for frame in replayed if frame.event["type"] == "CUSTOM"]
    assert warnings == [{"step": 1, "status": "failed", "message": "test: out of film"}]
    assert replayed[-1].event["type"] == "RUN_FINISHED"


def test_failed_turn_ends_in_run_error_with_its_answer(scene_png: bytes) -> None:
    def broken(args: operations.ImageArgs, context: ToolContext) -> operations.BwResult:
        raise ToolFailed("test: out of film")

    agent = make_agent([Tool(name="broken", operation=operations.CONVERT_TO_BW, run=broken)])
    live, replayed = run_and_read(agent, "make it black and white", image=scene_png)
    check_frames(live)
    assert stored(live) == replayed
    reply = next(f.event for f in replayed if f.event.get("name") == "promptvision.reply")
    assert reply["value"]["status"] == "failed"
    assert replayed[-1].event["type"] == "RUN_ERROR"
    assert "out of film" in replayed[-1].event["message"]


def test_planner_failure_ends_in_run_error(tools: list[Tool]) -> None:
    planner = ScriptedPlanner([ProviderError("groq: key refused", kind="auth")])
    live, replayed = run_and_read(make_agent(tools, planner=planner), "hello")
    check_frames(live)
    assert stored(live) == replayed
    assert "key refused" in replayed[-1].event["message"]


def test_planner_text_before_calls_is_a_message(tools: list[Tool], scene_png: bytes) -> None:
    asked = ToolCall(id="x", name="convert_to_bw", arguments="{}")
    first = ChatReply(text="Let me see.", tool_calls=(asked,), finish_reason="tool_calls")
    planner = ScriptedPlanner([first, ChatReply(text="There.")])
    live, replayed = run_and_read(make_agent(tools, planner=planner), "bw", image=scene_png)
    check_frames(live)
    assert stored(live) == replayed
    received = [f.event["delta"] for f in replayed if f.event["type"] == "TEXT_MESSAGE_CONTENT"]
    assert received == ["Let me see.", "There."]


class LongReply(ScriptedPlanner):
    """Streams five thousand words, whether or not a client reads them."""

    text = "".join(f"word{number} " for number in range(5000))

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatDelta, None]:
        for word in self.text.split(" ")[:-1]:
            yield ChatDelta(text=f"{word} ")
            await asyncio.sleep(0)
        yield ChatDelta(reply=ChatReply(text=self.text))


def test_slow_reader_neither_blocks_the_planner_nor_grows_its_queue(tools: list[Tool]) -> None:
    agent = make_agent(tools, planner=LongReply([]))

    async def slow_reader() -> list[StreamEvent]:
        running = agent.start("hello")
        running.live_reply.has_subscribers = True
        await running.is_claimed.wait()
        assert running.turn is not None
        assert running.task is not None
        seen = []
        async for frame in agent.follow("local", running.turn.id, show):
            seen.append(frame)
            if frame.event["type"] == "TEXT_MESSAGE_START":
                await running.task  # all of it is sent without a reader
        return seen

    frames = asyncio.run(slow_reader())
    check_frames(frames)
    received = [frame.event["delta"] for frame in frames if frame.event["type"] == "TEXT_MESSAGE_CONTENT"]
    assert "".join(received) == LongReply.text
    assert len(received) == 2


def test_at_most_twenty_pieces_of_text_a_second(tools: list[Tool]) -> None:
    agent = make_agent(tools, planner=LongReply([]))

    async def listen() -> list[StreamEvent]:
        _, reader = await start_reading(agent, "hello", None)
        return await reader

    began = time.monotonic()
    frames = asyncio.run(listen())
    check_frames(frames)
    assert kinds(frames).count("TEXT_MESSAGE_CONTENT") <= (time.monotonic() - began) * 20 + 2


def test_cancelled_turn_says_so(
    tools: list[Tool], scene_png: bytes, dawdle: tuple[Tool, threading.Event]
) -> None:
    slow, begun = dawdle
    agent = make_agent([*tools, slow])

    async def stop() -> tuple[list[StreamEvent], list[StreamEvent]]:
        running, reader = await start_reading(agent, "find the red square, then dawdle over it", scene_png)
        await asyncio.to_thread(begun.wait, 10)
        running.cancel.cancel("cancelled by the user")
        assert running.turn is not None
        return await reader, await read(agent, running.turn.id)

    live, replayed = asyncio.run(stop())
    check_frames(live)
    assert stored(live) == replayed
    assert replayed[-1].event["outcome"] == {"type": "cancelled"}
    assert [step["status"] for step in replayed[-1].event["result"]["steps"]] == ["done", "cancelled"]


async def start_reading(
    agent: Agent, prompt: str, image: bytes | None, **ids: Any
) -> tuple[TurnHandle, asyncio.Task[list[StreamEvent]]]:
    running = agent.start(prompt, image=image, **ids)
    running.live_reply.has_subscribers = True
    await running.is_claimed.wait()
    assert running.turn is not None
    return running, asyncio.create_task(read(agent, running.turn.id))


def test_interrupted_turn_is_reported_and_continues_with_the_next_number(
    tools: list[Tool], scene_png: bytes
) -> None:
    agent = make_agent(tools)
    ids = {"conversation_id": "c", "prompt_id": "p"}

    async def interrupt() -> list[StreamEvent]:
        finished = asyncio.Event()
        running, reader = await start_reading(agent, "change the red square to blue", scene_png, **ids)
        running.listeners.append(lambda event: finished.set() if event.kind == "step_finished" else None)
        await finished.wait()
        assert running.task is not None
        running.task.cancel()
        return await reader

    first = asyncio.run(interrupt())
    check_frames(first)
    assert first[-1].event == {
        "type": "RUN_ERROR",
        "message": "the turn was interrupted before it was answered",
        "code": "interrupted",
    }
    assert first[-1].cursor is None, "the turn may continue, so its end has no number yet"
    turn_id, last = first[0].event["runId"], len(stored(first))
    assert stored(asyncio.run(read(agent, turn_id))) == stored(first)
    live, replayed = run_and_read(agent, "change the red square to blue", image=scene_png, **ids)
    check_frames(live)
    assert stored(live) == replayed
    assert replayed[:last] == stored(first)
    assert asyncio.run(read(agent, turn_id, Cursor(last))) == replayed[last:]
    assert replayed[-1].event["outcome"] == {"type": "success"}


def test_at_most_ten_progress_events_a_second(
    tools: list[Tool], scene_png: bytes, dawdle: tuple[Tool, threading.Event]
) -> None:
    slow, begun = dawdle
    agent = make_agent([*tools, slow])

    async def listen() -> tuple[list[StreamEvent], float, list[StreamEvent]]:
        running, reader = await start_reading(agent, "dawdle over it", scene_png)
        await asyncio.to_thread(begun.wait, 10)
        started = time.monotonic()
        await asyncio.sleep(0.6)
        running.cancel.cancel()
        frames, seconds = await reader, time.monotonic() - started
        assert running.turn is not None
        return frames, seconds, await read(agent, running.turn.id)

    frames, seconds, replayed = asyncio.run(listen())
    check_frames(frames)
    progress = [frame for frame in frames if frame.event["type"].startswith("ACTIVITY_")]
    assert 2 <= len(progress) <= seconds * 10 + 1
    assert progress[0].event["type"] == "ACTIVITY_SNAPSHOT"
    assert all(frame.cursor is None for frame in progress), "progress is not replayed"
    assert not any(kind.startswith("ACTIVITY_") for kind in kinds(replayed))


def test_fast_progress_is_also_limited_to_ten_events_a_second(scene_png: bytes) -> None:
    @tool(phrases=["fast"])
    def fast(image: Image.Image, context: ToolContext) -> str:
        """Report a thousand steps of progress."""
        context.progress(float("nan"), 1)
        for _ in range(1000):
            context.progress(1, 1)
        return "done"

    live, _ = run_and_read(make_agent([fast]), "fast", image=scene_png)
    check_frames(live)
    assert len([kind for kind in kinds(live) if kind.startswith("ACTIVITY_")]) <= 3


def test_turn_of_another_process_is_followed_through_the_store(tools: list[Tool], scene_png: bytes) -> None:
    agent = make_agent(tools)
    other = make_agent(tools, conversations=agent.conversations, images=agent.images)

    async def follow_in_another_process() -> tuple[list[StreamEvent], list[StreamEvent]]:
        running = agent.start("change the red square to blue", image=scene_png)
        await running.is_claimed.wait()
        assert running.turn is not None
        far = await read(other, running.turn.id)
        return far, await read(agent, running.turn.id)

    far, near = asyncio.run(follow_in_another_process())
    assert far == near


def test_turn_of_a_dead_process_is_closed_by_its_followers(tools: list[Tool], scene_png: bytes) -> None:
    agent = make_agent(tools, settings=Settings(lease_s=0.2))
    key = TurnKey("local", "c", "p")
    turn = agent.conversations.claim_turn(key, prompt="hi", fingerprint="f", owner="dead", lease_s=0.2)
    frames = asyncio.run(read(agent, turn.id))
    assert frames[-1].event["code"] == "interrupted"
    assert agent.conversations.history("local", "c", 1)[0].status is TurnStatus.INTERRUPTED


@pytest.mark.parametrize("user", ["mallory", "local "])
def test_turn_of_another_user_is_not_found(tools: list[Tool], scene_png: bytes, user: str) -> None:
    agent = make_agent(tools)
    _, frames = run_and_read(agent, "make it black and white", image=scene_png)
    with pytest.raises(NotFound):
        asyncio.run(read(agent, frames[0].event["runId"], user=user))


def test_ids_in_texts_are_not_mistaken_for_images(scene_png: bytes) -> None:
    foreign = "f" * 64

    @tool(phrases=["quote it"])
    def quote(image: Image.Image) -> str:
        """Say a long hexadecimal word."""
        return foreign

    live, _ = run_and_read(make_agent([quote]), "quote it", image=scene_png)
    result = live[-1].event["result"]
    assert result["quote_result"] == foreign
