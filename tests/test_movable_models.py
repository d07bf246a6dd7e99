"""Models that plugins declare as movable: copies of them, made like those on a GPU, give the same results."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import torch
from PIL import Image

from promptvision.builtin.memory_images import MemoryImageStore
from promptvision.models import loader as loader_module
from promptvision.models.copies import modules_of
from promptvision.models.pool import ModelPool
from promptvision.plugins.registry import Registry
from promptvision.runtime.context import CallContext
from promptvision.runtime.image_cache import ImageCache
from promptvision.settings import Settings
from promptvision.testing import run_tool
from promptvision.tools.stages import StagedRunner
from promptvision.tools.tool import Tool

loader: Any = loader_module
CALLS: dict[str, dict[str, Any]] = {
    "grounding_dino": {"prompt": "lion. tree."},
    "florence": {"detail": "brief"},
    "smolvlm": {"question": "what is it?"},
    "sd_inpaint": {"prompt": "a cat", "seed": 3, "steps": 2},
}
"""Tools with one movable model to their arguments beside the images."""

MOVABLE = {
    *("grounding-dino-base", "grounding-dino-tiny", "florence-2-large", "florence-2-base"),
    *("florence-2-large-ft", "florence-2-base-ft"),
    *("smolvlm-256m", "smolvlm-500m", "sd15-inpaint"),
    *("sdxl-inpaint", "sdxl-base", "sdxl-refiner", "sdxl-text-encoder", "sdxl-text-encoder-2", "sdxl-vae"),
}


@dataclass
class MainMemory:
    """An accelerator whose memory is main memory: each copy has storage of its own."""

    copied: list[torch.Tensor] = field(default_factory=list)

    def label(self) -> str:
        return ""

    def allocated_bytes(self) -> int | None:
        return None

    def peak_bytes(self) -> int | None:
        return None

    def reset_peak(self) -> None:
        pass

    def place(self, tensor: torch.Tensor) -> torch.Tensor:
        self.copied.append(tensor)
        return tensor.clone()

    def synchronize(self) -> None:
        pass

    def pin(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor


@pytest.fixture(scope="module")
def registry(tiny_models: dict[str, dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Registry:
    variables = {"PROMPTVISION_HOME": str(tmp_path_factory.mktemp("movable"))}
    for models in tiny_models.values():
        variables.update(models)
    return Registry.load(Settings.from_mapping(variables))


def test_which_models_are_movable(registry: Registry) -> None:
    assert {id_ for id_, spec in registry.models.items() if spec.movable} == MOVABLE


@pytest.mark.parametrize("name", CALLS)
def test_a_copy_gives_the_same_result_and_is_made_without_reading_the_disk_again(
    registry: Registry, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = registry.tools_by_name()[name]
    specs = {
        id_: replace(spec, dtypes={"cuda": ("float32",), "cpu": ("float32",)})
        for id_, spec in registry.models.items()
    }
    gpu = MainMemory()
    pool = ModelPool(
        specs,
        registry.settings,
        device="cuda",
        usable_bytes=lambda device, held: 10**11,
        accelerator=gpu,
    )
    loads: list[str] = []
    original = loader.load_model

    def count(spec: Any, *args: Any, **options: Any) -> Any:
        loads.append(spec.id)
        return original(spec, *args, **options)

    monkeypatch.setattr(loader, "load_model", count)
    monkeypatch.setattr(StagedRunner, "run", run_in_main_memory)
    wanted = run(tool, ModelPool(specs, registry.settings, device="cpu"), registry.settings)
    loads.clear()
    assert run(tool, pool, registry.settings) == wanted
    (model,) = loads
    assert {(one.id, one.device) for one in pool.loaded()} == {(model, "host"), (model, "cuda")}
    first = len(gpu.copied)
    pool.free_unused(device="cuda")
    assert run(tool, pool, registry.settings) == wanted
    assert loads == [model]
    assert len(gpu.copied) == 2 * first
    with pool.lease(model) as (copy,), pool.lease(model, device="cpu", compute_device="cuda") as (master,):
        storage = {tensor.data_ptr() for module in modules_of(copy) for tensor in module.parameters()}
        kept = {tensor.data_ptr() for module in modules_of(master) for tensor in module.parameters()}
    assert not storage & kept
    assert pool.speeds.copied_bytes > 0
    pool.close()


STAGED_RUN = StagedRunner.run


def run_in_main_memory(self: StagedRunner, what: str, models: Any, work: Any, **options: Any) -> Any:
    """Compute on the device of the copies."""
    return STAGED_RUN(self, what, models, lambda device, *loaded: work("cpu", *loaded), **options)


def run(tool: Tool, pool: ModelPool, settings: Settings) -> Any:
    """The result of a call; images by the hash of their bytes."""
    context = CallContext(images=ImageCache(MemoryImageStore()), pool=pool, settings=settings)
    image = Image.linear_gradient("L").resize((96, 64)).convert("RGB")
    args = dict(CALLS[tool.name])
    if "mask_url" in tool.args.model_fields:
        mask = Image.new("L", image.size, 0)
        mask.paste(255, (20, 20, 60, 50))
        args["mask_url"] = context.save_mask(mask)
    return run_tool(tool, image, context=context, **args).model_dump(mode="json")
