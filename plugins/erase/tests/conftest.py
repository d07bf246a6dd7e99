"""Tiny graphs with the interfaces of the published models, and contexts that use them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from promptvision.testing import CallContext, load_module, make_context
from promptvision_erase.plugin import LAMA, MIGAN


@pytest.fixture(scope="session")
def tiny_inpainting() -> ModuleType:
    """The builder of ``tiny_inpainting.py``."""
    return load_module(Path(__file__).with_name("tiny_inpainting.py"))


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
