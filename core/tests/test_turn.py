"""The loop of one turn: its guards, its notes, and how it stops."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from promptvision import tool
from promptvision.agent.agent import Agent
from promptvision.agent.reply import Reply
from promptvision.builtin.offline import OfflinePlanner
from promptvision.conversations.turn import EventKind, TurnStatus
from promptvision.errors import ProviderError
from promptvision.llm.fallback import FallbackProvider
from promptvision.llm.messages import ChatDelta, ChatReply, ChatRequest, ToolCall, Usage
from promptvision.llm.retry import Retry
from promptvision.settings import Settings
from promptvision.testing import Stopwatch
from promptvision.testing.agents import make_agent
from promptvision.testing.planner import ScriptedPlanner
from promptvision.tools.tool import Tool


def make(name: str, **arguments: Any) -> ChatReply:
    return ChatReply(tool_calls=(ToolCall(id="x", name=name, arguments=json.dumps(arguments)),))


def say(text: str) -> ChatReply:
    return ChatReply(text=text)


def last_result(request: ChatRequest) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(request.messages[-1].content)
    return found


@tool()
def look(subject: str) -> str:
    """Look for a subject."""
    return f"{subject} is there"


@tool()
def spoil(subject: str) -> str:
    """Fail."""
    raise ZeroDivisionError(subject)


class Hanging(ScriptedPlanner):
    """Never completes an answer, and counts the streams that were closed."""

    def __init__(self) -> None:
        super().__init__([])
        self.is_asked = asyncio.Event()
        self.closed = 0

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatDelta, None]:
        try:
            yield ChatDelta(text="I am")
            self.is_asked.set()
            await asyncio.Event().wait()
        finally:
            self.closed += 1

    async def complete(self, request: ChatRequest) -> ChatReply:
        self.is_asked.set()
        await asyncio.Event().wait()
        raise AssertionError


def notes_in(agent: Agent, reply: Reply) -> list[str]:
    turn = agent.conversations.history("local", reply.conversation_id, 1)[0]
    return [event.data["message"] for event in turn.events if event.kind is EventKind.NOTE]


def test_notes_of_the_provider_chain_reach_the_reply_and_the_journal_once() -> None:
    down = ProviderError("groq: HTTP 401: bad key", kind="auth")
    groq = ScriptedPlanner([down, down, say("Hi.")], name="groq")
    other = ScriptedPlanner([make("look", subject="a"), say("There.")], name="other")
    agent = make_agent([look], planner=FallbackProvider([groq, other]))
    reply = agent.run_sync("look")
    assert reply.notes == ("groq: HTTP 401: bad key; asking other instead",)
    assert notes_in(agent, reply) == list(reply.notes)
    assert [(one["planner"], one["kind"], one["instead"]) for one in reply.fallbacks] == [
        ("groq", "auth", "other")
    ]
    assert Reply.from_stored(reply.stored()).fallbacks == reply.fallbacks
    assert reply.planner == "other"
    again = agent.run_sync("hello")
    assert (again.notes, again.planner) == ((), "groq")


def test_notes_of_a_retry_name_the_failure() -> None:
    async def no_sleep(seconds: float) -> None:
        pass

    busy = ProviderError("groq: HTTP 503: busy", kind="server", retryable=True)
    planner = FallbackProvider(
        [ScriptedPlanner([busy, say("Hi.")], name="groq")], retry=Retry(sleep=no_sleep)
    )
    assert (
        make_agent([look], planner=planner)
        .run_sync("hello")
        .notes[0]
        .startswith("groq: HTTP 503: busy; retry 1 of 2")
    )


def test_reply_that_was_cut_at_the_length_limit_is_noted() -> None:
    planner = ScriptedPlanner([ChatReply(text="The lion is", finish_reason="length")])
    assert "cut at the host's limit of length" in make_agent([look], planner=planner).run_sync("x").notes[0]


def test_tokens_end_the_turn_with_what_was_made() -> None:
    costly = [
        ChatReply(tool_calls=make("look", subject=str(n)).tool_calls, usage=Usage(900, 100)) for n in range(9)
    ]
    agent = make_agent([look], planner=ScriptedPlanner(costly), settings=Settings(max_tokens=3000))
    reply = agent.run_sync("look")
    assert len(reply.steps) == 3
    assert "the limit of 3000 tokens in one turn is reached" in reply.text_response
    assert "look" in reply.text_response


def test_tokens_are_estimated_where_the_host_counts_none() -> None:
    replies = [make("look", subject=str(n) + "x" * 2000) for n in range(9)]
    agent = make_agent([look], planner=ScriptedPlanner(replies), settings=Settings(max_tokens=3000))
    assert "tokens" in agent.run_sync("look").text_response


def test_long_turn_is_fitted_to_the_planner() -> None:
    replies = [*(make("look", subject=str(n) + "x" * 1900) for n in range(6)), say("Done.")]
    planner = ScriptedPlanner(replies, context_tokens=4000)
    reply = make_agent([look], planner=planner).run_sync("look")
    assert reply.text_response == "Done."
    results = [len(m.content) for m in planner.requests[-1].messages if m.role == "tool"]
    assert results[0] < 300 < results[-1] or max(results) < 300


def test_cancel_ends_the_wait_for_a_planner_at_once() -> None:
    planner = Hanging()
    agent = make_agent([look], planner=planner)

    async def stop() -> tuple[Reply, float]:
        running = agent.start("look")
        await planner.is_asked.wait()
        watch = Stopwatch()
        running.cancel.cancel("cancelled by the user")
        return await running.reply(), watch.seconds

    reply, took_s = asyncio.run(stop())
    assert reply.status is TurnStatus.CANCELLED
    assert "cancelled by the user" in reply.text_response
    assert took_s < 1


def test_cancel_closes_a_stream_at_once() -> None:
    planner = Hanging()
    agent = make_agent([look], planner=planner)

    async def stop() -> tuple[Reply, float]:
        running = agent.start("look")
        running.live_reply.has_subscribers = True
        await planner.is_asked.wait()
        assert running.live_reply.text == "I am"
        watch = Stopwatch()
        running.cancel.cancel("cancelled by the user")
        return await running.reply(), watch.seconds

    reply, took_s = asyncio.run(stop())
    assert (reply.status, planner.closed) == (TurnStatus.CANCELLED, 1)
    assert took_s < 1


def test_stream_that_never_ends_ends_with_the_turn() -> None:
    planner = Hanging()
    agent = make_agent([look], planner=planner, settings=Settings(turn_timeout_s=0.2))

    async def listen() -> Reply:
        running = agent.start("look")
        running.live_reply.has_subscribers = True
        return await running.reply()

    watch = Stopwatch()
    assert "time limit" in asyncio.run(listen()).text_response
    assert watch.seconds < 0.2 + 0.5 + 0.2
    assert planner.closed == 1


def test_planner_without_a_stream_is_asked_for_whole_replies() -> None:
    class Whole:
        name = "whole"
        context_tokens = 6000

        async def complete(self, request: ChatRequest) -> ChatReply:
            return say("There.")

    agent = make_agent([look], planner=Whole())  # type: ignore[arg-type]

    async def listen() -> Reply:
        running = agent.start("look")
        running.live_reply.has_subscribers = True
        return await running.reply()

    assert asyncio.run(listen()).text_response == "There."


def test_planner_that_never_answers_ends_with_the_turn() -> None:
    agent = make_agent([look], planner=Hanging(), settings=Settings(turn_timeout_s=0.2))
    watch = Stopwatch()
    reply = agent.run_sync("look")
    assert watch.seconds < 0.2 + 0.5 + 0.2
    assert "time limit" in reply.text_response


def test_every_call_has_a_result_when_a_limit_stops_the_turn() -> None:
    calls = tuple(ToolCall(id=str(n), name="look", arguments={"subject": str(n)}) for n in range(5))
    planner = ScriptedPlanner([ChatReply(tool_calls=calls), say("Hello.")])
    agent = make_agent([look], planner=planner, settings=Settings(max_tool_calls=2))
    reply = agent.run_sync("look", conversation_id="c")
    assert len(reply.steps) == 2
    agent.run_sync("hello", conversation_id="c")
    results = [json.loads(m.content) for m in planner.requests[1].messages if m.role == "tool"]
    assert [result.get("kind") for result in results] == [None, None, "stopped", "stopped", "stopped"]
    assert "limit of 2 tool calls" in results[-1]["error"]


@pytest.mark.parametrize(
    ("name", "arguments", "kind"),
    [
        ("look", {}, "arguments"),
        ("lok", {"subject": "x"}, "arguments"),
        ("spoil", {"subject": "x"}, "failed"),
    ],
)
def test_planner_gets_the_kind_of_failure(name: str, arguments: dict[str, Any], kind: str) -> None:
    planner = ScriptedPlanner([make(name, **arguments), say("Sorry.")])
    make_agent([look, spoil], planner=planner).run_sync("x")
    assert last_result(planner.requests[1])["kind"] == kind


def test_function_that_fails_four_times_is_refused() -> None:
    replies = [*(make("spoil", subject=str(n)) for n in range(5)), say("Sorry.")]
    planner = ScriptedPlanner(replies)
    reply = make_agent([spoil], planner=planner).run_sync("x")
    planner.assert_used_up()
    assert len(reply.steps) == 4
    assert last_result(planner.requests[5])["kind"] == "stopped"
    assert planner.requests[5].tool_choice == "none"


def test_same_call_on_a_named_image_is_the_same_after_an_edit(tools: list[Tool], scene_png: bytes) -> None:
    edit = make("inpaint_image", image_url="img_1", target="red", prompt="blue")
    planner = ScriptedPlanner([edit, edit, edit, say("Done.")])
    reply = make_agent(tools, planner=planner).run_sync("x", image=scene_png)
    planner.assert_used_up()
    assert len(reply.steps) == 3, "one edit with its two prerequisites"
    assert "already" in last_result(planner.requests[2])["note"]


def test_offline_planner_continues_where_the_other_stopped(tools: list[Tool], scene_png: bytes) -> None:
    gone = ProviderError("groq: HTTP 500", kind="server")
    groq = ScriptedPlanner([make("detect_objects", prompt="red square"), gone, gone], name="groq")
    agent = make_agent(tools, planner=FallbackProvider([groq, OfflinePlanner()]))
    reply = agent.run_sync("change the red square to blue", image=scene_png)
    assert [step.operation for step in reply.steps] == ["detect_objects", "segment_objects", "inpaint_image"]
    assert reply.status is TurnStatus.DONE
    assert (reply.planner, len(reply.notes)) == ("offline", 1)


def test_a_turn_can_have_a_planner_of_its_own() -> None:
    own = ScriptedPlanner([make("look", subject="sky"), say("seen")], name="own")

    async def converse() -> tuple[Reply, Reply]:
        handle = agent.start("look at the sky", conversation_id="c1", planner=own)
        return await handle.reply(), await agent.run("hello", conversation_id="c1")

    agent = make_agent([look], planner=ScriptedPlanner([say("hi")], name="usual"))
    first, second = asyncio.run(converse())
    assert (first.planner, first.text_response, [step.operation for step in first.steps]) == (
        "own",
        "seen",
        ["look"],
    )
    assert (second.planner, second.text_response) == ("usual", "hi")
