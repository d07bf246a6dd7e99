"""Tiny checkpoints, loaded by the same code as the real weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from promptvision.testing import CallContext, load_module, make_context
from promptvision_sd_inpaint import paint
from promptvision_sd_inpaint.load import Painter, load
from promptvision_sd_inpaint.plugin import SD


@pytest.fixture(scope="session", autouse=True)
def _one_thread(one_torch_thread: None) -> None:
    """Run all tests of this folder on one thread of torch."""


@pytest.fixture(scope="session")
def tiny_sd() -> ModuleType:
    """The builders of ``tiny_sd.py``."""
    return load_module(Path(__file__).with_name("tiny_sd.py"))


@pytest.fixture(scope="session")
def folders(tiny_sd: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Number of channels to a tiny checkpoint."""
    home = tmp_path_factory.mktemp("sd")
    return {channels: tiny_sd.build(home / str(channels), channels=channels) for channels in (4, 9)}


@pytest.fixture(scope="session", params=[4, 9], ids=["4-channel", "9-channel"])
def painter(request: pytest.FixtureRequest, folders: dict[int, Path]) -> Painter:
    """A loaded model of either kind."""
    return load(folders[request.param], "cpu", "float32")


@pytest.fixture
def context(folders: dict[int, Path], monkeypatch: pytest.MonkeyPatch) -> Callable[..., CallContext]:
    """Makes contexts in which the model is a tiny checkpoint that paints few pixels."""
    monkeypatch.setattr(paint, "WORK_PIXELS", 64 * 64)

    def make(channels: int = 9, **options: Any) -> CallContext:
        values = {"PROMPTVISION_MODEL_SD15_INPAINT": str(folders[channels])}
        return make_context(models=(SD,), variables=values, **options)

    return make
