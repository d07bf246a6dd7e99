"""A tiny checkpoint, loaded by the same code as the real weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from promptvision.testing import CallContext, load_module, make_context
from promptvision_vqa.plugin import LARGE, SMALL


@pytest.fixture(scope="session", autouse=True)
def _one_thread(one_torch_thread: None) -> None:
    """Run all tests of this folder on one thread of torch."""


@pytest.fixture(scope="session")
def tiny_smolvlm() -> ModuleType:
    """The builder of ``tiny_smolvlm.py``."""
    return load_module(Path(__file__).with_name("tiny_smolvlm.py"))


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
