"""Several calls in one reply: in order, and in parallel where they share no device and no artifact."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Sequence
from typing import Any

import pytest
from PIL import Image

from promptvision import tool
from promptvision.agent.agent import Agent
from promptvision.agent.calls.parallel import parallel_groups
from promptvision.agent.calls.prepared import PreparedCall, prepare_call
from promptvision.agent.events.agui import Translator
from promptvision.agent.outcome import outcomes_of
from promptvision.agent.reply import Reply
from promptvision.conversations.turn import EventKind, TurnStatus
from promptvision.errors import StopTurn, ToolFailed
from promptvision.images.codec import encode_png
from promptvision.images.handles import ImageTable
from promptvision.llm.messages import ChatReply, ChatRequest, ToolCall
from promptvision.plugins.registry import Registry
from promptvision.testing.agents import make_agent, make_registry
from promptvision.testing.planner import ScriptedPlanner
from promptvision.testing.tools import make_tools
from promptvision.tools import operations
from promptvision.tools.decorator import ToolLike
from promptvision.tools.requirements import Gpu, Requirements
from promptvision.tools.tool import Tool

MEETING_S = 10


def png(colour: str) -> bytes:
    return encode_png(Image.new("RGB", (8, 8), colour))


def calls(*wanted: tuple[str, dict[str, Any]]) -> tuple[ToolCall, ...]:
    return tuple(
        ToolCall(id=f"x{number}", name=name, arguments=json.dumps(values))
        for number, (name, values) in enumerate(wanted)
    )


def ask_for(*wanted: tuple[str, dict[str, Any]]) -> ChatReply:
    return ChatReply(tool_calls=calls(*wanted), finish_reason="tool_calls")


@tool()
async def remote(image: Image.Image, style: str) -> Image.Image:
    """Ask a remote host for an image in another style."""
    return image


@tool()
async def ask(question: str) -> str:
    """Ask a remote host."""
    return question


@tool()
def look(subject: str) -> str:
    """Look for a subject, here."""
    return subject


def on_gpu(gpu: Gpu) -> Tool:
    requires = Requirements(gpu=gpu)
    return Tool(name="big", operation=operations.CAPTION, run="nowhere:run", requires=requires)


def prepare(made: Sequence[ToolCall], registry: Registry) -> list[PreparedCall]:
    functions = {function.name: function for function in registry.functions()}
    return [prepare_call(call, functions) for call in made]


def sizes(made: Sequence[ToolCall], *tools: ToolLike) -> list[int]:
    registry = make_registry([*tools, *make_tools({})])
    table = ImageTable()
    for number in range(3):
        table.add(str(number) * 64, "input", None, "", 8, 8, 1)
    groups = list(parallel_groups(prepare(made, registry), registry, table))
    assert [prepared.call for group in groups for prepared in group] == list(made)
    return [len(group) for group in groups]


def test_coroutine_functions_on_different_images_go_together() -> None:
    one, two = {"image": "img_1", "style": "oil"}, {"image": "img_2", "style": "oil"}
    assert sizes(calls(("remote", one), ("remote", two), ("ask", {"question": "?"})), remote, ask) == [3]


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param([("remote", {"image": "img_1", "style": s}) for s in ("oil", "ink")], id="same image"),
        pytest.param([("remote", {"style": s}) for s in ("oil", "ink")], id="the current image"),
        pytest.param([("ask", {"question": "?"})] * 2, id="the same call"),
        pytest.param([("look", {"subject": s}) for s in "ab"], id="one processor"),
        pytest.param([("convert_to_bw", {"image_url": f"img_{n}"}) for n in (1, 2)], id="one processor too"),
        pytest.param(
            [
                ("inpaint_image", {"image_url": "img_1", "target": "a", "prompt": "b"}),
                ("ask", {"question": "?"}),
            ],
            id="prerequisites",
        ),
        pytest.param(
            [("ask", {"question": "img_1"}), ("remote", {"image": "img_1", "style": "x"})], id="text"
        ),
        pytest.param([("unheard_of", {}), ("ask", {"question": "?"})], id="no such function"),
    ],
)
def test_what_shares_something_goes_one_by_one(wanted: list[tuple[str, dict[str, Any]]]) -> None:
    assert sizes(calls(*wanted), remote, ask, look) == [1, 1]


def test_call_that_cannot_be_read_stands_alone() -> None:
    broken = ToolCall(id="b", name="ask", arguments="{")
    first, last = calls(("ask", {"question": "1"}), ("ask", {"question": "2"}))
    assert sizes([first, broken, last], ask) == [1, 1, 1]


@pytest.mark.parametrize(("gpu", "found"), [(Gpu.REQUIRED, [2]), (Gpu.PREFERRED, [1, 1]), (Gpu.NONE, [1, 1])])
def test_gpu_and_processor_are_two_devices(
    monkeypatch: pytest.MonkeyPatch, gpu: Gpu, found: list[int]
) -> None:
    for module in ("agent.calls.parallel", "tools.requirements"):
        monkeypatch.setattr(f"promptvision.{module}.has_gpu", lambda: True)
    wanted = calls(("caption_image", {"image_url": "img_1"}), ("look", {"subject": "a"}))
    registry = make_registry([on_gpu(gpu), look])
    table = ImageTable()
    table.add("0" * 64, "input", None, "", 8, 8, 1)
    groups = list(parallel_groups(prepare(wanted, registry), registry, table))
    assert [len(group) for group in groups] == found


def run(agent: Agent, **given: Any) -> Reply:
    return agent.run_sync("do it", image=png("red"), conversation_id="c", **given)


def observed(request: ChatRequest) -> list[dict[str, Any]]:
    return [json.loads(message.content) for message in request.messages if message.role == "tool"]


def test_independent_calls_run_in_parallel_and_their_images_keep_the_call_order() -> None:
    meeting: dict[str, asyncio.Event] = {}

    @tool()
    async def paint(colour: str, waits_for: str = "") -> Image.Image:
        """Paint an image."""
        meeting.setdefault(colour, asyncio.Event()).set()
        await asyncio.wait_for(meeting.setdefault(waits_for or colour, asyncio.Event()).wait(), MEETING_S)
        return Image.new("RGB", (8, 8), colour)

    wanted = ask_for(
        ("paint", {"colour": "green", "waits_for": "blue"}),  # begins first and ends last
        ("paint", {"colour": "blue"}),
    )
    planner = ScriptedPlanner([wanted, ChatReply(text="Both.")])
    agent = make_agent([paint], planner=planner)
    reply = run(agent)
    assert (reply.text_response, reply.status) == ("Both.", TurnStatus.DONE)
    assert [step.arguments["colour"] for step in reply.steps] == ["green", "blue"]
    assert [image["handle"] for image in reply.images] == ["img_2", "img_3"]
    assert [agent.open(image["id"]).getpixel((0, 0)) for image in reply.images] == [(0, 128, 0), (0, 0, 255)]
    assert [seen["paint_image_url"] for seen in observed(planner.requests[1])] == [
        "img_2",
        "img_3",
    ]
    stored = agent.conversations.turn("local", reply.turn_id)
    assert stored is not None
    kinds = [event.kind for event in stored.events if event.kind is not EventKind.IMAGE]
    assert kinds == [
        EventKind.MESSAGE,
        *[EventKind.STEP_STARTED] * 2,
        *[EventKind.STEP_FINISHED] * 2,
    ]
    names = [
        seen["stepName"]
        for event in stored.events
        for seen in Translator(stored, [], str).event(event)
        if seen["type"].startswith("STEP")
    ]
    assert names == ["1. paint", "2. paint"] * 2, "no two steps that are open have one name"


def test_calls_that_share_the_processor_never_overlap() -> None:
    inside = threading.Semaphore(1)

    @tool(cacheable=False)
    def compute(number: int) -> int:
        """Compute."""
        assert inside.acquire(blocking=False), "another call is at work"
        threading.Event().wait(0.01)
        inside.release()
        return number

    wanted = ask_for(*[("compute", {"number": number}) for number in range(4)])
    reply = run(make_agent([compute], planner=ScriptedPlanner([wanted, ChatReply(text="Done.")])))
    assert [step.status for step in reply.steps] == ["done"] * 4


def test_failure_of_one_leaves_the_other() -> None:
    @tool()
    async def fetch(what: str) -> str:
        """Fetch something."""
        if what == "moon":
            raise ToolFailed("it is too far")
        await asyncio.sleep(0.01)
        return what

    wanted = ask_for(("fetch", {"what": "moon"}), ("fetch", {"what": "stick"}))
    planner = ScriptedPlanner([wanted, ChatReply(text="The stick.")])
    reply = run(make_agent([fetch], planner=planner))
    assert {step.arguments["what"]: step.status for step in reply.steps} == {
        "moon": "failed",
        "stick": "done",
    }
    first, second = observed(planner.requests[1])
    assert (first["error"], second["fetch_result"]) == ("it is too far", "stick")


def test_turn_that_is_stopped_by_one_of_them_answers_the_others_first() -> None:
    @tool()
    async def fetch(what: str) -> str:
        """Fetch something."""
        if what == "moon":
            raise StopTurn("no tool may go there")
        await asyncio.sleep(0.01)
        return what

    wanted = ask_for(("fetch", {"what": "moon"}), ("fetch", {"what": "stick"}))
    agent = make_agent([fetch], planner=ScriptedPlanner([wanted]))
    reply = run(agent)
    assert "no tool may go there" in reply.text_response
    assert "Finished until then: fetch." in reply.text_response
    stored = agent.conversations.turn("local", reply.turn_id)
    assert stored is not None
    answered = {outcome.call_id for outcome in outcomes_of(stored.events)}
    assert answered >= {"call_1_1", "call_1_2"}


def test_limit_of_calls_holds_for_parallel_calls() -> None:
    wanted = ask_for(*[("ask", {"question": str(number)}) for number in range(40)])
    agent = make_agent([ask], planner=ScriptedPlanner([wanted]))
    reply = run(agent)
    assert len(reply.steps) == agent.settings.max_tool_calls
    assert "the limit of" in reply.text_response


def test_cancellation_ends_all_of_them() -> None:
    async def stop() -> Reply:
        waiting = asyncio.Event()

        @tool()
        async def wait(number: int) -> int:
            """Wait forever."""
            if number == 2:
                waiting.set()
            await asyncio.Event().wait()
            return number

        wanted = ask_for(*[("wait", {"number": number}) for number in range(3)])
        agent = make_agent([wait], planner=ScriptedPlanner([wanted]))
        running = agent.start("do it")
        await asyncio.wait_for(waiting.wait(), MEETING_S)
        running.cancel.cancel("cancelled by the user")
        return await asyncio.wait_for(running.reply(), MEETING_S)

    reply = asyncio.run(stop())
    assert reply.status is TurnStatus.CANCELLED
    assert [step.status for step in reply.steps] == ["cancelled"] * 3
