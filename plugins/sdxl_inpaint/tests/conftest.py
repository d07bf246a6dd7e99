"""Tiny SDXL checkpoints in the real folder layout, loaded by the same code as the real weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from promptvision.testing import CallContext, load_module, make_context
from promptvision_sdxl_inpaint.load import (
    Denoiser,
    TextEncoder,
    load_denoiser,
    load_text_encoder,
    load_text_encoder_2,
    load_vae,
)
from promptvision_sdxl_inpaint.plugin import SPECS

PIXELS = 64 * 64


def pytest_configure(config: pytest.Config) -> None:
    # diffusers' DPM-Solver converts a torch tensor to a numpy array in the style of numpy 1
    config.addinivalue_line(
        "filterwarnings", "ignore:__array__ implementation doesn't accept:DeprecationWarning"
    )


@pytest.fixture(scope="session", autouse=True)
def _one_thread(one_torch_thread: None) -> None:
    """Run all tests of this folder on one thread of torch."""


@pytest.fixture(scope="session")
def tiny_sdxl() -> ModuleType:
    """The builders of ``tiny_sdxl.py``."""
    return load_module(Path(__file__).with_name("tiny_sdxl.py"))


@dataclass(frozen=True)
class Folders:
    """Paths of the tiny checkpoints: bases by number of channels, and the refiner."""

    bases: dict[int, Path]
    refiner: Path


@pytest.fixture(scope="session")
def folders(tiny_sdxl: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """All tiny checkpoints."""
    home = tmp_path_factory.mktemp("sdxl")
    bases = {
        channels: tiny_sdxl.build_base(home / f"base{channels}", channels=channels) for channels in (4, 9)
    }
    return Folders(bases, tiny_sdxl.build_refiner(home / "refiner"))


@dataclass(frozen=True)
class Models:
    """The five models, loaded on the CPU."""

    base: Denoiser
    refiner: Denoiser
    first: TextEncoder
    second: TextEncoder
    vae: Any


@pytest.fixture(scope="session", params=[4, 9], ids=["4-channel", "9-channel"])
def models(request: pytest.FixtureRequest, folders: Folders) -> Models:
    """Loaded models, for both kinds of base."""
    base = folders.bases[request.param]
    return Models(
        load_denoiser(base, "cpu", "float32"),
        load_denoiser(folders.refiner, "cpu", "float32"),
        load_text_encoder(base, "cpu", "float32"),
        load_text_encoder_2(base, "cpu", "float32"),
        load_vae(base, "cpu", "float32"),
    )


@pytest.fixture
def context(folders: Folders, tiny_sdxl: ModuleType) -> Callable[..., CallContext]:
    """Make a context in which the five models are the tiny checkpoints."""

    def make(*, channels: int = 9, variables: dict[str, str] | None = None, **options: Any) -> CallContext:
        values = tiny_sdxl.variables(folders.bases[channels], folders.refiner, folders.bases[4])
        values.update({"PROMPTVISION_SDXL_PIXELS": str(PIXELS), **(variables or {})})
        return make_context(models=SPECS, variables=values, **options)

    return make
