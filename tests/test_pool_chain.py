"""Detection, segmentation and inpainting on tiny checkpoints: the model pool's loads and evictions."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image, ImageDraw

from promptvision.agent.agent import Agent
from promptvision.agent.reply import Reply
from promptvision.models import loader as loader_module
from promptvision.models.placement import Placement
from promptvision.runtime.context import CallContext
from promptvision.settings import Settings

loader: Any = loader_module
TALK = {"lion": "change this lion to an orange cat", "tree": "replace the tree with a red house"}


@pytest.fixture(scope="module")
def variables(tiny_models: dict[str, dict[str, str]]) -> dict[str, str]:
    """All plugins, with tiny models."""
    settings = {
        "PROMPTVISION_STRICT_PLUGINS": "1",
        "PROMPTVISION_PREFER": "sdxl_inpaint:sdxl_inpaint",
        "PROMPTVISION_SDXL_PIXELS": "4096",
    }
    for models in tiny_models.values():
        settings.update({name: value for name, value in models.items() if name not in settings})
    return settings


def png() -> bytes:
    image = Image.new("RGB", (150, 100), (30, 60, 160))
    pen = ImageDraw.Draw(image)
    pen.ellipse((20, 25, 60, 65), fill=(220, 40, 30))
    pen.rectangle((100, 10, 130, 90), fill=(40, 190, 60))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def agent_at(home: Path, variables: dict[str, str]) -> Agent:
    return Agent(Settings.from_mapping({**variables, "PROMPTVISION_HOME": str(home)}))


async def say(agent: Agent, name: str) -> Reply:
    return await agent.run(TALK[name], image=png(), conversation_id=name)


def made(reply: Reply) -> list[str]:
    """Ids of all images of a reply; they are hashes of the bytes."""
    assert [step.status for step in reply.steps] == ["done"] * 3
    assert reply.steps[-1].tool == "sdxl_inpaint"
    return [image["id"] for image in reply.images]


@pytest.fixture(scope="module")
def one_by_one(variables: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The images of both conversations, one after the other, and the models that each request loaded."""
    loads: dict[str, list[str]] = {}
    original = loader.load_model

    async def talk() -> dict[str, list[str]]:
        agent = agent_at(tmp_path_factory.mktemp("one"), variables)
        try:
            found = {}
            for name in TALK:
                loads[name] = []

                def count(spec: Any, *args: Any, here: list[str] = loads[name], **options: Any) -> Any:
                    here.append(spec.id)
                    return original(spec, *args, **options)

                loader.load_model = count
                found[name] = made(await say(agent, name))
            return found
        finally:
            loader.load_model = original
            await agent.close()

    return asyncio.run(talk()), loads


def test_the_second_request_of_the_chain_loads_nothing(one_by_one: Any) -> None:
    _, loads = one_by_one
    assert {"sdxl-inpaint", "sdxl-vae", "sdxl-text-encoder", "sdxl-text-encoder-2"} <= set(loads["lion"])
    assert len(loads["lion"]) == len(set(loads["lion"])) >= 6
    assert loads["tree"] == []


def test_two_conversations_at_once_make_the_images_of_one_after_the_other(
    variables: dict[str, str], one_by_one: Any, tmp_path: Path
) -> None:
    async def talk() -> list[Reply]:
        agent = agent_at(tmp_path, variables)
        try:
            return await asyncio.gather(*(say(agent, name) for name in TALK))
        finally:
            assert [model.leases for model in agent.services.runtime.pool.loaded() if model.leases] == []
            await agent.close()

    wanted, _ = one_by_one
    assert dict(zip(TALK, map(made, asyncio.run(talk())), strict=True)) == wanted


def test_running_out_of_memory_shows_in_the_step_and_keeps_the_image(
    variables: dict[str, str], one_by_one: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The CPU acts as the GPU."""
    from promptvision_sdxl_inpaint import paint as paint_module
    from promptvision_sdxl_inpaint.staged import StagedRunner

    paint: Any = paint_module
    left = [torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB") for _ in range(2)]
    original = paint.denoise

    def full(*args: Any, **options: Any) -> Any:
        if left:
            raise left.pop()
        return original(*args, **options)

    monkeypatch.setattr(paint, "denoise", full)
    monkeypatch.setattr(CallContext, "choose_placement", lambda self, plans: Placement.RESIDENT)
    monkeypatch.setattr(paint, "StagedRunner", lambda held, at: StagedRunner(held, at, gpu="cpu"))

    async def talk() -> Reply:
        agent = agent_at(tmp_path, variables)
        try:
            return await say(agent, "lion")
        finally:
            await agent.close()

    reply = asyncio.run(talk())
    wanted, _ = one_by_one
    assert made(reply) == wanted["lion"]
    tried = [
        "While painting, memory ran out; tried again with cached memory released.",
        "While painting, memory ran out; tried again with unused models evicted.",
    ]
    step = reply.document()["steps"][-1]
    assert step["details"] == tried
    assert step["message"] is not None
    assert all(line in step["message"] for line in tried)
