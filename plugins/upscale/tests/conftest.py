"""Tiny graphs with the interface of the published model, and contexts that use them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from promptvision.testing import CallContext, load_module, make_context
from promptvision_upscale.plugin import SWIN2SR


@pytest.fixture(scope="session")
def tiny_upscaling() -> ModuleType:
    """The builder of ``tiny_upscaling.py``."""
    return load_module(Path(__file__).with_name("tiny_upscaling.py"))


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
