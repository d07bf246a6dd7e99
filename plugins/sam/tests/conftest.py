"""Both engines on tiny checkpoints, and an asymmetric image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from PIL import Image, ImageDraw

import promptvision_sam.engine_ultralytics as ultralytics_engine
from promptvision.plugin import ModelSpec, WeightFile
from promptvision.testing import CallContext, load_module, make_context
from promptvision_sam.engine import Engine
from promptvision_sam.load import load
from promptvision_sam.plugin import model_spec

ENGINES = ("ultralytics", "transformers")


@pytest.fixture(scope="session")
def tiny_sam() -> ModuleType:
    """The builders of ``tiny_sam.py``."""
    return load_module(Path(__file__).with_name("tiny_sam.py"))


@pytest.fixture(scope="session", autouse=True)
def _one_thread(one_torch_thread: None) -> None:
    """Run all tests of this folder on one thread of torch."""


@pytest.fixture(scope="session")
def checkpoints(tiny_sam: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Engine name to its tiny checkpoint."""
    folder = tmp_path_factory.mktemp("sam")
    return {
        "ultralytics": tiny_sam.build_ultralytics(folder / "ultralytics"),
        "transformers": tiny_sam.build_transformers(folder / "transformers"),
    }


@pytest.fixture
def small_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reduce the input of the ultralytics model to 256 x 256 pixels: 0.2 s per image instead of 5."""
    monkeypatch.setattr(ultralytics_engine, "IMAGE_SIZE", 256)


@pytest.fixture(params=ENGINES)
def engine_name(request: pytest.FixtureRequest) -> str:
    """Each engine in turn."""
    return str(request.param)


@pytest.fixture
def engine(engine_name: str, checkpoints: dict[str, Path], small_encoder: None) -> Engine:
    """A loaded engine."""
    return load(checkpoints[engine_name], "cpu", "float32")


@pytest.fixture
def spec(engine_name: str, checkpoints: dict[str, Path]) -> ModelSpec:
    """The plugin's own model spec, its files named as in the tiny checkpoint."""
    real = model_spec(ultralytics=engine_name == "ultralytics")
    return replace(real, files=(WeightFile(checkpoints[engine_name].name),))


@pytest.fixture
def context(
    spec: ModelSpec, engine_name: str, checkpoints: dict[str, Path], small_encoder: None
) -> Callable[..., CallContext]:
    """Make a context in which the model is the tiny checkpoint."""

    def make(**options: Any) -> CallContext:
        variables = {"PROMPTVISION_MODEL_SAM2_1_L": str(checkpoints[engine_name])}
        return make_context(models=[spec], variables=variables, **options)

    return make


@pytest.fixture
def sample() -> Image.Image:
    """300 x 200 pixels, a red disc on blue and a green bar."""
    image = Image.new("RGB", (300, 200), (30, 60, 160))
    draw = ImageDraw.Draw(image)
    draw.ellipse((40, 50, 120, 130), fill=(220, 40, 30))
    draw.rectangle((200, 20, 260, 180), fill=(40, 190, 60))
    return image
