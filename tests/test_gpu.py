"""Tests that need a GPU, on tiny checkpoints; ``scripts/gpu_check`` runs them with the benchmarks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from promptvision import Agent, Settings
from promptvision.models.devices import has_cuda
from promptvision.testing import CallContext, load_module, make_context, rectangles, run_tool
from promptvision.testing.program import write_plugin

pytestmark = [
    pytest.mark.skipif(not has_cuda(), reason="no CUDA device"),
    # diffusers' DPM-Solver converts a torch tensor to a numpy array in the style of numpy 1
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning"),
]

PLUGINS = Path(__file__).resolve().parent.parent / "plugins"
BOXES = [[30, 40, 130, 140], [190, 10, 270, 190]]

_FAULTY = '''
"""A tool whose first call reads outside of a tensor on the GPU."""

from pathlib import Path

from promptvision.plugin import tool

PLUGIN_API = 1


@tool
def sharpen_text(mark: str) -> str:
    """Sharpen.

    Args:
        mark: a file that the first call makes.
    """
    import torch

    values = torch.arange(4, device="cuda")
    index = torch.tensor([2 if Path(mark).exists() else 2**20], device="cuda")
    Path(mark).touch()
    return f"sharp: {int(values[index].sum().item())}"
'''


@pytest.fixture(scope="module")
def make_sdxl(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., CallContext]:
    """Makes contexts in which the models of SDXL are tiny checkpoints."""
    tiny = load_module(PLUGINS / "sdxl_inpaint" / "tests" / "tiny_sdxl.py")
    home = tmp_path_factory.mktemp("sdxl")
    base, refiner = tiny.build_base(home / "base"), tiny.build_refiner(home / "refiner")
    variables = {**tiny.variables(base, refiner), "PROMPTVISION_SDXL_PIXELS": "4096"}

    def make(**options: Any) -> CallContext:
        from promptvision_sdxl_inpaint.plugin import SPECS

        return make_context(models=SPECS, variables=variables, **options)

    return make


def scene() -> tuple[Image.Image, Image.Image]:
    """An image of noise and a mask."""
    pixels = np.random.default_rng(0).integers(0, 256, (70, 90, 3), dtype=np.uint8)
    return Image.fromarray(pixels), Image.fromarray(rectangles((90, 70), (20, 15, 60, 50))).convert("L")


def paint(context: CallContext, **args: Any) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The pixels of an edit."""
    from promptvision_sdxl_inpaint.plugin import INPAINT

    image, mask = scene()
    given = {"prompt": "an orange cat", "seed": 3, "steps": 4, **args}
    result = run_tool(INPAINT, image, context=context, mask_url=context.save_mask(mask), **given)
    return np.asarray(context.open(result.inpainted_image_url))


def test_edit_runs_on_the_gpu_and_keeps_the_outside(make_sdxl: Callable[..., CallContext]) -> None:
    context = make_sdxl()
    made = paint(context)
    image, mask = scene()
    outside = np.asarray(mask) == 0
    assert np.array_equal(made[outside], np.asarray(image)[outside])
    assert {model.device for model in context._pool.loaded()} == {"cuda"}


def test_second_edit_reads_no_prompt_and_loads_nothing(
    make_sdxl: Callable[..., CallContext], tmp_path: Path
) -> None:
    context = make_sdxl(home=tmp_path)
    first = paint(context)
    loaded = {(model.id, model.load_s) for model in context._pool.loaded()}
    assert np.array_equal(paint(context), first)
    assert {(model.id, model.load_s) for model in context._pool.loaded()} == loaded
    (use,) = context._stages.use()  # type: ignore[union-attr]
    assert (use.hits, use.misses) == (1, 1)
    context._stages.close()  # type: ignore[union-attr]
    restarted = make_sdxl(home=tmp_path)
    assert np.array_equal(paint(restarted), first)
    assert "sdxl-text-encoder" not in restarted.models


def test_masks_are_the_same_after_a_restart_without_the_encoder(tmp_path: Path) -> None:
    from promptvision_sam.plugin import REQUIRES, model_spec, segment_tool

    tiny = load_module(PLUGINS / "sam" / "tests" / "tiny_sam.py")
    folder = tiny.build_transformers(tmp_path / "sam")
    image = scene()[0].resize((300, 200))
    encodings: list[int] = []

    def segmented() -> list[str]:
        context = make_context(
            models=[model_spec(ultralytics=False)],
            variables={"PROMPTVISION_MODEL_SAM2_1_L": str(folder)},
            home=tmp_path,
        )
        engine = context.lease(*REQUIRES.models)
        assert engine.device == "cuda"
        engine.model.vision_encoder.register_forward_hook(lambda *_: encodings.append(1))
        tool = segment_tool(ultralytics=False)
        result = run_tool(tool, image, context=context, bounding_boxes=BOXES)
        context._stages.close()  # type: ignore[union-attr]
        return [ref.id for ref in result.mask_urls]

    assert segmented() == segmented()
    assert len(encodings) == 1


def test_captions_together_are_those_of_single_calls(tmp_path: Path) -> None:
    from promptvision_florence.caption import TASKS
    from promptvision_florence.generation import write, write_all
    from promptvision_florence.load import load

    tiny = load_module(PLUGINS / "florence" / "tests" / "tiny_florence.py")
    florence = load(tiny.build(tmp_path / "florence"), "cuda", "float32")
    image = scene()[0]
    images = [image, image.rotate(90, expand=True), image.resize((33, 90))]
    single = [write(florence, one, TASKS["brief"], lambda: None) for one in images]
    assert write_all(florence, images, TASKS["brief"], [lambda: None] * 3) == single


def test_device_side_assert_replaces_one_worker_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(write_plugin(tmp_path / "site", "sharpening", _FAULTY)))
    settings = Settings.from_mapping(
        {
            "PROMPTVISION_HOME": str(tmp_path / "home"),
            "PROMPTVISION_CONVERSATIONS": "memory:",
            "PROMPTVISION_EXECUTOR": "processes",
            "PROMPTVISION_WORKERS": 1,
        }
    )

    async def call() -> Any:
        async with Agent(settings) as agent:
            return await agent.call_tool("sharpen_text", {"mark": str(tmp_path / "mark")})

    reply = asyncio.run(call())
    assert [step.status for step in reply.steps] == ["failed", "done"]
    assert "its worker process was replaced" in str(reply.steps[0].message)
    assert "sharp: 2" in reply.text_response
