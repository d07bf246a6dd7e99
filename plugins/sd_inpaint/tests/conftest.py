"""Tiny checkpoints, loaded by the same code as the real weights."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from promptvision.testing import CallContext, make_context
from promptvision_sd_inpaint import paint
from promptvision_sd_inpaint.load import Painter, load
from promptvision_sd_inpaint.plugin import SD


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny tensors are slower on several threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def tiny_sd() -> ModuleType:
    """The builders of ``tiny_sd.py``."""
    spec = importlib.util.spec_from_file_location("tiny_sd", Path(__file__).with_name("tiny_sd.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def folders(tiny_sd: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Number of channels to a tiny checkpoint."""
    home = tmp_path_factory.mktemp("sd")
    return {channels: tiny_sd.build(home / str(channels), channels=channels) for channels in (4, 9)}


@pytest.fixture(scope="session", params=[4, 9], ids=["4-channel", "9-channel"])
def painter(request: pytest.FixtureRequest, folders: dict[int, Path]) -> Painter:
    """A loaded model of either kind."""
    return load(folders[request.param], "cpu", "float32")


@pytest.fixture
def context(folders: dict[int, Path], monkeypatch: pytest.MonkeyPatch) -> Callable[..., CallContext]:
    """Makes contexts in which the model is a tiny checkpoint that paints few pixels."""
    monkeypatch.setattr(paint, "WORK_PIXELS", 64 * 64)

    def make(channels: int = 9, **options: Any) -> CallContext:
        values = {"PROMPTVISION_MODEL_SD15_INPAINT": str(folders[channels])}
        return make_context(models=(SD,), variables=values, **options)

    return make


@pytest.fixture
def noise_image() -> Callable[..., Image.Image]:
    """Make an image of noise, in which every pixel differs from what is painted."""

    def make(size: tuple[int, int], mode: str = "RGB") -> Image.Image:
        values = np.random.default_rng(7).integers(0, 256, (size[1], size[0], 4), dtype=np.uint8)
        image = Image.fromarray(values)
        return image if mode == "RGBA" else image.convert(mode)

    return make
