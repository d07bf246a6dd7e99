"""New images: agreement with diffusers' own pipeline, and models that are shared with inpainting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import diffusers
import numpy as np
import pytest
from PIL import Image

from promptvision.plugin import Cancelled, StopTurn
from promptvision.testing import CallContext, CancelToken, run_tool
from promptvision_sdxl_inpaint.generate import size_of
from promptvision_sdxl_inpaint.plugin import (
    BASE,
    GENERATE,
    GENERATOR,
    INPAINT,
    TEXT_ENCODER,
    TEXT_ENCODER_2,
    VAE,
)

Make = Callable[..., CallContext]
_diffusers: Any = diffusers  # its classes are untyped
STEPS = 4


def draw(context: CallContext, **args: Any) -> Any:
    return run_tool(
        GENERATE, context=context, **{"prompt": "a red bicycle", "seed": 3, "steps": STEPS, **args}
    )


@pytest.mark.parametrize("negative", [None, "blurry"])
@pytest.mark.parametrize("guidance", [1.0, 5.0])
def test_image_equals_that_of_the_pipeline_of_diffusers(
    context: Make, folders: Any, negative: str | None, guidance: float
) -> None:
    held = context()
    made = held.open(draw(held, negative_prompt=negative, guidance=guidance).generated_image_url)
    kind, solver = _diffusers.StableDiffusionXLPipeline, _diffusers.DPMSolverMultistepScheduler
    reference = kind.from_pretrained(folders.bases[4], add_watermarker=False)
    reference.scheduler = solver.from_config(reference.scheduler.config)
    reference.set_progress_bar_config(disable=True)
    import torch

    wanted = reference(
        "a red bicycle",
        negative_prompt=negative,
        width=64,
        height=64,
        num_inference_steps=STEPS,
        guidance_scale=guidance,
        generator=torch.Generator("cpu").manual_seed(3),
    ).images[0]
    assert np.array_equal(np.asarray(made), np.asarray(wanted))


def test_text_encoders_and_vae_are_those_of_inpainting(context: Make) -> None:
    held = context()
    image, mask = Image.new("RGB", (60, 40), "white"), Image.new("L", (60, 40), 255)
    run_tool(
        INPAINT, image, context=held, mask_url=held.save_mask(mask), prompt="a cat", steps=2, refiner=False
    )
    shared = (TEXT_ENCODER, TEXT_ENCODER_2, VAE)
    with held._pool.lease(*shared) as before:
        pass
    draw(held)
    with held._pool.lease(*shared) as after:
        assert all(one is other for one, other in zip(before, after, strict=True))
    assert {model.id for model in held._pool.loaded()} == {*shared, BASE, GENERATOR}
    assert len(held._pool.loaded()) == 5


@pytest.mark.parametrize(
    ("format_", "size"),
    [("square", (1024, 1024)), ("landscape", (1216, 832)), ("portrait", (832, 1216))],
)
def test_formats_have_about_a_megapixel(format_: str, size: tuple[int, int]) -> None:
    assert size_of(format_, 1024 * 1024) == size


def test_format_seed_and_setting_decide_the_image(context: Make) -> None:
    held = context(variables={"PROMPTVISION_SDXL_PIXELS": "8192"})
    square, wide = (draw(held, format=name).generated_image_url for name in ("square", "landscape"))
    assert held.open(square).size == (88, 88)
    assert held.open(wide).size == (104, 72)
    assert draw(held).generated_image_url == square
    assert draw(held, seed=4).generated_image_url != square


def test_progress_counts_the_steps_and_a_call_stops_between_them(context: Make) -> None:
    seen: list[tuple[float, float]] = []
    draw(context(on_progress=lambda done, total, message: seen.append((done, total))))
    assert seen == [(done, STEPS) for done in range(STEPS + 1)]
    token = CancelToken()
    stop = lambda done, total, message: token.cancel() if done == 2 else None  # noqa: E731
    held = context(on_progress=stop, cancel=token)
    with pytest.raises(Cancelled):
        draw(held)
    assert held.saved == []


def test_words_that_the_model_does_not_read_are_named(context: Make) -> None:
    message = draw(context(), prompt="orange " * 20 + "cat").message
    assert "SDXL reads only the start of a long prompt; not read: '" in message


def refuse(image: Image.Image, prompt: str) -> str:
    """A content check."""
    return f"no {prompt} here"


def test_content_check_can_refuse(context: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys
    from types import ModuleType

    module = ModuleType("content_rules")
    module.check = refuse  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "content_rules", module)
    held = context(variables={"PROMPTVISION_SDXL_CONTENT_CHECK": "content_rules:check"})
    with pytest.raises(StopTurn, match="no a red bicycle here"):
        draw(held)
    assert held.saved == []
