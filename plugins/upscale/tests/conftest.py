"""Tiny graphs with the interface of the published model, and contexts that use them."""

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
from promptvision_upscale.plugin import SWIN2SR


@pytest.fixture(scope="session")
def tiny_upscaling() -> ModuleType:
    """The builder of ``tiny_upscaling.py``."""
    file = Path(__file__).with_name("tiny_upscaling.py")
    spec = importlib.util.spec_from_file_location("tiny_upscaling", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def graphs(tiny_upscaling: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Kind to a tiny graph of it."""
    home = tmp_path_factory.mktemp("upscaling")
    kinds = ("exact", "soft", "broken", "same_size")
    return {kind: tiny_upscaling.build(home / f"{kind}.onnx", kind) for kind in kinds}


@pytest.fixture
def context(graphs: dict[str, Path]) -> Callable[..., CallContext]:
    """Makes contexts that use a tiny graph as the model."""

    def make(kind: str = "exact", **options: Any) -> CallContext:
        values = {"PROMPTVISION_MODEL_SWIN2SR_X2": str(graphs[kind])}
        return make_context(models=(SWIN2SR,), variables=values, **options)

    return make


@pytest.fixture
def noise_image() -> Callable[..., Image.Image]:
    """Make an image of noise."""

    def make(size: tuple[int, int], mode: str = "RGB") -> Image.Image:
        values = np.random.default_rng(7).integers(0, 256, (size[1], size[0], 4), dtype=np.uint8)
        image = Image.fromarray(values)
        return image if mode == "RGBA" else image.convert(mode)

    return make
