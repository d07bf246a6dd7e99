"""A tiny checkpoint, loaded by the same code as the real weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from promptvision.testing import CallContext, load_module, make_context
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
