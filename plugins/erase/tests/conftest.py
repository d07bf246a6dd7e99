"""Tiny graphs with the interfaces of the published models, and contexts that use them."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from promptvision.testing import CallContext, make_context
from promptvision_erase.plugin import LAMA, MIGAN


@pytest.fixture(scope="session")
def tiny_inpainting() -> ModuleType:
    """The builder of ``tiny_inpainting.py``."""
    file = Path(__file__).with_name("tiny_inpainting.py")
    spec = importlib.util.spec_from_file_location("tiny_inpainting", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def graphs(tiny_inpainting: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Kind of interface to a tiny graph with it."""
    home = tmp_path_factory.mktemp("inpainting")
    return {
        "migan": tiny_inpainting.build(home / "migan.onnx"),
        "lama": tiny_inpainting.build(home / "lama.onnx", "lama", side=64),
        "lama_joined": tiny_inpainting.build(home / "lama_joined.onnx", "lama_joined"),
    }


@pytest.fixture
def context(graphs: dict[str, Path]) -> Callable[..., CallContext]:
    """Makes contexts that use a tiny graph as the model."""

    def make(kind: str = "migan", **options: Any) -> CallContext:
        values = {"PROMPTVISION_MODEL_MIGAN_512": str(graphs[kind])}
        return make_context(models=(MIGAN, LAMA), variables=values, **options)

    return make


@pytest.fixture
def noise_image() -> Callable[..., Image.Image]:
    """Make an image of noise, in which every pixel differs from the filled colour."""

    def make(size: tuple[int, int], mode: str = "RGB") -> Image.Image:
        values = np.random.default_rng(7).integers(0, 256, (size[1], size[0], 4), dtype=np.uint8)
        image = Image.fromarray(values)
        return image if mode == "RGBA" else image.convert(mode)

    return make
