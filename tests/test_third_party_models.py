"""Models of third-party plugins in the pool: leased, shared, evicted and shown."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint, distributions
from pathlib import Path

import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from promptvision.agent.agent import Agent
from promptvision.builtin.memory import MemoryConversationStore
from promptvision.builtin.memory_images import MemoryImageStore
from promptvision.cli.models import models
from promptvision.plugins.registry import Registry
from promptvision.server.app import create_app
from promptvision.settings import Settings
from promptvision.testing.modules import forget_modules
from promptvision.testing.program import write_plugin

BUILT_IN = EntryPoint("promptvision", "promptvision.builtin.plugin", "promptvision")

PLUGIN = '''
from promptvision.plugin import (
    ImageArgs, ImageRef, ModelSpec, Operation, Requirements, Result, StagedRunner, StagePlan, Tool,
    WeightFile, hookimpl,
)

LOADED = []


class Brightness:
    """A model that multiplies pixels by its one weight."""

    def __init__(self, path):
        self.factor = float((path / "weights").read_text())
        self.nbytes = {bytes}


def load(path, device, dtype):
    LOADED.append((path.name, device, dtype))
    return Brightness(path)


class Brightened(Result):
    """The result."""

    image: ImageRef


def brighten(args, context):
    """Multiply pixels by the model's weight."""
    image = context.open(args.image_url).convert("RGB")
    plan = StagePlan(name="{name}", models=("{model}",))
    runner = StagedRunner(context, context.choose_placement([plan]))
    image = runner.run(
        plan.name, plan.models, lambda device, model: image.point(lambda value: value * model.factor)
    )
    return Brightened(image=context.save(image))


OPERATION = Operation(
    name="{name}", description="Change the brightness of an image.", args=ImageArgs, result=Brightened
)


@hookimpl
def promptvision_tools():
    needs = Requirements(models=("{model}",))
    return [Tool(name="{name}", operation=OPERATION, run=brighten, requires=needs)]


@hookimpl
def promptvision_models():
    return [
        ModelSpec(
            id="{model}",
            source="someone/{source}",
            revision="0" * 40,
            files=(WeightFile("weights"),),
            license="MIT",
            weight_bytes={{"float32": {bytes}}},
            load="promptvision_{name}:load",
            share_key="{source}",
        )
    ]
'''


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Three distributions: the first two name the same weights, the third one larger weights of its own."""
    folder = tmp_path / "site"
    for name, model, source, size in (
        ("lighten", "lamp", "light", 600),
        ("brighten", "torch-lamp", "light", 600),
        ("darken", "shade", "dark", 700),
    ):
        write_plugin(folder, name, PLUGIN.format(name=name, model=model, source=source, bytes=size))
        weights = tmp_path / "weights" / model
        weights.mkdir(parents=True)
        (weights / "weights").write_text("2" if source == "light" else "0.5")
    monkeypatch.syspath_prepend(folder)
    yield folder
    forget_modules(folder)


@pytest.fixture
def registry(site: Path, tmp_path: Path) -> Registry:
    """Finds these distributions by their metadata, as it finds those that pip installed."""
    points = [point for one in distributions(path=[str(site)]) for point in one.entry_points]
    settings = Settings(home=tmp_path, model_memory=1000, strict_plugins=True)
    return Registry.load(settings, [BUILT_IN, *points])


@pytest.fixture
def client(registry: Registry) -> Iterator[TestClient]:
    agent = Agent(
        registry.settings,
        registry=registry,
        conversations=MemoryConversationStore(),
        images=MemoryImageStore(),
    )
    with TestClient(create_app(agent=agent), base_url="http://127.0.0.1:5000") as client:
        yield client


def test_models_of_others_are_leased_shared_evicted_and_shown(client: TestClient, scene_url: str) -> None:
    def run(operation: str) -> None:
        reply = client.post(f"/tools/{operation}", json={"image_url": scene_url}).json()
        assert [step["status"] for step in reply["steps"]] == ["done"], reply

    def metrics() -> list[str]:
        return client.get("/metrics").text.splitlines()

    def model_bytes() -> int:
        (line,) = [line for line in metrics() if line.startswith("promptvision_model_bytes")]
        return int(float(line.split()[1]))

    lighten, brighten, darken = (
        sys.modules[f"promptvision_{name}"] for name in ("lighten", "brighten", "darken")
    )
    run("lighten")
    assert lighten.LOADED == [("lamp", "cpu", "float32")]
    assert model_bytes() == 600
    run("brighten")
    assert brighten.LOADED == []  # the weights of the other author's model were loaded
    assert model_bytes() == 600
    run("darken")
    assert darken.LOADED == [("shade", "cpu", "float32")]
    assert model_bytes() == 700  # 1300 bytes are over the limit of 1000
    placed = {line.partition('models="')[2].partition('"')[0] for line in metrics() if "_placement_" in line}
    assert placed > {"lamp", "torch-lamp", "shade"}


def test_models_of_others_are_listed(registry: Registry) -> None:
    listed = CliRunner().invoke(models, ["list", "--json"], obj=registry)
    assert listed.exit_code == 0, listed.output
    rows = {row["id"]: row for row in json.loads(listed.output)}
    assert {id_: row["plugin"] for id_, row in rows.items()} == {
        "lamp": "lighten",
        "torch-lamp": "brighten",
        "shade": "darken",
    }
