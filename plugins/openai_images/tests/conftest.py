"""The stub host, and contexts that are configured to use it."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from promptvision.testing import CallContext, make_context


@pytest.fixture(scope="session")
def stub_host() -> ModuleType:
    """The module ``stub_host.py``."""
    file = Path(__file__).with_name("stub_host.py")
    spec = importlib.util.spec_from_file_location("promptvision_openai_images_stub_host", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def host(stub_host: ModuleType) -> Iterator[Any]:
    """A running host."""
    with stub_host.StubHost() as running:
        yield running


@pytest.fixture
def variables(host: Any) -> dict[str, Any]:
    """Settings that name the host."""
    return {"PROMPTVISION_OPENAI_IMAGES_KEY": "sk-secret", "PROMPTVISION_OPENAI_IMAGES_URL": host.url}


@pytest.fixture
def context(variables: dict[str, Any]) -> Callable[..., CallContext]:
    """Makes contexts; further settings by name."""

    def make(on_progress: Any = None, **more: Any) -> CallContext:
        return make_context(variables={**variables, **more}, on_progress=on_progress)

    return make


@pytest.fixture
def noise_image() -> Callable[..., Image.Image]:
    """Make an image of noise, in which every pixel differs from the drawn colour."""

    def make(size: tuple[int, int], mode: str = "RGB") -> Image.Image:
        values = np.random.default_rng(7).integers(0, 256, (size[1], size[0], 4), dtype=np.uint8)
        image = Image.fromarray(values)
        return image if mode == "RGBA" else image.convert(mode)

    return make
