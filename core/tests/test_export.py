"""Deleting conversations while other users put the same images."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from promptvision.agent.agent import Agent
from promptvision.agent.export import delete_conversation
from promptvision.agent.in_flight import InFlight
from promptvision.builtin.files import FileImageStore
from promptvision.builtin.memory_images import MemoryImageStore
from promptvision.builtin.sql import default_sqlite_url
from promptvision.builtin.sql.store import SQLConversationStore
from promptvision.conversations.turn import TurnStatus
from promptvision.images.store import ImageStore
from promptvision.testing.agents import make_agent
from promptvision.testing.image_store import new_image
from promptvision.testing.turns import claim, image_event


def open_agent(home: Path, images: ImageStore) -> Agent:
    return make_agent(conversations=SQLConversationStore(default_sqlite_url(home)), images=images)


def converse(agent: Agent, data: bytes, conversation: str) -> str:
    """A conversation of ann that shows an image; returns the image's id."""
    image_id = agent.services.images.store.put(data, "image/png").id
    turn = claim(agent.services.conversations.store, "ann", conversation=conversation)
    agent.services.conversations.store.append(turn, [image_event(1, 1, image_id)])
    agent.services.conversations.store.finish_turn(turn, TurnStatus.DONE, {})
    return image_id


@pytest.mark.parametrize("kind", ["files", "memory"])
def test_acknowledged_upload_survives_150_deletions_by_another_user(tmp_path: Path, kind: str) -> None:
    agent = open_agent(
        tmp_path, FileImageStore(tmp_path / "images") if kind == "files" else MemoryImageStore()
    )

    async def race(number: int) -> None:
        data = new_image()
        converse(agent, data, f"c{number}")
        deleted, uploaded = await asyncio.gather(
            delete_conversation(agent.services, "ann", f"c{number}"), agent.add_image(data, user_id="bob")
        )
        assert deleted
        assert agent.services.images.store.stat(uploaded.id).size > 0, f"round {number}: bob's image is gone"

    async def rounds() -> None:
        for number in range(150):
            await race(number)

    asyncio.run(rounds())
    agent.services.conversations.store.close()


def test_images_of_a_conversation_go_with_it(tmp_path: Path) -> None:
    agent = open_agent(tmp_path, FileImageStore(tmp_path / "images"))
    converse(agent, new_image(), "c1")
    assert asyncio.run(delete_conversation(agent.services, "ann", "c1"))
    assert agent.services.images.store.ids() == []
    assert not asyncio.run(delete_conversation(agent.services, "ann", "c1"))
    agent.services.conversations.store.close()


def test_image_that_a_running_request_has_put_stays(tmp_path: Path) -> None:
    agent = open_agent(tmp_path, FileImageStore(tmp_path / "images"))
    data = new_image()
    with agent.services.in_flight.request():
        image_id = converse(agent, data, "c1")
        asyncio.run(delete_conversation(agent.services, "ann", "c1"))
        assert agent.services.images.store.get(image_id) == data
    agent.services.conversations.store.close()


def test_oldest_start_is_that_of_the_oldest_running_request() -> None:
    requests = InFlight()
    before = requests.oldest_start()
    with requests.request():
        oldest = requests.oldest_start()
        with requests.request():
            assert requests.oldest_start() == oldest
    assert before <= oldest <= requests.oldest_start()
