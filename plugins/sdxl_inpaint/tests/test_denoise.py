"""Tests of the two stages: latents outside the mask, and comparisons with diffusers' own pipeline."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from diffusers import (
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    StableDiffusionXLInpaintPipeline,
)

from promptvision_sdxl_inpaint.denoise import (
    SPLIT,
    Canvas,
    Embeddings,
    denoise,
    draw_noise,
    embed_prompts,
    plan,
)

STEPS, SEED = 10, 5
WORDS: dict[str, Any] = {"prompt": "an orange cat", "negative": "blurry", "guided": True}
SIDE = 8


@pytest.fixture(params=[EulerDiscreteScheduler, DPMSolverMultistepScheduler])
def scheduler(request: pytest.FixtureRequest, models: Any) -> Any:
    """Either scheduler on the schedule of the checkpoint."""
    return request.param.from_config(models.base.scheduler.config)


def make_canvas(mask: torch.Tensor) -> Canvas:
    """Random latents with a standard deviation of about 1, like those of images."""
    generator = torch.Generator().manual_seed(1)
    original = torch.randn(1, 4, SIDE, SIDE, generator=generator)
    masked = torch.randn(1, 4, SIDE, SIDE, generator=generator)
    noise = draw_noise(original.shape, SEED, torch.float32)
    return Canvas(original=original, masked=masked, mask=mask, noise=noise)


@pytest.fixture
def canvas() -> Canvas:
    """A mask of two regions, one at the border."""
    mask = torch.zeros(1, 1, SIDE, SIDE, dtype=torch.bool)
    mask[..., 0:3, 0:4] = True
    mask[..., 5:7, 3:7] = True
    return make_canvas(mask)


def run_base(models: Any, scheduler: Any, canvas: Canvas, **more: Any) -> torch.Tensor:
    options: dict[str, Any] = {
        "scheduler": scheduler,
        "canvas": canvas,
        "embeddings": embed_prompts("cpu", models.first, models.second, **WORDS),
        "steps": STEPS,
        "strength": 0.99,
        "guidance": 7.5,
        "seed": SEED,
        "on_step": lambda index: None,
        "handover": True,
    }
    return denoise("cpu", models.base, models.vae, **{**options, **more})


def run_refiner(
    models: Any, scheduler: Any, canvas: Canvas, latents: torch.Tensor, **more: Any
) -> torch.Tensor:
    options: dict[str, Any] = {
        "embeddings": embed_prompts("cpu", None, models.second, **WORDS),
        "handover": False,
        "taken_over": latents,
    }
    return denoise(
        "cpu",
        models.refiner,
        models.vae,
        **{
            "scheduler": scheduler,
            "canvas": canvas,
            "steps": STEPS,
            "strength": 0.99,
            "guidance": 7.5,
            "seed": SEED,
            "on_step": lambda index: None,
            **options,
            **more,
        },
    )


def noised(scheduler: Any, canvas: Canvas, steps: int) -> torch.Tensor:
    """The original at the handover's noise level, by the formula of each scheduler instead of its method."""
    scheduler.set_timesteps(steps)
    cutoff = round(1000 * (1 - SPLIT))
    sigma = scheduler.sigmas[int((scheduler.timesteps >= cutoff).sum())]
    level: torch.Tensor = canvas.original + sigma * canvas.noise
    if isinstance(scheduler, DPMSolverMultistepScheduler):  # variance preserving: Euler's divided by its norm
        level = level / torch.sqrt(sigma**2 + 1)
    assert 0.1 < sigma < 1
    return level


def outside(latents: torch.Tensor, canvas: Canvas) -> torch.Tensor:
    return latents[(~canvas.mask).expand_as(latents)]


def test_outside_the_mask_is_the_renoised_original_at_handover(
    models: Any, scheduler: Any, canvas: Canvas
) -> None:
    latents = run_base(models, scheduler, canvas)
    wanted = noised(scheduler, canvas, STEPS)
    torch.testing.assert_close(outside(latents, canvas), outside(wanted, canvas), rtol=0, atol=1e-6)
    inside = canvas.mask.expand_as(latents)
    assert (latents[inside] - wanted[inside]).abs().mean() > 0.05


def test_outside_the_mask_is_exactly_the_original_at_the_end(
    models: Any, scheduler: Any, canvas: Canvas
) -> None:
    handed_over = run_base(models, scheduler, canvas)
    final = run_refiner(models, scheduler, canvas, handed_over)
    assert torch.equal(outside(final, canvas), outside(canvas.original, canvas))
    inside = canvas.mask.expand_as(final)
    assert not torch.equal(final[inside], canvas.original[inside])


def test_base_alone_ends_on_the_original_outside(models: Any, scheduler: Any, canvas: Canvas) -> None:
    final = run_base(models, scheduler, canvas, handover=False)
    assert torch.equal(outside(final, canvas), outside(canvas.original, canvas))


def test_refiner_starts_at_the_noise_level_where_the_base_stops(models: Any, scheduler: Any) -> None:
    scheduler.set_timesteps(28)
    cutoff = round(1000 * (1 - SPLIT))
    stops = scheduler.sigmas[int((scheduler.timesteps >= cutoff).sum())]
    starts = scheduler.sigmas[len(scheduler.timesteps) - int((scheduler.timesteps < cutoff).sum())]
    assert stops == starts
    scheduler.set_timesteps(15)
    other = scheduler.sigmas[len(scheduler.timesteps) - int((scheduler.timesteps < cutoff).sum())]
    assert abs(other - stops) > 0.01  # the reason why the refiner's default step count is that of the base


def test_other_refiner_steps_preserve_the_outside(models: Any, scheduler: Any, canvas: Canvas) -> None:
    handed_over = run_base(models, scheduler, canvas)
    final = run_refiner(models, scheduler, canvas, handed_over, steps=15)
    assert torch.equal(outside(final, canvas), outside(canvas.original, canvas))


@pytest.fixture
def reference(models: Any, folders: Any) -> tuple[Any, Any]:
    """Diffusers' own pipelines, each loaded whole from its folder."""
    channels = models.base.unet.config.in_channels
    kind: Any = StableDiffusionXLInpaintPipeline
    base = kind.from_pretrained(folders.bases[channels], add_watermarker=False)
    refiner = kind.from_pretrained(folders.refiner, add_watermarker=False)
    refiner.text_encoder_2 = base.text_encoder_2  # shared, as in the plugin
    for pipeline in (base, refiner):
        pipeline.set_progress_bar_config(disable=True)
    return base, refiner


def reference_latents(
    pipeline: Any, scheduler: Any, image: torch.Tensor, canvas: Canvas, **more: Any
) -> torch.Tensor:
    pipeline.scheduler = scheduler.__class__.from_config(scheduler.config)
    result = pipeline(
        prompt=WORDS["prompt"],
        negative_prompt=WORDS["negative"],
        image=image,
        mask_image=canvas.mask.float().repeat_interleave(8, 2).repeat_interleave(8, 3),
        height=8 * SIDE,
        width=8 * SIDE,
        num_inference_steps=STEPS,
        guidance_scale=7.5,
        generator=torch.Generator().manual_seed(SEED),
        output_type="latent",
        **more,
    )
    found: torch.Tensor = result.images
    return found


def test_full_mask_gives_the_latents_of_the_library(models: Any, scheduler: Any, reference: Any) -> None:
    """Without an outside, both stages are bit-identical to the library's."""
    canvas = make_canvas(torch.ones(1, 1, SIDE, SIDE, dtype=torch.bool))
    base, refiner = reference
    first = {"strength": 0.99, "denoising_end": SPLIT, "masked_image_latents": canvas.masked}
    theirs = reference_latents(base, scheduler, canvas.original, canvas, **first)
    ours = run_base(models, scheduler, canvas)
    assert torch.equal(ours, theirs)
    final = reference_latents(refiner, scheduler, theirs, canvas, denoising_start=SPLIT)
    assert torch.equal(run_refiner(models, scheduler, canvas, ours), final)


def test_library_pipeline_loses_the_outside(
    models: Any, scheduler: Any, reference: Any, canvas: Canvas
) -> None:
    """The defect that pinning fixes is present in the library, for either kind of base."""
    first = {"strength": 0.99, "denoising_end": SPLIT, "masked_image_latents": canvas.masked}
    theirs = reference_latents(reference[0], scheduler, canvas.original, canvas, **first)
    wanted = noised(scheduler, canvas, STEPS)
    assert (outside(theirs, canvas) - outside(wanted, canvas)).square().mean().sqrt() > 0.1


def test_a_step_that_raises_ends_the_run_at_once(models: Any, scheduler: Any, canvas: Canvas) -> None:
    seen: list[int] = []

    def stop(index: int) -> None:
        seen.append(index)
        if index == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_base(models, scheduler, canvas, on_step=stop)
    assert seen == [0, 1, 2]


def test_runs_do_not_change_the_shared_scheduler(models: Any, canvas: Canvas) -> None:
    before = dict(vars(models.base.scheduler))
    run_base(models, models.base.scheduler, canvas)
    assert vars(models.base.scheduler).keys() == before.keys()
    assert models.base.scheduler.step_index is None


def test_guidance_of_1_needs_no_negative_prompt(models: Any, scheduler: Any, canvas: Canvas) -> None:
    plain = embed_prompts("cpu", models.first, models.second, **{**WORDS, "guided": False})
    assert plain.negative is None
    latents = run_base(models, scheduler, canvas, embeddings=plain, guidance=1.0)
    assert torch.isfinite(latents).all()


@pytest.mark.parametrize(
    ("steps", "strength", "refiner_steps", "expected"),
    [
        (28, 0.99, 28, (22, 5)),
        (28, 0.99, None, (27, 0)),
        (28, 0.1, 28, (2, 0)),
        (2, 0.99, 2, (1, 0)),
        (1, 0.99, 1, (0, 0)),
        (1, 1.0, 1, (1, 0)),
    ],
)
def test_plan_counts_the_steps_that_run(
    models: Any, steps: int, strength: float, refiner_steps: int | None, expected: tuple[int, int]
) -> None:
    schedule = plan(models.base.scheduler, steps, strength, refiner_steps)
    assert (schedule.base_steps, schedule.refiner_steps) == expected


@pytest.mark.parametrize(("steps", "strength"), [(10, 0.99), (7, 1.0), (12, 0.5)])
def test_plan_matches_the_steps_that_run(
    models: Any, scheduler: Any, canvas: Canvas, steps: int, strength: float
) -> None:
    schedule = plan(scheduler, steps, strength, steps)
    assert schedule.is_split
    ran: list[int] = []
    latents = run_base(models, scheduler, canvas, steps=steps, strength=strength, on_step=ran.append)
    assert len(ran) == schedule.base_steps
    ran.clear()
    run_refiner(models, scheduler, canvas, latents, steps=steps, on_step=ran.append)
    assert len(ran) == schedule.refiner_steps


def test_embeddings_are_those_of_each_stage(models: Any) -> None:
    base = embed_prompts("cpu", models.first, models.second, **WORDS)
    refiner = embed_prompts("cpu", None, models.second, **WORDS)
    assert base.prompt.shape == (1, 77, 64)
    assert refiner.prompt.shape == (1, 77, 32)
    assert torch.equal(base.prompt[..., 32:], refiner.prompt)
    assert isinstance(refiner, Embeddings)
