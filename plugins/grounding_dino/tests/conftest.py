"""A tiny checkpoint in the real file layout, built once per run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from promptvision.testing import load_module


def load_builder() -> Any:
    """The module ``tiny_grounding_dino`` next to this file."""
    return load_module(Path(__file__).with_name("tiny_grounding_dino.py"))


@pytest.fixture(scope="session")
def checkpoint(one_torch_thread: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of an untrained Grounding DINO."""
    folder: Path = load_builder().build(tmp_path_factory.mktemp("grounding-dino"))
    return folder


@pytest.fixture(scope="session")
def detector(checkpoint: Path) -> Any:
    """The checkpoint, loaded as by the model pool."""
    from promptvision_grounding_dino.load import load

    return load(checkpoint, "cpu", "float32")


@pytest.fixture
def image() -> Image.Image:
    """400 x 300 pixels of coloured noise, sufficient for an untrained model."""
    pixels = np.random.default_rng(7).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    return Image.fromarray(pixels)
