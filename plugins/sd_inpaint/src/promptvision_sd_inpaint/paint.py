"""``inpaint_image`` with Stable Diffusion 1.5 in a few steps of LCM."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import diffusers
import numpy as np
import torch
from PIL import Image

from promptvision.plugin import (
    ArgumentsError,
    InpaintResult,
    StagedRunner,
    StagePlan,
    ToolFailed,
    make_crop,
    read_mask,
    split_mask,
)
from promptvision_sd_inpaint.load import TEXT_LOCK, Painter
from promptvision_sd_inpaint.plugin import INPAINT, SdArgs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from promptvision.plugin import ToolContext

__all__ = ["MAX_STEPS", "REMOVAL_PROMPT", "WORK_PIXELS", "Embeddings", "inpaint", "paint", "prompts"]

WORK_PIXELS = 512 * 512
"""Stable Diffusion 1.5 was trained at this many pixels."""

MAX_STEPS = 12
"""LCM needs 4 to 8 steps and does not improve with more (Luo et al. 2023, LCM-LoRA)."""

REMOVAL_PROMPT = "empty background"
"""The prompt if the caller gives none; what is removed becomes the negative prompt."""

Arrays = Mapping[str, "NDArray[Any]"]

_pipeline: Any = diffusers.StableDiffusionInpaintPipeline  # it is untyped


def inpaint(args: SdArgs, context: ToolContext) -> InpaintResult:
    """Paint inside the mask; the result keeps size and mode, and pixels outside are bit-identical.

    Each distant part of the mask is painted in its own window.

    Raises:
        ArgumentsError: the mask is empty or of another aspect ratio, or there are too few steps.
        ToolFailed: the model returned values that are not finite.
    """
    plan = _plan(args)
    image = context.open(args.image_url)
    mask = read_mask(context.open(args.mask_url), image.size)
    parts = split_mask(mask.image, WORK_PIXELS)
    total = len(parts) * plan.run
    context.progress(0, total, "loading Stable Diffusion")
    seed = context.seed if args.seed is None else args.seed

    def work(device: str, painter: Painter) -> tuple[Image.Image, list[str]]:
        key = partial(context.cached, "text", **_text_key(args, device))
        embeddings = _embed(painter, args, device, key)
        result = image
        for index, part in enumerate(parts):
            crop = make_crop(image, mask.image, WORK_PIXELS, part)
            painted = paint(
                painter,
                crop.image,
                crop.mask,
                args,
                embeddings=embeddings,
                seed=seed + index,
                on_step=lambda step, before=index * plan.run: context.progress(  # type: ignore[misc]
                    before + step + 1, total, "painting"
                ),
            )
            result = crop.paste(result, part, painted)
        return result, _unread(painter, args)

    stage = StagePlan(name="painting", models=INPAINT.requires.models, passes=total)
    runner = StagedRunner(context, context.choose_placement([stage]))
    result, unread = runner.run(stage.name, stage.models, work, passes=total)
    return InpaintResult(
        original_image_url=args.image_url,
        inpainted_image_url=context.save(result, parent=args.image_url),
        message=" ".join([*mask.notes, *plan.notes, *unread, *runner.notes]) or None,
    )


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """How many steps of the schedule are run at the given strength, with notes for the user."""

    run: int
    notes: tuple[str, ...]


def _plan(args: SdArgs) -> _Plan:
    steps = min(args.steps, MAX_STEPS)
    run = min(int(steps * args.strength), steps)
    if run == 0:
        raise ArgumentsError(
            f"steps: {args.steps} at strength {args.strength} leave no step to run; give more"
        )
    note = f"{MAX_STEPS} steps are the most that help here, so {args.steps} were not run."
    return _Plan(run=run, notes=(note,) if args.steps > steps else ())


def prompts(args: SdArgs) -> tuple[str, str]:
    """Prompt and negative prompt. An empty prompt means removal."""
    if args.prompt.strip():
        return args.prompt, args.negative_prompt or ""
    removed = [args.target or "object, person, animal", args.negative_prompt or ""]
    return REMOVAL_PROMPT, ", ".join(part for part in removed if part)


def _unread(painter: Painter, args: SdArgs) -> list[str]:
    """A note for each text that is longer than the 77 tokens that the model reads."""
    notes = []
    for name, text in zip(("prompt", "negative_prompt"), prompts(args), strict=True):
        with TEXT_LOCK:
            ids = painter.tokenizer(text, add_special_tokens=False)["input_ids"]
            rest = painter.tokenizer.decode(ids[painter.tokenizer.model_max_length - 2 :]).strip()
        if rest:
            notes.append(f"Stable Diffusion reads only the start of a long {name}; not read: {rest!r}.")
    return notes


@dataclass(frozen=True, kw_only=True)
class Embeddings:
    """Embeddings of the prompt, and of the negative prompt where guidance uses it; on the model's device."""

    positive: torch.Tensor
    negative: torch.Tensor | None


def _embed(
    painter: Painter, args: SdArgs, device: str, cached: Callable[[Callable[[], Arrays]], Arrays]
) -> Embeddings:
    prompt, negative = prompts(args)
    dtype = painter.unet.dtype

    @torch.inference_mode()
    def compute() -> Arrays:
        pipeline = _pipeline_of(painter)
        with TEXT_LOCK:
            found = pipeline.encode_prompt(prompt, device, 1, args.guidance > 1, negative)
        named = zip(("positive", "negative"), found, strict=True)
        return {name: tensor.cpu().numpy() for name, tensor in named if tensor is not None}

    tensors = {name: torch.tensor(array).to(device, dtype) for name, array in cached(compute).items()}
    return Embeddings(positive=tensors["positive"], negative=tensors.get("negative"))


def _text_key(args: SdArgs, device: str) -> dict[str, Any]:
    prompt, negative = prompts(args)
    return {
        "models": INPAINT.requires.models,
        "device": device,
        "libraries": ("torch", "transformers", "diffusers"),
        "parameters": {"prompt": prompt, "negative": negative, "guided": args.guidance > 1},
    }


def _pipeline_of(painter: Painter) -> Any:
    pipeline = _pipeline(
        **{**vars(painter), "scheduler": copy.deepcopy(painter.scheduler)},
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@torch.inference_mode()
def paint(
    painter: Painter,
    image: Image.Image,
    mask: Image.Image,
    args: SdArgs,
    *,
    seed: int,
    on_step: Callable[[int], None],
    embeddings: Embeddings | None = None,
) -> Image.Image:
    """Paint one crop with the pipeline of diffusers.

    Args:
        painter: the loaded model.
        image: RGB, sides multiples of 8.
        mask: of the same size, mode L, 255 where to paint.
        args: prompts, steps, strength and guidance.
        seed: of the noise, which is drawn on the CPU: the same on every device.
        on_step: called with the index of each finished step; an exception in it ends the run.
        embeddings: of the prompts; default: computed now.

    Returns:
        RGB, of the same size. Pixels outside the mask only approximate those of the image.

    Raises:
        ToolFailed: the model returned values that are not finite.
    """
    pipeline = _pipeline_of(painter)
    embeddings = embeddings or _embed(painter, args, painter.unet.device, lambda compute: compute())

    def after_step(_: Any, index: int, __: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        on_step(index)
        return tensors

    made = pipeline(
        prompt_embeds=embeddings.positive,
        negative_prompt_embeds=embeddings.negative,
        image=image,
        mask_image=mask,
        height=image.height,
        width=image.width,
        num_inference_steps=min(args.steps, MAX_STEPS),
        strength=args.strength,
        guidance_scale=args.guidance,
        generator=torch.Generator("cpu").manual_seed(seed),
        output_type="pt",
        callback_on_step_end=after_step,
    ).images[0]
    values = made.float().cpu()
    if not torch.isfinite(values).all():
        raise ToolFailed("promptvision-sd-inpaint: the model painted values that are not finite")
    return Image.fromarray((values.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8))
