"""The tool, called as by the agent, and agreement with diffusers' pipeline."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from PIL import Image

from promptvision.plugin import ArgumentsError, Cancelled, Placement, StagedRunner, ToolFailed
from promptvision.testing import CallContext, CancelToken, MaskedEditContract, run_tool
from promptvision_sd_inpaint import paint as paint_module
from promptvision_sd_inpaint.load import Painter
from promptvision_sd_inpaint.paint import MAX_STEPS, REMOVAL_PROMPT, paint, prompts
from promptvision_sd_inpaint.plugin import INPAINT, SD, SdArgs

_diffusers: Any = diffusers  # its classes are untyped
Make = Callable[..., CallContext]
REFS = {"image_url": "0" * 64, "mask_url": "1" * 64}


class TestEdits(MaskedEditContract):
    tool = INPAINT
    values = {"prompt": "an orange cat", "seed": 3, "steps": 2}

    @pytest.fixture(autouse=True)
    def _keep(self, context: Make) -> None:
        self.make = context

    def edit_context(self, image: Image.Image) -> CallContext:
        return self.make(channels=9 if image.mode == "RGB" else 4)


def box_mask(size: tuple[int, int], *boxes: tuple[int, int, int, int]) -> Image.Image:
    mask = Image.new("L", size)
    for box in boxes:
        mask.paste(255, box)
    return mask


@pytest.fixture
def scene(noise_image: Callable[..., Image.Image]) -> tuple[Image.Image, Image.Image]:
    """An image and a mask."""
    return noise_image((90, 70)), box_mask((90, 70), (20, 15, 60, 50))


def paint_in(context: CallContext, image: Image.Image, mask: Image.Image, **args: Any) -> Any:
    given = {"prompt": "an orange cat", "seed": 3, "steps": 4, **args}
    return run_tool(INPAINT, image, context=context, mask_url=context.save_mask(mask), **given)


@pytest.mark.parametrize("guidance", [1.0, 3.0])
@pytest.mark.parametrize("strength", [1.0, 0.7])
def test_pixels_equal_those_of_the_pipeline_of_diffusers(
    painter: Painter, noise_image: Callable[..., Image.Image], guidance: float, strength: float
) -> None:
    image, mask = noise_image((96, 64)), box_mask((96, 64), (16, 8, 64, 48))
    args = SdArgs.model_validate(
        {**REFS, "prompt": "a cat", "negative_prompt": "dog", "guidance": guidance, "strength": strength}
    )
    steps: list[int] = []
    made = paint(painter, image, mask, args, seed=5, on_step=steps.append)
    kind, sampler = _diffusers.StableDiffusionInpaintPipeline, _diffusers.LCMScheduler
    reference = kind(
        **{**vars(painter), "scheduler": sampler.from_config(painter.scheduler.config)},
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    wanted = reference(
        "a cat",
        image,
        mask,
        negative_prompt="dog",
        width=96,
        height=64,
        num_inference_steps=6,
        strength=strength,
        guidance_scale=guidance,
        generator=torch.Generator("cpu").manual_seed(5),
    ).images[0]
    assert np.array_equal(np.asarray(made), np.asarray(wanted))
    assert steps == list(range(int(6 * strength)))


def test_same_seed_same_image(context: Make, scene: tuple[Image.Image, Image.Image]) -> None:
    first = paint_in(context(), *scene, seed=1).inpainted_image_url
    assert paint_in(context(), *scene, seed=1).inpainted_image_url == first
    assert paint_in(context(), *scene, seed=2).inpainted_image_url != first
    assert paint_in(context(seed=1), *scene, seed=None).inpainted_image_url == first


def test_arguments_reach_the_model(context: Make, scene: tuple[Image.Image, Image.Image]) -> None:
    held = context()
    plain = paint_in(held, *scene).inpainted_image_url
    for change in (
        {"prompt": "a blue dog"},
        {"negative_prompt": "stripes"},
        {"guidance": 5.0},
        {"strength": 0.6},
        {"steps": 8},
    ):
        assert paint_in(held, *scene, **change).inpainted_image_url != plain, change


def test_calls_at_the_same_time_do_not_affect_each_other(
    context: Make, scene: tuple[Image.Image, Image.Image]
) -> None:
    held = context()
    wanted = {seed: paint_in(held, *scene, seed=seed).inpainted_image_url for seed in (1, 2)}
    found: dict[int, Any] = {}

    def work(seed: int) -> None:
        own = CallContext(images=held._images, pool=held._pool, settings=held.settings)
        found[seed] = paint_in(own, *scene, seed=seed).inpainted_image_url

    threads = [threading.Thread(target=work, args=(seed,)) for seed in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == wanted


def test_distant_regions_are_painted_in_windows_of_their_own(
    context: Make, noise_image: Callable[..., Image.Image]
) -> None:
    image, mask = noise_image((1400, 600)), box_mask((1400, 600), (20, 20, 60, 60), (1300, 500, 1340, 540))
    seen: list[tuple[float, float, str]] = []
    held = context(on_progress=lambda *step: seen.append(step))
    made = np.asarray(held.open(paint_in(held, image, mask).inpainted_image_url))
    steps = [(done, total) for done, total, what in seen if what == "painting"]
    assert steps == [(number, 8) for number in range(1, 9)]
    changed = (made != np.asarray(image)).any(axis=-1)
    assert not changed[np.asarray(mask) == 0].any()
    assert changed[20:60, 20:60].mean() > 0.9
    assert changed[500:540, 1300:1340].mean() > 0.9


def test_a_cancelled_run_stops_at_the_next_step(
    context: Make, scene: tuple[Image.Image, Image.Image]
) -> None:
    token = CancelToken()
    seen: list[float] = []

    def stop(done: float, total: float, message: str) -> None:
        seen.append(done)
        if done == 2:
            token.cancel()

    held = context(cancel=token, on_progress=stop)
    with pytest.raises(Cancelled):
        paint_in(held, *scene)
    assert max(seen) == 2
    assert not [saved for saved in held.saved if saved.kind == "edit"]


def test_more_steps_than_help_are_not_run_and_the_message_says_so(
    context: Make, scene: tuple[Image.Image, Image.Image]
) -> None:
    held = context()
    many, most = (paint_in(held, *scene, steps=steps) for steps in (28, MAX_STEPS))
    assert many.inpainted_image_url == most.inpainted_image_url
    assert many.message == "12 steps are the most that help here, so 28 were not run."
    assert most.message is None


def test_too_few_steps_are_an_error_before_the_model_is_loaded(
    context: Make, scene: tuple[Image.Image, Image.Image]
) -> None:
    held = context()
    with pytest.raises(ArgumentsError, match=r"1 at strength 0\.5 leave no step"):
        paint_in(held, *scene, steps=1, strength=0.5)
    assert held._pool.loaded() == []


def test_words_that_the_model_does_not_read_are_named(
    context: Make, scene: tuple[Image.Image, Image.Image]
) -> None:
    held = context()
    message = paint_in(held, *scene, prompt="orange " * 20 + "cat", steps=1).message
    assert "Stable Diffusion reads only the start of a long prompt; not read: '" in message
    assert "cat'." in message


def test_empty_mask_and_mask_of_another_size_are_errors(
    context: Make, scene: tuple[Image.Image, Image.Image]
) -> None:
    with pytest.raises(ArgumentsError, match="the mask is empty"):
        paint_in(context(), scene[0], Image.new("L", (90, 70)))
    with pytest.raises(ArgumentsError, match="90 x 30 pixels and the image 90 x 70"):
        paint_in(context(), scene[0], Image.new("L", (90, 30), 255))


def test_values_that_are_not_finite_are_an_error(
    context: Make, scene: tuple[Image.Image, Image.Image]
) -> None:
    held = context()
    with held._pool.lease(SD.id) as (painter,):
        painter.vae.decoder.conv_out.bias.data.fill_(float("nan"))
        with pytest.raises(ToolFailed, match="not finite"):
            paint_in(held, *scene)


def test_empty_prompt_paints_background_without_the_target() -> None:
    args = SdArgs.model_validate({**REFS, "target": "lion", "negative_prompt": "blur"})
    assert prompts(args) == (REMOVAL_PROMPT, "lion, blur")
    assert prompts(SdArgs.model_validate(REFS)) == (REMOVAL_PROMPT, "object, person, animal")
    assert prompts(SdArgs.model_validate({**REFS, "prompt": "cat"})) == ("cat", "")


def test_second_call_with_the_same_prompt_runs_no_text_encoder(
    context: Make, scene: tuple[Image.Image, Image.Image], tmp_path: Path
) -> None:
    held, plain = context(home=tmp_path), context()
    plain._stages = None
    runs: list[int] = []
    for each in (held, plain):
        painter = each.lease(SD.id)
        painter.text_encoder.register_forward_hook(lambda *_: runs.append(1))
        each.release(SD.id)
    first = paint_in(held, *scene)
    assert len(runs) == 2
    assert paint_in(held, *scene) == first
    assert len(runs) == 2
    held._stages.close()  # type: ignore[union-attr]
    assert paint_in(context(home=tmp_path), *scene) == first
    assert len(runs) == 2
    assert paint_in(plain, *scene) == first
    assert len(runs) == 4


@pytest.mark.parametrize("placement", [Placement.GROUP, Placement.SEQUENTIAL])
def test_every_placement_paints_the_same(
    context: Make,
    scene: tuple[Image.Image, Image.Image],
    monkeypatch: pytest.MonkeyPatch,
    placement: Placement,
) -> None:
    """The CPU acts as the GPU; the first attempt runs out of memory, and the second one is whole."""
    wanted = paint_in(context(), *scene).inpainted_image_url
    original, left = paint_module.paint, [torch.OutOfMemoryError("CUDA out of memory")]

    def full(*args: Any, **options: Any) -> Image.Image:
        if left:
            raise left.pop()
        return original(*args, **options)

    monkeypatch.setattr("promptvision.tools.stages.release_cached", lambda: None)  # collects all garbage
    monkeypatch.setattr(paint_module, "paint", full)
    monkeypatch.setattr(CallContext, "choose_placement", lambda self, plans: placement)
    monkeypatch.setattr(paint_module, "StagedRunner", lambda held, at: StagedRunner(held, at, gpu="cpu"))
    result = paint_in(context(), *scene)
    assert result.inpainted_image_url == wanted
    assert result.message == "While painting, memory ran out; tried again with cached memory released."
