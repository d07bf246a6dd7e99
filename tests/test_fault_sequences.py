"""Any sequence of faults of a host: the turn ends in time, and the conversation continues.

Real SDKs, real sockets, real loop; in half of the sequences a client follows the turn, and the hosts stream.
The sequences are drawn by hypothesis, the same ones in every run. Waits between retries count towards the
deadline without sleeping, so that 520 sequences take about a minute.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Any

import groq  # noqa: F401  # imported before any deadline runs
import openai  # noqa: F401
import pytest
from ag_ui.core import Event as ProtocolEvent
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from pydantic import TypeAdapter

import promptvision_groq.provider
import promptvision_openai.provider
from promptvision.agent.agent import Agent
from promptvision.agent.events.follow import StreamEvent
from promptvision.agent.outcome import outcomes_of
from promptvision.agent.reply import Reply
from promptvision.builtin.memory import MemoryConversationStore
from promptvision.builtin.memory_images import MemoryImageStore
from promptvision.builtin.offline import OfflinePlanner
from promptvision.conversations.turn import EventKind, Turn, TurnStatus
from promptvision.images.codec import encode_png
from promptvision.llm.fallback import FallbackProvider
from promptvision.llm.messages import ChatReply
from promptvision.llm.planner import Planner
from promptvision.llm.retry import Retry
from promptvision.settings import Settings
from promptvision.testing.agents import make_agent
from promptvision.testing.llm_faults import (
    FAILED_GENERATIONS,
    FAULTS,
    Fault,
    Scripted,
    endless_call,
    failed_generation,
)
from promptvision.testing.llm_server import LLMServer, call
from promptvision.testing.stopwatch import Stopwatch
from promptvision.testing.tools import make_tools

PROVIDERS = {"groq": promptvision_groq.provider.create, "openai": promptvision_openai.provider.create}
PROTOCOL: TypeAdapter[Any] = TypeAdapter(ProtocolEvent)
KEY = "sk-very-secret-key"
SEQUENCES = 260
"""For each of the two SDKs."""
DEADLINE_S = 0.5
SLACK_S = 0.5
ATTEMPTS = 3
"""A turn that ends too late does so in every attempt; a paused machine delays one."""

SLOW = ("slow", "stalled")
QUICK = sorted(set(FAULTS) - set(SLOW))
faults = st.sampled_from([*QUICK * 2, *SLOW])
"""Names of faults; slow ones occur half as often as the others."""


async def no_sleep(seconds: float) -> None:
    """Do not wait."""


def lion_png() -> bytes:
    image = Image.new("RGB", (60, 40), "white")
    ImageDraw.Draw(image).rectangle((10, 10, 29, 29), fill="goldenrod")
    return encode_png(image)


@pytest.fixture(scope="module")
def server() -> Iterator[LLMServer]:
    with LLMServer() as host:
        yield host


class Harness:
    """Agents over one set of stores: one with a short deadline, one with time."""

    def __init__(self, server: LLMServer, provider: str) -> None:
        source = {
            "GROQ_API_KEY": KEY,
            "GROQ_BASE_URL": server.groq_url,
            "OPENAI_API_KEY": KEY,
            "OPENAI_BASE_URL": server.openai_url,
            "PROMPTVISION_GROQ_MODEL": "stub",
            "PROMPTVISION_OPENAI_MODEL": "stub",
        }
        self.name = provider
        self.server = server
        self.conversations = MemoryConversationStore()
        self._images = MemoryImageStore()
        self._provider = PROVIDERS[provider](Settings.from_mapping(source))
        self._runner = asyncio.Runner()

    def agent(self, *, has_offline: bool = True, timeout_s: float = 20) -> Agent:
        """An agent with new circuit breakers."""
        behind: list[Planner] = [OfflinePlanner()] if has_offline else []
        return make_agent(
            make_tools({"lion": "goldenrod"}),
            planner=FallbackProvider([self._provider, *behind], retry=Retry(sleep=no_sleep)),
            settings=Settings(turn_timeout_s=timeout_s, strict_plugins=True),
            conversations=self.conversations,
            images=self._images,
        )

    def say(self, agent: Agent, prompt: str, **further: Any) -> Reply:
        return self._runner.run(agent.run(prompt, **further))

    def say_and_follow(self, agent: Agent, prompt: str, **further: Any) -> tuple[Reply, list[StreamEvent]]:
        """The reply of a turn whose text is streamed, and what a reader saw of it."""
        return self._runner.run(_follow(agent, prompt, further))

    def close(self) -> None:
        self._runner.close()


async def _follow(agent: Agent, prompt: str, further: dict[str, Any]) -> tuple[Reply, list[StreamEvent]]:
    running = agent.start(prompt, **further)
    running.live_reply.has_subscribers = True
    await running.is_claimed.wait()
    assert running.turn is not None
    frames = [frame async for frame in agent.follow("local", running.turn.id, str)]
    return await running.reply(), frames


@pytest.fixture(params=sorted(PROVIDERS))
def harness(request: pytest.FixtureRequest, server: LLMServer) -> Iterator[Harness]:
    made = Harness(server, request.param)
    yield made
    made.close()


def find_lion(body: dict[str, Any]) -> ChatReply:
    return ChatReply(tool_calls=(call("detect_objects", {"image_url": "img_1", "prompt": "lion"}),))


LATER: dict[str, Scripted] = {
    "answers": "Done.",
    "calls for ever": endless_call,
    "is down": Fault.status(500),
}
"""The answer of the host after the sequence."""


def test_every_sequence_of_faults_ends_in_time_and_leaves_a_valid_history(harness: Harness) -> None:
    outcomes: Counter[str] = Counter()

    @hypothesis_settings(max_examples=SEQUENCES, deadline=None, derandomize=True, database=None)
    @given(
        st.lists(faults, min_size=1, max_size=6),
        st.sampled_from(sorted(LATER)),
        st.booleans(),
        st.booleans(),
    )
    def play(names: list[str], later: str, has_offline: bool, is_followed: bool) -> None:
        say = harness.say_and_follow if is_followed else harness.say
        took_s: list[float] = []
        while not took_s or (took_s[-1] >= DEADLINE_S + SLACK_S and len(took_s) < ATTEMPTS):
            conversation = f"c{outcomes.total()}-{len(took_s)}"
            harness.server.reset([FAULTS[name]() for name in names], otherwise=LATER[later])
            agent = harness.agent(has_offline=has_offline, timeout_s=DEADLINE_S)
            watch = Stopwatch()
            said = say(agent, "find the lion", image=lion_png(), conversation_id=conversation)
            took_s.append(watch.seconds)
        reply, frames = said if isinstance(said, tuple) else (said, [])
        outcomes[str(reply.status)] += 1
        assert took_s[-1] < DEADLINE_S + SLACK_S, f"took {took_s} s"
        check_reply(reply, has_offline=has_offline)
        for body in harness.server.bodies:
            check_pairs(body["messages"])
            assert body.get("stream", False) is is_followed
        if is_followed:
            check_frames(frames, reply)

        harness.server.reset([find_lion, "There it is."])
        after = harness.say(harness.agent(), "where is the lion now?", conversation_id=conversation)
        assert (after.text_response, after.status) == ("There it is.", TurnStatus.DONE)
        assert after.planner == harness.name
        for body in harness.server.bodies:
            check_pairs(body["messages"])
        turns = harness.conversations.history("local", conversation, 10)
        assert [turn.seq for turn in turns] == [1, 2]
        for turn, said in zip(turns, (reply, after), strict=True):
            check_turn(turn, said)

    # import the SDK and its streams and start the decoder, none of which the deadline is to bound
    harness.server.reset(["Hello.", "Hello."])
    harness.say(harness.agent(), "hello", image=lion_png(), conversation_id="first")
    harness.say_and_follow(harness.agent(), "hello", image=lion_png(), conversation_id="second")
    play()
    assert outcomes.total() >= SEQUENCES - 10
    assert set(outcomes) == {"done", "failed"}, outcomes


def check_reply(reply: Reply, *, has_offline: bool) -> None:
    """Check that the reply is an answer, or a message that says what failed."""
    assert reply.status in (TurnStatus.DONE, TurnStatus.FAILED)
    assert reply.text_response.strip()
    said = "\n".join([reply.text_response, *reply.notes])
    assert KEY not in said
    assert "Traceback" not in said
    if reply.planner == "offline":
        assert reply.notes, "a fallback for the configured planner states the reason"
    if reply.status is TurnStatus.FAILED and has_offline:
        assert "I could not continue" not in reply.text_response


def check_frames(frames: list[StreamEvent], reply: Reply) -> None:
    """Check that the frames follow the protocol, every text is closed, and the last one is the answer."""
    texts: dict[str, str] = {}
    now = None
    for event in (frame.event for frame in frames):
        PROTOCOL.validate_python(event)
        if event["type"] == "TEXT_MESSAGE_START":
            assert now is None
            assert event["messageId"] not in texts
            now = event["messageId"]
            texts[now] = ""
        elif event["type"] == "TEXT_MESSAGE_CONTENT":
            texts[event["messageId"]] += event["delta"]
        elif event["type"] == "TEXT_MESSAGE_END":
            assert event["messageId"] == now
            now = None
    assert now is None
    assert list(texts.values())[-1] == reply.text_response
    assert frames[-1].event["type"] in ("RUN_FINISHED", "RUN_ERROR")


def check_pairs(messages: list[dict[str, Any]]) -> None:
    """Each call is followed by its result, and nothing else has one."""
    due: list[str] = []
    for message in messages:
        if message["role"] == "tool":
            assert due, "a result without a call"
            assert message["tool_call_id"] == due.pop(0)
        else:
            assert not due, "a call without a result"
            due = [made["id"] for made in message.get("tool_calls", ())]
    assert not due


def check_turn(turn: Turn, reply: Reply) -> None:
    """The journal has no gap, no open step and no unanswered call, and holds the reply that was given."""
    assert turn.status is reply.status
    assert turn.reply is not None
    assert Reply.from_stored(turn.reply) == reply
    assert [event.seq for event in turn.events] == list(range(1, len(turn.events) + 1))
    begun = [e.data["step"] for e in turn.events if e.kind is EventKind.STEP_STARTED]
    ended = [e.data["step"] for e in turn.events if e.kind is EventKind.STEP_FINISHED]
    assert begun == ended == list(range(1, len(reply.steps) + 1))
    calls = [c["id"] for e in turn.events if e.kind is EventKind.MESSAGE for c in e.data["tool_calls"]]
    answered = [outcome.call_id for outcome in outcomes_of(turn.events)]
    assert sorted(calls) == sorted(answered)
    assert len(set(calls)) == len(calls)
    notes = [e.data["message"] for e in turn.events if e.kind is EventKind.NOTE]
    assert tuple(notes) == reply.notes


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_each_fault_alone_ends_in_an_answer(harness: Harness, name: str) -> None:
    harness.server.reset([FAULTS[name]()], otherwise="Done.")
    reply = harness.say(harness.agent(timeout_s=1), "find the lion", image=lion_png(), conversation_id="c")
    check_reply(reply, has_offline=True)
    assert reply.status is TurnStatus.DONE
    check_turn(harness.conversations.history("local", "c", 1)[0], reply)


CALLS = [shape for shape in FAILED_GENERATIONS if shape not in ("prose", "absent")]


@pytest.mark.parametrize("shape", CALLS)
def test_failed_generation_becomes_the_call_that_was_meant(harness: Harness, shape: str) -> None:
    written = failed_generation(shape, "detect_objects", {"image_url": "img_1", "prompt": "lion"})
    harness.server.reset([Fault.tool_use_failed(written), "There it is."])
    reply = harness.say(harness.agent(), "where is the lion?", image=lion_png())
    harness.server.assert_used_up()
    assert [(step.operation, step.status) for step in reply.steps] == [("detect_objects", "done")]
    assert reply.steps[0].arguments["prompt"] == "lion"
    assert reply.fields["bounding_boxes"] == [[10, 10, 30, 30]]
    assert (reply.text_response, reply.planner) == ("There it is.", harness.name)
    assert [note.rpartition("; ")[2] for note in reply.notes] == ["parsed the rejected reply"]


def test_failed_generation_in_prose_is_the_answer(harness: Harness) -> None:
    harness.server.reset([Fault.tool_use_failed("There are two lions in the image.")])
    reply = harness.say(harness.agent(), "how many lions?", image=lion_png())
    assert (reply.text_response, reply.steps) == ("There are two lions in the image.", ())
    assert reply.planner == harness.name


def test_unreadable_failed_generation_is_corrected_at_temperature_0(harness: Harness) -> None:
    harness.server.reset([Fault.tool_use_failed(None, "[`/prompt`: expected string]"), find_lion, "There."])
    reply = harness.say(harness.agent(), "where is the lion?", image=lion_png(), conversation_id="c")
    harness.server.assert_used_up()
    first, corrected, last = harness.server.bodies
    note = corrected["messages"][-1]
    assert note["role"] == "system"
    assert "expected string" in note["content"]
    assert "detect_objects(" in note["content"]
    assert (first["temperature"], corrected["temperature"], last["temperature"]) == (0.2, 0, 0.2)
    assert note not in last["messages"], "the note is in one request only"
    assert [step.status for step in reply.steps] == ["done"]
    assert "correction 1 of 2" in reply.notes[0]
