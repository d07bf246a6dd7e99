"""Observers see every stored event and never fail a turn."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint
from typing import Any

import pytest
from starlette.testclient import TestClient

from promptvision.agent.agent import Agent
from promptvision.builtin.memory import MemoryConversationStore
from promptvision.builtin.memory_images import MemoryImageStore
from promptvision.plugins.registry import Registry
from promptvision.server import create_app
from promptvision.settings import Settings

Plant = Callable[..., list[EntryPoint]]

WATCH = """
from promptvision.plugin import Image, hookimpl, tool

seen = []

@tool(phrases=["mirror it"])
def mirror(image: Image) -> Image:
    '''Mirror an image.'''
    return image

def watch(turn, event):
    seen.append((turn.key.prompt_id, str(event.kind)))

def fail(turn, event):
    raise RuntimeError("on purpose")

@hookimpl
def promptvision_observers():
    return [fail, watch]

async def answer(request):
    from starlette.responses import PlainTextResponse
    return PlainTextResponse(",".join(sorted(request.app.state.agent.registry.tools)))

@hookimpl
def promptvision_routes():
    from starlette.routing import Route
    return [Route("/mirror/tools", answer), Route("/health", answer)]
"""


def make(points: list[EntryPoint]) -> Agent:
    points.append(EntryPoint("promptvision", "promptvision.builtin.plugin", "promptvision"))
    registry = Registry.load(Settings(strict_plugins=True), points)
    return Agent(registry=registry, conversations=MemoryConversationStore(), images=MemoryImageStore())


def test_observers_see_the_events_of_a_turn_and_may_raise(plant: Plant, scene: Any) -> None:
    agent = make(plant("promptvision-mirror", WATCH))
    reply = agent.run_sync("mirror it", image=scene, prompt_id="p1")
    assert reply.status == "done"
    import promptvision_mirror  # type: ignore[import-not-found]

    kinds = [kind for prompt_id, kind in promptvision_mirror.seen if prompt_id == "p1"]
    assert "step_started" in kinds
    assert "step_finished" in kinds


def test_routes_of_plugins_are_served_after_those_of_the_core(plant: Plant) -> None:
    agent = make(plant("promptvision-mirror", WATCH))
    with TestClient(create_app(agent=agent), base_url="http://127.0.0.1:5000") as client:
        assert client.get("/mirror/tools").text == "mirror"
        assert client.get("/health").json()["status"] == "ok"


LIFESPANS = """
from contextlib import asynccontextmanager
from promptvision.plugin import hookimpl

@hookimpl
def promptvision_routes():
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route, Router

    @asynccontextmanager
    async def keep(app):
        app.state.agent.registry
        app.state.kept = "open"
        yield
        app.state.kept = "closed"

    @asynccontextmanager
    async def fail(app):
        raise RuntimeError("on purpose")
        yield

    async def answer(request):
        return PlainTextResponse(request.app.state.kept)

    return [Router([Route("/bad", answer)], lifespan=fail), Router([Route("/kept", answer)], lifespan=keep)]
"""


def test_the_lifespan_of_a_router_is_entered_while_the_app_runs_and_one_that_fails_stays_alone(
    plant: Plant, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(agent=make(plant("promptvision-kept", LIFESPANS)))
    with TestClient(app, base_url="http://127.0.0.1:5000") as client:
        assert client.get("/kept").text == "open"
    assert app.state.kept == "closed"
    assert "routes /bad: their lifespan failed to start" in caplog.text
