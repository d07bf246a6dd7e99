"""Middleware around turns, requests to the planner and steps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from importlib.metadata import EntryPoint
from typing import Any

import pytest
from PIL import Image, ImageOps

from promptvision import tool
from promptvision.agent import approvals
from promptvision.agent.agent import Agent
from promptvision.agent.turns.handle import TurnHandle
from promptvision.builtin.memory import MemoryConversationStore
from promptvision.builtin.memory_images import MemoryImageStore
from promptvision.conversations.store import ConversationStore
from promptvision.conversations.turn import EventKind, TurnStatus
from promptvision.errors import NotFound, Refused, StopTurn, ToolFailed
from promptvision.llm.messages import ChatReply
from promptvision.llm.planner import Planner, PlanRequest
from promptvision.plugins.middleware import Middleware, StepInfo, TurnEnd, TurnInfo
from promptvision.plugins.registry import Registry
from promptvision.settings import Settings
from promptvision.testing.agents import make_registry
from promptvision.testing.planner import ScriptedPlanner
from promptvision.tools.decorator import ToolLike
from promptvision.tools.tool import Result, Tool

PROMPT = "make it black and white"


def agent_with(
    middleware: Sequence[Middleware],
    tools: Sequence[ToolLike],
    planner: Planner | None = None,
    conversations: ConversationStore | None = None,
    settings: Settings | None = None,
) -> Agent:
    settings = settings or Settings(strict_plugins=True)
    return Agent(
        settings,
        registry=make_registry(tools, settings=settings),
        planner=planner,
        middleware=middleware,
        conversations=conversations or MemoryConversationStore(),
        images=MemoryImageStore(),
    )


class Recorder(Middleware):
    """Records every call."""

    def __init__(self, name: str, seen: list[str]) -> None:
        self._name = name
        self._seen = seen

    def _add(self, what: str) -> None:
        self._seen.append(f"{self._name} {what}")

    async def before_turn(self, turn: TurnInfo) -> None:
        self._add(f"before turn {turn.prompt}")

    async def after_turn(self, turn: TurnInfo, end: TurnEnd) -> None:
        assert end.seconds > 0
        self._add(f"after turn {end.status}")

    async def on_turn_error(self, turn: TurnInfo, error: BaseException) -> None:
        self._add(f"turn error {type(error).__name__}")

    async def before_planner(self, turn: TurnInfo, request: PlanRequest) -> None:
        self._add("before planner")

    async def after_planner(self, turn: TurnInfo, request: PlanRequest, reply: ChatReply) -> None:
        self._add("after planner")

    async def on_planner_error(self, turn: TurnInfo, request: PlanRequest, error: Exception) -> None:
        self._add(f"planner error {error}")

    async def before_step(self, step: StepInfo) -> None:
        self._add(f"before {step.number} {step.tool.name}")

    async def after_step(self, step: StepInfo, result: Result) -> None:
        self._add(f"after {step.number} {step.tool.name}")

    async def on_step_error(self, step: StepInfo, error: Exception) -> None:
        self._add(f"step error {error}")


class Failing(Middleware):
    """Raises in every hook."""

    async def before_turn(self, turn: TurnInfo) -> None:
        raise RuntimeError("on purpose")

    async def after_turn(self, turn: TurnInfo, end: TurnEnd) -> None:
        raise RuntimeError("on purpose")

    async def before_planner(self, turn: TurnInfo, request: PlanRequest) -> None:
        raise RuntimeError("on purpose")

    async def after_planner(self, turn: TurnInfo, request: PlanRequest, reply: ChatReply) -> None:
        raise RuntimeError("on purpose")

    async def before_step(self, step: StepInfo) -> None:
        raise RuntimeError("on purpose")

    async def after_step(self, step: StepInfo, result: Result) -> None:
        raise RuntimeError("on purpose")


class Asking(Middleware):
    """Asks before tools that leave the machine."""

    is_required = True

    async def before_step(self, step: StepInfo) -> None:
        if step.tool.leaves_machine:
            await step.approve(f"Send the image to {step.tool.name}?")


def remote(tools: list[Tool]) -> list[Tool]:
    """The tools, with one that leaves the machine before the local one for black and white."""
    grey = next(one for one in tools if one.name == "grey")
    return [*tools, replace(grey, name="far_grey", priority=90, leaves_machine=True)]


def test_middleware_runs_around_each_part_of_a_turn(tools: list[Tool], scene_png: bytes) -> None:
    seen: list[str] = []
    agent = agent_with([Recorder("a", seen), Recorder("b", seen)], tools)
    assert agent.run_sync(PROMPT, image=scene_png).status == "done"
    around_planner = ["a before planner", "b before planner", "b after planner", "a after planner"]
    assert seen == [
        f"a before turn {PROMPT}",
        f"b before turn {PROMPT}",
        *around_planner,
        "a before 1 grey",
        "b before 1 grey",
        "b after 1 grey",
        "a after 1 grey",
        *around_planner,
        "b after turn done",
        "a after turn done",
    ]


def test_errors_are_passed_on_to_middleware(scene_png: bytes) -> None:
    @tool(phrases=["break it"])
    def crack(image: Image.Image) -> Image.Image:
        """Fail."""
        raise OSError("it is hard")

    seen: list[str] = []
    agent_with([Recorder("a", seen)], [crack]).run_sync("break it", image=scene_png)
    assert "a step error it is hard" in seen
    planner = ScriptedPlanner([RuntimeError("no host")])
    with pytest.raises(RuntimeError, match="no host"):
        agent_with([Recorder("b", seen)], [crack], planner).run_sync("break it")
    assert seen[-2:] == ["b planner error no host", "b turn error RuntimeError"]


def test_errors_of_an_observing_middleware_change_nothing(
    tools: list[Tool], scene_png: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    reply = agent_with([Failing()], tools).run_sync(PROMPT, image=scene_png)
    assert (reply.status, [step.status for step in reply.steps]) == ("done", ["done"])
    assert caplog.text.count("RuntimeError: on purpose") == 8


@pytest.mark.parametrize(
    ("kept", "answer"),
    [
        ("before_turn", "I stopped early: middleware "),
        ("before_planner", "I stopped early: middleware "),
        ("after_planner", "I stopped early: middleware "),
    ],
)
def test_turn_stops_if_a_required_middleware_fails(tools: list[Tool], kept: str, answer: str) -> None:
    class Required(Middleware):
        is_required = True

    setattr(Required, kept, getattr(Failing, kept))
    reply = agent_with([Required()], tools).run_sync(PROMPT)
    assert reply.text_response.startswith(answer)
    assert "Required failed: RuntimeError: on purpose" in reply.text_response
    assert reply.steps == ()


def test_step_does_not_run_without_a_required_middleware(tools: list[Tool], scene_png: bytes) -> None:
    class Required(Middleware):
        is_required = True
        before_step = Failing.before_step

    (step,) = agent_with([Required()], tools).run_sync(PROMPT, image=scene_png).steps
    assert step.status == "failed"
    assert "Required failed: RuntimeError: on purpose" in str(step.message)


def test_refused_step_ends_with_the_message_and_the_next_tool_is_tried(
    tools: list[Tool], scene_png: bytes
) -> None:
    class Local(Middleware):
        async def before_step(self, step: StepInfo) -> None:
            if step.tool.leaves_machine:
                raise Refused("images stay here")

    reply = agent_with([Local()], remote(tools)).run_sync(PROMPT, image=scene_png)
    assert [(step.tool, step.status, step.message) for step in reply.steps] == [
        ("far_grey", "failed", "images stay here"),
        ("grey", "done", None),
    ]
    assert reply.status == "done"


def test_middleware_may_end_the_turn(tools: list[Tool], scene_png: bytes) -> None:
    class Broke(Middleware):
        async def before_step(self, step: StepInfo) -> None:
            raise StopTurn("the budget is used up")

    reply = agent_with([Broke()], tools).run_sync(PROMPT, image=scene_png)
    assert reply.text_response == "I stopped early: the budget is used up. Finished until then: nothing."
    assert reply.status == "failed"


def test_middleware_changes_what_the_planner_gets_and_what_it_says() -> None:
    class Shout(Middleware):
        async def before_planner(self, turn: TurnInfo, request: PlanRequest) -> PlanRequest:
            return replace(request, prompt=request.prompt.upper())

        async def after_planner(self, turn: TurnInfo, request: PlanRequest, reply: ChatReply) -> ChatReply:
            return replace(reply, text=f"{request.prompt}: {reply.text}")

    planner = ScriptedPlanner([ChatReply(text="Hello.")])
    assert agent_with([Shout()], [], planner).run_sync("hi").text_response == "HI: Hello."


def test_middleware_of_a_plugin_is_found(plant: Callable[..., list[EntryPoint]], scene_png: bytes) -> None:
    source = """
from promptvision.plugin import Image, Middleware, Refused, hookimpl, tool

class Never(Middleware):
    async def before_step(self, step):
        raise Refused(f"never {step.tool.qualified_name}")

@hookimpl
def promptvision_middleware():
    return [Never()]

@tool(phrases=["copy it"])
def copy(image: Image) -> Image:
    '''Copy an image.'''
    return image
"""
    points = plant("promptvision-never", source)
    points.append(EntryPoint("promptvision", "promptvision.builtin.plugin", "promptvision"))
    registry = Registry.load(Settings(strict_plugins=True), points)
    agent = Agent(registry=registry, conversations=MemoryConversationStore(), images=MemoryImageStore())
    (step,) = agent.run_sync("copy it", image=scene_png).steps
    assert (step.status, step.message) == ("failed", "never never:copy")
    with pytest.raises(ToolFailed, match="never never:copy"):
        asyncio.run(agent.call_tool("copy", {"image": scene_png}))


# Approval


def start(agent: Agent, image: bytes, prompt_id: str = "p") -> TurnHandle:
    return agent.start(PROMPT, image=image, user_id="u", conversation_id="c", prompt_id=prompt_id)


async def asked(handle: TurnHandle) -> approvals.Approval:
    handle.approvals.can_ask = True
    return await asyncio.wait_for(handle.approvals.wait(), 30)


@pytest.mark.parametrize("approved", [True, False])
def test_step_waits_for_the_user(tools: list[Tool], scene_png: bytes, *, approved: bool) -> None:
    agent = agent_with([Asking()], remote(tools))

    async def run() -> None:
        handle = start(agent, scene_png)
        question = await asked(handle)
        assert handle.turn is not None
        assert (question.question, question.tool) == ("Send the image to far_grey?", "far_grey")
        for wrong in (("u", "none"), ("else", question.approval_id)):
            with pytest.raises(NotFound):
                agent.answer(wrong[0], handle.turn.id, wrong[1], approved=True)
        agent.answer("u", handle.turn.id, question.approval_id, approved=approved, reason="mine")
        with pytest.raises(NotFound, match="waits for an answer"):
            agent.answer("u", handle.turn.id, question.approval_id, approved=approved)
        reply = await handle.reply()
        refused = ("far_grey", "failed", "test: tool 'far_grey' was not approved: mine")
        expected = [("far_grey", "done", None)] if approved else [refused, ("grey", "done", None)]
        assert [(step.tool, step.status, step.message) for step in reply.steps] == expected
        turn = await agent.services.conversations.turn("u", handle.turn.id)
        assert turn is not None
        kinds = [event.kind for event in turn.events]
        assert kinds.count(EventKind.APPROVAL_ASKED) == kinds.count(EventKind.APPROVAL_ANSWERED) == 1
        await agent.close()

    asyncio.run(run())


def test_events_of_an_approval_are_streamed(tools: list[Tool], scene_png: bytes) -> None:
    agent = agent_with([Asking()], remote(tools))

    async def run() -> list[dict[str, Any]]:
        found = []
        turn_id = ""
        async with aclosing(agent.stream(PROMPT, image=scene_png, user_id="u")) as events:
            async for event in events:
                turn_id = event.get("runId", turn_id)
                if event["type"] == "CUSTOM":
                    found.append(event)
                if event.get("name") == "promptvision.approval":
                    agent.answer("u", turn_id, event["value"]["approval_id"], approved=True)
        await agent.close()
        return found

    question, answer = asyncio.run(run())
    assert question["value"]["arguments"]["image_url"].startswith("memory:")
    assert question["value"]["step"] == 1
    assert answer == {
        "type": "CUSTOM",
        "name": "promptvision.approval_answered",
        "value": {"approval_id": question["value"]["approval_id"], "approved": True, "reason": ""},
    }


def test_without_a_user_to_ask_the_step_is_refused(tools: list[Tool], scene_png: bytes) -> None:
    reply = agent_with([Asking()], remote(tools)).run_sync(PROMPT, image=scene_png)
    assert [step.status for step in reply.steps] == ["failed", "done"]
    assert "there is no one here to ask. Send the image to far_grey?" in str(reply.steps[0].message)


def test_no_answer_in_time_is_a_refusal(
    tools: list[Tool], scene_png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(approvals, "ANSWER_S", 0.05)
    agent = agent_with([Asking()], remote(tools))

    async def run() -> str:
        handle = start(agent, scene_png)
        handle.approvals.can_ask = True
        reply = await handle.reply()
        await agent.close()
        return str(reply.steps[0].message)

    assert asyncio.run(run()).endswith("was not approved: no answer within 0 s")


def test_time_of_the_user_does_not_count_against_the_turn(tools: list[Tool], scene_png: bytes) -> None:
    settings = Settings(strict_plugins=True, turn_timeout_s=2)
    agent = agent_with([Asking()], remote(tools), settings=settings)

    async def run() -> str:
        handle = start(agent, scene_png)
        question = await asked(handle)
        await asyncio.sleep(2.1)
        handle.approvals.answer(question.approval_id, approvals.Answer(approved=True))
        reply = await handle.reply()
        await agent.close()
        return str(reply.status)

    assert asyncio.run(run()) == "done"


def test_turn_is_cancelled_while_it_waits(tools: list[Tool], scene_png: bytes) -> None:
    agent = agent_with([Asking()], remote(tools))

    async def run() -> TurnStatus:
        handle = start(agent, scene_png)
        await asked(handle)
        handle.cancel.cancel("by the user")
        reply = await handle.reply()
        assert handle.approvals.pending == []
        await agent.close()
        return reply.status

    assert asyncio.run(run()) is TurnStatus.CANCELLED


def test_answer_survives_a_restart(scene_png: bytes) -> None:
    """The process stops after the answer, while the tool runs; the next process does not ask again."""
    began = asyncio.Event()

    @tool(phrases=["mirror it"], leaves_machine=True)
    async def far_mirror(image: Image.Image) -> Image.Image:
        """Mirror an image somewhere else."""
        if not began.is_set():
            began.set()
            await asyncio.sleep(60)
        return ImageOps.mirror(image)

    conversations = MemoryConversationStore()

    async def run() -> None:
        agent = agent_with([Asking()], [far_mirror], conversations=conversations)
        ids: dict[str, Any] = {"user_id": "u", "conversation_id": "c", "prompt_id": "p"}
        handle = agent.start("mirror it", image=scene_png, **ids)
        question = await asked(handle)
        handle.approvals.answer(question.approval_id, approvals.Answer(approved=True))
        await asyncio.wait_for(began.wait(), 30)
        await agent.drain(0)
        again = agent.start("mirror it", image=scene_png, **ids)  # without a user to ask
        reply = await again.reply()
        assert [step.status for step in reply.steps] == ["interrupted", "done"]
        await agent.close()

    asyncio.run(run())
