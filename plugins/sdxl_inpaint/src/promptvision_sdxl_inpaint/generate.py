"""``generate_image`` with Stable Diffusion XL: the base, with the encoders and the VAE of inpainting."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from promptvision.plugin import CELL, GenerateResult, StagePlan
from promptvision_sdxl_inpaint.denoise import Embeddings, denoise_new
from promptvision_sdxl_inpaint.limits import WORK_PIXELS, check_content, work_pixels
from promptvision_sdxl_inpaint.load import use_xformers
from promptvision_sdxl_inpaint.plugin import (
    GENERATOR,
    TEXT_ENCODER,
    TEXT_ENCODER_2,
    VAE,
    SdxlGenerateArgs,
    SdxlSection,
)
from promptvision_sdxl_inpaint.staged import StagedRunner
from promptvision_sdxl_inpaint.text import read_prompts
from promptvision_sdxl_inpaint.vae import decode, decode_peak

if TYPE_CHECKING:
    from PIL import Image

    from promptvision.plugin import ToolContext
    from promptvision_sdxl_inpaint.load import Denoiser

__all__ = ["generate", "size_of"]

_SIZES = {"square": (1024, 1024), "landscape": (1216, 832), "portrait": (832, 1216)}
"""Sizes that SDXL was trained on (Podell et al. 2023, appendix I)."""


def generate(args: SdxlGenerateArgs, context: ToolContext) -> GenerateResult:
    """Draw an image.

    Raises:
        StopTurn: the content check refused the result.
        ToolFailed: the model returned values that are not finite.
    """
    drawing = _Drawing(args, context, size_of(args.format, work_pixels(context.settings)))
    runner = StagedRunner(context, context.choose_placement(drawing.plans()))
    made, notes = drawing.run(runner)
    check_content(made, args.prompt, context.settings)
    return GenerateResult(generated_image_url=context.save(made), message=" ".join(notes) or None)


def size_of(format_: str, pixels: int) -> tuple[int, int]:
    """Width and height of a format, multiples of 8.

    Args:
        format_: ``square``, ``landscape`` or ``portrait``.
        pixels: about width times height.
    """
    scale = math.sqrt(pixels / WORK_PIXELS)
    width, height = _SIZES[format_]
    return _multiple(width * scale), _multiple(height * scale)


def _multiple(side: float) -> int:
    return max(CELL, round(side / CELL) * CELL)


@dataclass(frozen=True)
class _Drawing:
    """One call. Tensors are kept on the CPU between stages."""

    args: SdxlGenerateArgs
    context: ToolContext
    size: tuple[int, int]

    def plans(self) -> list[StagePlan]:
        """The stages, for the choice of a placement."""
        return [
            StagePlan(name="reading the prompt", models=(TEXT_ENCODER, TEXT_ENCODER_2)),
            StagePlan(name="drawing", models=(GENERATOR, VAE), passes=self.args.steps, shape=self.size),
            StagePlan(name="decoding", models=(VAE,), shape=self.size, can_tile=True),
        ]

    def run(self, runner: StagedRunner) -> tuple[Image.Image, list[str]]:
        """Run all stages; return the image and notes for the user."""
        self.context.progress(0, self.args.steps, "reading the prompt")
        embeddings, _, notes = read_prompts(
            self.context,
            runner,
            following=(GENERATOR, VAE),
            prompt=self.args.prompt,
            negative=self.args.negative_prompt,
            guided=self.args.guidance > 1,
        )
        latents = runner.run(
            "drawing",
            (GENERATOR, VAE),
            partial(self._paint, embeddings),
            following=(VAE,),
            shape=self.size,
            passes=self.args.steps,
        )
        self.context.check_cancelled()
        pixels = self.size[0] * self.size[1]
        made = runner.run(
            "decoding",
            (VAE,),
            partial(self._decode, latents),
            peak_bytes=partial(decode_peak, pixels),
            tiled=partial(self._decode, latents, tiled=True),
            shape=self.size,
        )
        return made, [*notes, *runner.notes]

    def _paint(self, embeddings: Embeddings, device: str, model: Denoiser, vae: Any) -> torch.Tensor:
        if device == "cuda" and self.context.settings.section(SdxlSection).sdxl_xformers:
            use_xformers(model.unet)
        return denoise_new(
            device,
            model,
            size=self.size,
            embeddings=embeddings,
            steps=self.args.steps,
            guidance=self.args.guidance,
            seed=self.context.seed if self.args.seed is None else self.args.seed,
            on_step=lambda index: self.context.progress(index + 1, self.args.steps, "painting"),
        )

    def _decode(self, latents: torch.Tensor, device: str, vae: Any, *, tiled: bool = False) -> Image.Image:
        return decode(vae, latents, device, tiled=tiled)
