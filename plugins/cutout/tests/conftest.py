"""Tiny graphs with the interface of the published models, and contexts that use them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from promptvision.testing import CallContext, load_module, make_context
from promptvision_cutout.plugin import BIREFNET, ISNET


@pytest.fixture(scope="session")
def tiny_matting() -> ModuleType:
    """The builder of ``tiny_matting.py``."""
    return load_module(Path(__file__).with_name("tiny_matting.py"))


@pytest.fixture(scope="session")
def graphs(tiny_matting: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Model id to the tiny graph that replaces it."""
    home = tmp_path_factory.mktemp("matting")
    return {
        BIREFNET.id: tiny_matting.build(home / "birefnet.onnx"),
        ISNET.id: tiny_matting.build(home / "isnet.onnx", kind="isnet"),
    }


@pytest.fixture(scope="session")
def variables(graphs: dict[str, Path]) -> dict[str, str]:
    """Settings that replace the models with the tiny graphs."""
    return {
        "PROMPTVISION_MODEL_BIREFNET_LITE": str(graphs[BIREFNET.id]),
        "PROMPTVISION_MODEL_ISNET_GENERAL_USE": str(graphs[ISNET.id]),
    }


@pytest.fixture
def context(variables: dict[str, str]) -> Callable[..., CallContext]:
    """Makes contexts; further settings by name."""

    def make(**more: str) -> CallContext:
        return make_context(models=(BIREFNET, ISNET), variables={**variables, **more})

    return make
