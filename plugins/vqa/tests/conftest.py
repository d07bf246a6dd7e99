"""A tiny checkpoint, loaded by the same code as the real weights."""

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
from promptvision_vqa.plugin import LARGE, SMALL


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny tensors are slower on several threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def tiny_smolvlm() -> ModuleType:
    """The builder of ``tiny_smolvlm.py``."""
    spec = importlib.util.spec_from_file_location("tiny_smolvlm", Path(__file__).with_name("tiny_smolvlm.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def folder(tiny_smolvlm: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny checkpoint."""
    made: Path = tiny_smolvlm.build(tmp_path_factory.mktemp("smolvlm"))
    return made


@pytest.fixture
def context(folder: Path) -> Callable[..., CallContext]:
    """Makes contexts in which the model is the tiny checkpoint."""

    def make(**options: Any) -> CallContext:
        values = {"PROMPTVISION_MODEL_SMOLVLM_256M": str(folder)}
        return make_context(models=(SMALL, LARGE), variables=values, **options)

    return make


@pytest.fixture
def noise_image() -> Callable[..., Image.Image]:
    """Make an image of noise."""

    def make(size: tuple[int, int], mode: str = "RGB", seed: int = 7) -> Image.Image:
        values = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 4), dtype=np.uint8)
        image = Image.fromarray(values)
        return image if mode == "RGBA" else image.convert(mode)

    return make
