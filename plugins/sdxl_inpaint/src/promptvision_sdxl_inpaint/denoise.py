"""Denoising by pipelines of diffusers: in two stages with the outside of the mask pinned, or a new image."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from diffusers import StableDiffusionXLInpaintPipeline, StableDiffusionXLPipeline
from diffusers.utils.torch_utils import randn_tensor

from promptvision_sdxl_inpaint.load import TEXT_LOCK
from promptvision_sdxl_inpaint.pin import Pin

if TYPE_CHECKING:
    from promptvision_sdxl_inpaint.load import Denoiser, TextEncoder

__all__ = [
    "SPLIT",
    "Canvas",
    "Embeddings",
    "Schedule",
    "count_steps",
    "denoise",
    "denoise_new",
    "draw_noise",
    "embed_prompts",
    "plan",
    "unread_notes",
    "unread_words",
]

SPLIT = 0.8
"""Share of the noise levels of the base before the refiner takes over."""


@dataclass(frozen=True, kw_only=True)
class Embeddings:
    """Embeddings of the prompt and the negative prompt."""

    prompt: torch.Tensor
    pooled: torch.Tensor
    negative: torch.Tensor | None
    negative_pooled: torch.Tensor | None

    def arguments(self, like: torch.Tensor) -> dict[str, torch.Tensor | None]:
        """The embeddings as arguments of the pipeline, on a tensor's device and in its dtype."""
        parts = {
            "prompt_embeds": self.prompt,
            "pooled_prompt_embeds": self.pooled,
            "negative_prompt_embeds": self.negative,
            "negative_pooled_prompt_embeds": self.negative_pooled,
        }
        return {name: part if part is None else part.to(like) for name, part in parts.items()}


@dataclass(frozen=True, kw_only=True)
class Canvas:
    """The latents that both stages paint on.

    Args:
        original: latents of the crop, 1 x 4 x h x w, scaled for the UNet.
        masked: latents of the crop with the mask blanked, which a 9-channel UNet reads.
        mask: 1 x 1 x h x w bool, True where latents are painted.
        noise: 1 x 4 x h x w, the initial latents of the base.
    """

    original: torch.Tensor
    masked: torch.Tensor
    mask: torch.Tensor
    noise: torch.Tensor


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """The number of steps of each stage.

    Args:
        base_steps: of the base.
        refiner_steps: of the refiner; 0 if it is not used.
    """

    base_steps: int
    refiner_steps: int

    @property
    def is_split(self) -> bool:
        """Whether the refiner takes over from the base."""
        return self.refiner_steps > 0


class _OnDevice:
    """A pipeline with parts on different devices that computes on a given one."""

    compute_device = torch.device("cpu")

    @property
    def _execution_device(self) -> torch.device:
        return self.compute_device


class _Inpainting(_OnDevice, StableDiffusionXLInpaintPipeline):
    """For a part of an image."""


class _Generation(_OnDevice, StableDiffusionXLPipeline):
    """For a new image."""


def _pipeline(device: str, kind: Any = _Inpainting, **parts: Any) -> Any:
    """A pipeline for one run. It shares immutable parts; the scheduler is a copy."""
    names = ("vae", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2", "unet", "scheduler")
    options = {name: value for name, value in parts.items() if name not in names}
    modules = {name: parts.get(name) for name in names}
    pipeline = kind(**modules, **options, add_watermarker=False)
    pipeline.compute_device = torch.device(device)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@torch.inference_mode()
def embed_prompts(
    device: str,
    first: TextEncoder | None,
    second: TextEncoder,
    *,
    prompt: str,
    negative: str | None,
    guided: bool,
) -> Embeddings:
    """Encode a prompt for the base (both encoders) or for the refiner (the second alone).

    Args:
        device: the device of computation.
        first: CLIP ViT-L, or None for the refiner.
        second: OpenCLIP ViT-bigG.
        prompt: what to paint; tokens past the 77th are ignored, see :func:`unread_words`.
        negative: what must not appear; None for an embedding of zeros, as the base was trained.
        guided: whether ``negative`` is used at all.
    """
    pipeline = _pipeline(
        device,
        text_encoder=first and first.model,
        tokenizer=first and first.tokenizer,
        text_encoder_2=second.model,
        tokenizer_2=second.tokenizer,
    )
    with TEXT_LOCK:
        found = pipeline.encode_prompt(
            prompt, device=device, do_classifier_free_guidance=guided, negative_prompt=negative
        )
    positive, negated, pooled, negated_pooled = found
    return Embeddings(
        prompt=positive.cpu(),
        pooled=pooled.cpu(),
        negative=negated.cpu() if guided else None,
        negative_pooled=negated_pooled.cpu() if guided else None,
    )


def unread_words(encoder: TextEncoder, text: str) -> str:
    """The end of a text beyond the 77 tokens that an encoder reads; empty if it reads everything."""
    tokenizer = encoder.tokenizer
    with TEXT_LOCK:
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        rest: str = tokenizer.decode(ids[tokenizer.model_max_length - 2 :])
    return rest.strip()


def unread_notes(encoder: TextEncoder, **texts: str) -> list[str]:
    """A sentence about each text whose end an encoder does not read.

    Args:
        encoder: the encoder.
        texts: by the name of the argument.
    """
    return [
        f"SDXL reads only the start of a long {name}; not read: {rest!r}."
        for name, text in texts.items()
        if (rest := unread_words(encoder, text))
    ]


def count_steps(steps: int, strength: float) -> int:
    """Number of steps of a schedule that the pipeline runs at a strength."""
    return min(int(steps * strength), steps)


def plan(scheduler: Any, steps: int, strength: float, refiner_steps: int | None) -> Schedule:
    """Count the steps of each stage as the pipeline will run them.

    Args:
        scheduler: the schedule of both stages.
        steps: of the whole schedule.
        strength: share of the schedule that is run, from its end.
        refiner_steps: step count of the refiner's schedule; None for no refiner.
    """
    skipped = steps - count_steps(steps, strength)
    own = _timesteps(scheduler, steps)[skipped * scheduler.order :]
    cutoff = round(scheduler.config["num_train_timesteps"] * (1 - SPLIT))
    before = int((own >= cutoff).sum())
    after = 0 if refiner_steps is None else int((_timesteps(scheduler, refiner_steps) < cutoff).sum())
    if before == 0 or after == 0:
        return Schedule(base_steps=len(own), refiner_steps=0)
    return Schedule(base_steps=before, refiner_steps=after)


def _timesteps(scheduler: Any, steps: int) -> torch.Tensor:
    own = copy.deepcopy(scheduler)
    own.set_timesteps(steps)
    timesteps: torch.Tensor = own.timesteps
    return timesteps


def draw_noise(shape: torch.Size, seed: int, dtype: torch.dtype) -> torch.Tensor:
    """The noise that the pipeline draws from the same seed; drawn on the CPU, so equal for all devices."""
    noise: torch.Tensor = randn_tensor(shape, generator=_generator(seed), dtype=dtype)
    return noise


def _generator(seed: int) -> torch.Generator:
    return torch.Generator("cpu").manual_seed(seed)


@torch.inference_mode()
def denoise(
    device: str,
    model: Denoiser,
    vae: Any,
    *,
    scheduler: Any,
    canvas: Canvas,
    embeddings: Embeddings,
    steps: int,
    strength: float,
    guidance: float,
    seed: int,
    on_step: Callable[[int], None],
    handover: bool = False,
    taken_over: torch.Tensor | None = None,
) -> torch.Tensor:
    """Run one stage and return its latents on the CPU, with those of the original outside the mask.

    Args:
        device: where the UNet computes.
        model: base or refiner.
        vae: only its configuration is used.
        scheduler: copied, so that runs in parallel do not affect each other.
        canvas: the canvas.
        embeddings: embeddings of this model.
        steps: of the whole schedule.
        strength: share of the schedule to run; used by the first stage only.
        guidance: classifier-free guidance scale.
        seed: of the noise.
        on_step: called with the index of each finished step; whatever it raises ends the run.
        handover: stop at :data:`SPLIT` and return noisy latents, outside noised to the same level.
        taken_over: the latents to continue from at :data:`SPLIT`; without them the stage starts from noise.
    """
    unet = model.unet
    like = torch.empty(0, device=device, dtype=unet.dtype)
    start = canvas.original if taken_over is None else taken_over
    pipeline = _pipeline(
        device,
        vae=vae,
        unet=unet,
        scheduler=copy.deepcopy(scheduler),
        requires_aesthetics_score=taken_over is not None,
    )
    result = pipeline(
        **embeddings.arguments(like),
        image=start.to(like),
        mask_image=canvas.mask.float().repeat_interleave(8, 2).repeat_interleave(8, 3),
        masked_image_latents=canvas.masked.to(like) if taken_over is None else None,
        height=8 * start.shape[-2],
        width=8 * start.shape[-1],
        num_inference_steps=steps,
        strength=strength,
        guidance_scale=guidance,
        denoising_end=SPLIT if handover else None,
        denoising_start=SPLIT if taken_over is not None else None,
        generator=_generator(seed),
        output_type="latent",
        callback_on_step_end=Pin(canvas.original, canvas.noise, canvas.mask, on_step),
        callback_on_step_end_tensor_inputs=["latents"],
    )
    latents: torch.Tensor = result.images
    return latents.cpu()


@torch.inference_mode()
def denoise_new(
    device: str,
    model: Denoiser,
    *,
    size: tuple[int, int],
    embeddings: Embeddings,
    steps: int,
    guidance: float,
    seed: int,
    on_step: Callable[[int], None],
) -> torch.Tensor:
    """Denoise a new image and return its latents on the CPU.

    Args:
        device: where the UNet computes.
        model: a base with 4 channels.
        size: width and height in pixels, multiples of 8.
        embeddings: made for the base.
        steps: denoising steps.
        guidance: classifier-free guidance scale.
        seed: of the noise.
        on_step: called with the index of each finished step; whatever it raises ends the run.
    """

    def after_step(_: Any, index: int, __: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        on_step(index)
        return tensors

    pipeline = _pipeline(device, _Generation, unet=model.unet, scheduler=copy.deepcopy(model.scheduler))
    result = pipeline(
        **embeddings.arguments(torch.empty(0, device=device, dtype=model.unet.dtype)),
        width=size[0],
        height=size[1],
        num_inference_steps=steps,
        guidance_scale=guidance,
        generator=_generator(seed),
        output_type="latent",
        callback_on_step_end=after_step,
    )
    latents: torch.Tensor = result.images
    return latents.cpu()
