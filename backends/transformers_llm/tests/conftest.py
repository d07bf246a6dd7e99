"""Tiny checkpoints in the real file layout, built once per run, and a tool that needs their memory."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from promptvision import Agent
from promptvision.plugin import ChatReply, ChatRequest, ModelPool, Settings, ToolCall
from promptvision.testing import ScriptedPlanner, still_life, write_plugin
from promptvision_transformers_llm.plugin import MODEL

PROMPT = "make it black and white"
ANSWER = "img_2 shows the same objects without any colour."

BALLAST = MODEL.weight_bytes["float32"]
CAP = BALLAST + 1_000_000
"""Room for the LLM as it is declared, or for the model of the tool, but not for both."""

TONE = '''
"""A tool that computes with a large model."""

from promptvision.plugin import BwResult, ImageArgs, ModelSpec, Requirements, Tool, hookimpl, operations

PLUGIN_API = 1


class ToneResult(BwResult):
    """Which models were in memory during the call."""

    loaded: list[str]


class Ballast:
    """A model that reserves as much memory as the declared size of the local LLM, which is tiny here."""

    nbytes = BALLAST


def load(path, device, dtype):
    return Ballast()


def run(args, context):
    """Convert an image to greyscale."""
    context.lease("ballast")
    grey = context.save(context.open(args.image_url).convert("L"))
    loaded = [model.id for model in context._pool.loaded()]
    return ToneResult(original_image_url=args.image_url, bw_image_url=grey, loaded=loaded)


@hookimpl
def promptvision_tools():
    return [
        Tool(
            name="tone",
            operation=operations.CONVERT_TO_BW,
            result=ToneResult,
            run=run,
            requires=Requirements(models=("ballast",)),
        )
    ]


@hookimpl
def promptvision_models():
    return [
        ModelSpec(
            id="ballast",
            source="none/none",
            revision="0",
            files=(),
            license="Apache-2.0",
            weight_bytes={"float32": BALLAST},
            load="promptvision_tone:load",
        )
    ]
'''


def load_builder() -> Any:
    """The module ``tiny_llm`` beside this file."""
    path = Path(__file__).with_name("tiny_llm.py")
    spec = importlib.util.spec_from_file_location("tiny_llm", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Setup:
    """The tool, the photo, and the planner requests of a turn that uses them.

    Args:
        plugins: folder to import from.
        photo: an image file.
        variables: settings that leave out all other plugins, and place the model of the tool.
        requests: planner requests of a turn that makes one call and answers.
    """

    plugins: Path
    photo: Path
    variables: dict[str, str]
    requests: list[ChatRequest] = field(default_factory=list)

    def with_model(self, checkpoint: Path, **more: str) -> dict[str, str]:
        """The settings with a checkpoint as the local LLM."""
        return {**self.variables, "PROMPTVISION_MODEL_QWEN3_0_6B": str(checkpoint), **more}

    @property
    def text(self) -> list[str]:
        """The training text of the tokenizer."""
        contents = [message.content for request in self.requests for message in request.messages]
        schemas = [str(function.parameters) for request in self.requests for function in request.functions]
        return [*contents, *schemas, ANSWER]


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Setup:
    """The setup of every test of a turn, made once."""
    folder = tmp_path_factory.mktemp("setup")
    plugins = write_plugin(folder / "site", "tone", TONE.replace("BALLAST", str(BALLAST)))
    photo = folder / "photo.png"
    still_life().save(photo)
    others = {point.name for point in entry_points(group="promptvision")}
    others -= {"promptvision", "transformers_llm", "tone"}
    made = Setup(
        plugins,
        photo,
        {
            "PROMPTVISION_DISABLED_PLUGINS": ",".join(sorted(others)),
            "PROMPTVISION_MODEL_BALLAST": str(photo),
            "PROMPTVISION_MODEL_MEMORY": str(CAP),
            "OMP_NUM_THREADS": "1",
        },
    )
    with _importable(plugins):
        made.requests.extend(_record(made, folder / "home"))
    return made


@pytest.fixture
def setup(recorded: Setup) -> Iterator[Setup]:
    """The recorded setup, with its tool importable for the length of one test."""
    with _importable(recorded.plugins):
        yield recorded


@contextmanager
def _importable(plugins: Path) -> Iterator[None]:
    sys.path.insert(0, str(plugins))
    try:
        yield
    finally:
        sys.path.remove(str(plugins))
        sys.modules.pop("promptvision_tone", None)


def _record(setup: Setup, home: Path) -> Sequence[ChatRequest]:
    call = ToolCall(id="1", name="convert_to_bw", arguments={"image_url": "img_1"})
    planner = ScriptedPlanner([ChatReply(tool_calls=(call,)), ChatReply(text=ANSWER)])
    settings = Settings.from_mapping({**setup.variables, "PROMPTVISION_HOME": str(home)})
    with Agent(settings, planner=planner) as agent:
        assert agent.run_sync(PROMPT, image=setup.photo).status == "done"
    return planner.requests


@pytest.fixture(scope="session")
def tiny_llm(one_torch_thread: None) -> Any:
    """The module that builds checkpoints."""
    return load_builder()


@pytest.fixture(scope="session")
def checkpoint(tiny_llm: Any, recorded: Setup, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained model."""
    folder: Path = tiny_llm.build(tmp_path_factory.mktemp("untrained"), recorded.text)
    return folder


@pytest.fixture(scope="session")
def trained(tiny_llm: Any, recorded: Setup, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that calls ``convert_to_bw`` and then answers."""
    from promptvision_transformers_llm.load import load

    folder: Path = tiny_llm.build(tmp_path_factory.mktemp("trained"), recorded.text, seed=1)
    template = load(folder, "cpu", "float32").template
    first, second = recorded.requests
    call = tiny_llm.call_text("convert_to_bw", {"image_url": "img_1"})
    tiny_llm.train(folder, [(template.encode(first), call), (template.encode(second), ANSWER)])
    return folder


@pytest.fixture(scope="session")
def chat(checkpoint: Path) -> Any:
    """The untrained model, loaded as the pool loads it."""
    from promptvision_transformers_llm.load import load

    return load(checkpoint, "cpu", "float32")


@pytest.fixture
def pool(checkpoint: Path) -> Iterator[ModelPool]:
    """A pool with the untrained model."""
    made = ModelPool(
        {MODEL.id: MODEL}, Settings.from_mapping({"PROMPTVISION_MODEL_QWEN3_0_6B": str(checkpoint)})
    )
    yield made
    made.close()
