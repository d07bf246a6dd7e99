"""Fairness between users: a few running turns, a short queue, and a total limit."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from PIL import Image
from starlette.testclient import TestClient

from promptvision import tool
from promptvision.agent.agent import Agent
from promptvision.agent.turns.admission import RUNNING_PER_USER, WAITING_PER_USER, Admission
from promptvision.errors import Busy
from promptvision.testing.agents import make_agent

Serve = Callable[[Agent], TestClient]
Body = Callable[..., dict[str, Any]]


def test_users_are_refused_one_by_one_and_then_all_together() -> None:
    admission = Admission(running=1, waiting=2, total=5)
    for _ in range(3):
        admission.admit("ann")
    with pytest.raises(Busy, match="3 requests of this user"):
        admission.admit("ann")
    admission.admit("bob")
    admission.admit("bob")
    with pytest.raises(Busy, match="5 requests are"):
        admission.admit("eve")
    admission.leave("ann")
    admission.admit("eve")
    assert (admission.running, admission.waiting, admission.refused) == (0, 5, 2)


def test_turns_of_a_user_run_in_order_and_at_most_some_at_once() -> None:
    async def run() -> list[int]:
        admission, ended, most = Admission(running=2, waiting=9, total=99), list[int](), 0

        async def turn(number: int) -> None:
            nonlocal most
            async with admission.slot("ann"):
                most = max(most, admission.running)
                await asyncio.sleep(0)
                ended.append(number)
            admission.leave("ann")

        for _ in range(8):
            admission.admit("ann")
        await asyncio.gather(*(turn(number) for number in range(8)))
        assert most == 2
        assert (admission.running, admission.waiting) == (0, 0)
        return ended

    assert asyncio.run(run()) == list(range(8))


def test_hundred_requests_of_one_user_leave_room_for_the_next_user(
    serve: Serve, chat_body: Body, scene_url: str
) -> None:
    release = threading.Event()

    @tool(phrases=["hold on"])
    def hold(image: Image.Image) -> str:
        """Wait for the test, except for the second user."""
        release.wait(30)
        return "done"

    agent = make_agent([hold])
    client = serve(agent)

    def ask(number: int) -> int:
        body = chat_body("hold on", input_image_url=scene_url, user_id="busy", conversation_id=f"c{number}")
        return client.post("/chat", json=body).status_code

    with ThreadPoolExecutor(100) as pool:
        asked = [pool.submit(ask, number) for number in range(100)]
        refused = 100 - RUNNING_PER_USER - WAITING_PER_USER
        for _ in range(2000):
            if agent.admission.refused == refused and agent.admission.running == RUNNING_PER_USER:
                break
            threading.Event().wait(0.01)
        lines = client.get("/metrics").text.splitlines()
        assert f"promptvision_running_turns {RUNNING_PER_USER}.0" in lines
        assert f"promptvision_waiting_turns {WAITING_PER_USER}.0" in lines
        assert f"promptvision_refused_turns {refused}.0" in lines
        assert client.post("/chat", json=chat_body("hi", user_id="modest")).status_code == 200
        release.set()
        codes = [one.result(60) for one in asked]
    assert sorted(codes) == [200] * (RUNNING_PER_USER + WAITING_PER_USER) + [429] * refused
