"""Fixtures of tests across members: tiny checkpoints of every neural plugin, and a PostgreSQL."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from promptvision.testing.environments import Environments
from promptvision.testing.modules import load_module
from promptvision.testing.needs import enter_or_skip
from promptvision.testing.postgres import PostgresServer, postgres_server

PLUGINS = Path(__file__).parents[1] / "plugins"


def _builder(plugin: str, name: str) -> ModuleType:
    return load_module(PLUGINS / plugin / "tests" / f"{name}.py")


# The speed of generating and running examples depends on the load of the machine.
hypothesis_settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("any machine")


def pytest_configure(config: pytest.Config) -> None:
    # diffusers' DPM-Solver converts a torch tensor to a numpy array in the style of numpy 1
    config.addinivalue_line(
        "filterwarnings", "ignore:__array__ implementation doesn't accept:DeprecationWarning"
    )


def pytest_collection_finish(session: pytest.Session) -> None:
    """Keep the garbage collector from scanning all tests and imported frameworks in each full collection."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with ExitStack() as stack:
        yield enter_or_skip(stack, postgres_server())


@pytest.fixture(scope="session")
def tiny_models(
    one_torch_thread: None, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, str]]:
    """Plugin name to the settings that replace its models by untrained checkpoints."""
    home = tmp_path_factory.mktemp("tiny-models")
    sdxl = _builder("sdxl_inpaint", "tiny_sdxl")
    dino = _builder("grounding_dino", "tiny_grounding_dino").build(home / "grounding-dino")
    sam = _builder("sam", "tiny_sam").build_transformers(home / "sam")
    florence = _builder("florence", "tiny_florence").build(home / "florence")
    matting = _builder("cutout", "tiny_matting").build(home / "birefnet.onnx")
    inpainting = _builder("erase", "tiny_inpainting").build(home / "migan.onnx")
    upscaling = _builder("upscale", "tiny_upscaling").build(home / "swin2sr.onnx")
    smolvlm = _builder("vqa", "tiny_smolvlm").build(home / "smolvlm")
    sd = _builder("sd_inpaint", "tiny_sd").build(home / "sd")
    return {
        "sd_inpaint": {"PROMPTVISION_MODEL_SD15_INPAINT": str(sd)},
        "vqa": {"PROMPTVISION_MODEL_SMOLVLM_256M": str(smolvlm)},
        "upscale": {"PROMPTVISION_MODEL_SWIN2SR_X2": str(upscaling)},
        "erase": {"PROMPTVISION_MODEL_MIGAN_512": str(inpainting)},
        "cutout": {"PROMPTVISION_MODEL_BIREFNET_LITE": str(matting)},
        "grounding_dino": {"PROMPTVISION_MODEL_GROUNDING_DINO_BASE": str(dino)},
        "sam": {"PROMPTVISION_MODEL_SAM2_1_L": str(sam)},
        "sdxl_inpaint": sdxl.variables(sdxl.build_base(home / "base"), sdxl.build_refiner(home / "refiner")),
        "florence": {"PROMPTVISION_MODEL_FLORENCE_2_LARGE": str(florence)},
    }


@pytest.fixture(scope="session")
def environments() -> Environments:
    if (uv := shutil.which("uv")) is None:
        pytest.skip("uv is not installed")
    return Environments(uv)
