"""``inpaint_image`` with Stable Diffusion XL: base, then refiner."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image

from promptvision.plugin import (
    ArgumentsError,
    Crop,
    InpaintResult,
    StagePlan,
    make_crop,
    missing_weights,
    read_mask,
    split_mask,
)
from promptvision_sdxl_inpaint.denoise import (
    Canvas,
    Embeddings,
    Schedule,
    count_steps,
    denoise,
    draw_noise,
    plan,
)
from promptvision_sdxl_inpaint.limits import check_content, work_pixels
from promptvision_sdxl_inpaint.load import use_xformers
from promptvision_sdxl_inpaint.plugin import (
    BASE,
    REFINER,
    SPECS,
    TEXT_ENCODER,
    TEXT_ENCODER_2,
    VAE,
    SdxlArgs,
    SdxlSection,
)
from promptvision_sdxl_inpaint.staged import StagedRunner
from promptvision_sdxl_inpaint.text import read_prompts
from promptvision_sdxl_inpaint.vae import decode, decode_peak, encode, encode_peak, values_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from promptvision.plugin import ToolContext
    from promptvision_sdxl_inpaint.load import Denoiser

__all__ = ["NEGATIVE_PROMPT", "REMOVAL_PROMPT", "inpaint"]

NEGATIVE_PROMPT = "blurry, low quality, distortion, mutation, watermark, signature, text, words"
"""The default negative prompt."""

REMOVAL_PROMPT = "empty background, seamless continuation of the surroundings"
"""The default prompt; the removed object is added to the negative prompt."""

_SPECS = {spec.id: spec for spec in SPECS}


def inpaint(args: SdxlArgs, context: ToolContext) -> InpaintResult:
    """Paint inside the mask; the result has the image's size and mode, outside bit-identical.

    Raises:
        ArgumentsError: the mask is empty or of another aspect ratio, or there are too few steps.
        StopTurn: the content check rejected the result.
        ToolFailed: the model returned values that are not finite.
    """
    if count_steps(args.steps, args.strength) == 0:
        raise ArgumentsError(
            f"steps: {args.steps} at strength {args.strength} leave no step to run; increase one of them"
        )
    image = context.open(args.image_url)
    selected = read_mask(context.open(args.mask_url), image.size)
    pixels = work_pixels(context.settings)
    parts = split_mask(selected.image, pixels)
    crops = [make_crop(image, selected.image, pixels, part) for part in parts]
    painting = _Painting(args, context, crops, [*selected.notes])
    result = image
    for part, crop, painted in zip(parts, crops, painting.run(), strict=True):
        result = crop.paste(result, part, painted)
    check_content(result, args.prompt, context.settings)
    return InpaintResult(
        original_image_url=args.image_url,
        inpainted_image_url=context.save(result, parent=args.image_url),
        message=" ".join(painting.notes) or None,
    )


def prompts(args: SdxlArgs) -> tuple[str, str]:
    """Prompt and negative prompt. An empty prompt means removal."""
    negative = NEGATIVE_PROMPT if args.negative_prompt is None else args.negative_prompt
    if args.prompt.strip():
        return args.prompt, negative
    removed = [args.target] if args.target else ["object", "person", "animal"]
    return REMOVAL_PROMPT, ", ".join([part for part in (*removed, negative) if part])


@dataclass(frozen=True, kw_only=True)
class _Handover:
    """The intermediate result that the base passes to the refiner."""

    latents: torch.Tensor
    canvas: Canvas
    scheduler: Any
    schedule: Schedule
    seed: int


@dataclass
class _Painting:
    """The stages of one call and their intermediate results, which stay on the CPU between stages."""

    args: SdxlArgs
    context: ToolContext
    crops: Sequence[Crop]
    notes: list[str] = field(default_factory=list)

    def run(self) -> list[Image.Image]:
        """Run all stages; return the painted crops."""
        refines = self._has_refiner()
        runner = StagedRunner(self.context, self.context.choose_placement(self._plans(refines)))
        self.context.progress(0, 1, "reading the prompt")
        prompt, negative = prompts(self.args)
        for_base, for_refiner, unread = read_prompts(
            self.context,
            runner,
            following=(VAE, BASE),
            prompt=prompt,
            negative=negative,
            guided=self.args.guidance > 1,
        )
        self.notes.extend(unread)
        shape = self._shape
        pixels = shape[0] * shape[1]
        encoded = runner.run(
            "encoding the image",
            (VAE,),
            self._encode,
            following=(BASE,),
            peak_bytes=partial(encode_peak, pixels),
            tiled=partial(self._encode, tiled=True),
            shape=shape,
        )
        base = partial(self._base, for_base, encoded, refines)
        left = runner.run(
            "painting",
            (BASE, VAE),
            base,
            following=(REFINER, VAE) if refines else (VAE,),
            shape=shape,
            passes=self._steps,
        )
        latents = [each.latents for each in left]
        if left[0].schedule.is_split:
            refine = partial(self._refine, for_refiner, left)
            latents = runner.run(
                "refining",
                (REFINER, VAE),
                refine,
                following=(VAE,),
                shape=shape,
                passes=self._steps,
            )
        elif refines:
            self.notes.append("Painted without the refiner: there are too few steps for both stages.")
        self.context.check_cancelled()
        painted = runner.run(
            "decoding",
            (VAE,),
            partial(self._decode, latents),
            peak_bytes=partial(decode_peak, pixels),
            tiled=partial(self._decode, latents, tiled=True),
            shape=shape,
        )
        self.notes.extend(runner.notes)
        return painted

    @property
    def _shape(self) -> tuple[int, int]:
        """Height and width of the largest crop."""
        largest = max((crop.image for crop in self.crops), key=lambda image: image.width * image.height)
        return largest.height, largest.width

    @property
    def _steps(self) -> int:
        return len(self.crops) * count_steps(self.args.steps, self.args.strength)

    def _plans(self, refines: bool) -> list[StagePlan]:
        """The stages, for the choice of a placement."""
        shape, steps = self._shape, self._steps
        refining = StagePlan(name="refining", models=(REFINER, VAE), passes=steps, shape=shape)
        return [
            StagePlan(name="reading the prompt", models=(TEXT_ENCODER, TEXT_ENCODER_2)),
            StagePlan(name="encoding the image", models=(VAE,), shape=shape, can_tile=True),
            StagePlan(name="painting", models=(BASE, VAE), passes=steps, shape=shape),
            *([refining] if refines else []),
            StagePlan(name="decoding", models=(VAE,), shape=shape, can_tile=True),
        ]

    def _has_refiner(self) -> bool:
        missing = missing_weights(_SPECS[REFINER], self.context.settings)
        if self.args.refiner and missing is not None:
            self.notes.append(f"Painted without the refiner: {missing.what}; {missing.fix}.")
            return False
        return self.args.refiner

    def _encode(
        self, device: str, vae: Any, *, tiled: bool = False
    ) -> list[tuple[torch.Tensor, torch.Tensor]]:
        encoded = []
        for crop in self.crops:
            values = values_of(crop.image)
            blanked = values * (np.asarray(crop.mask) == 0)[..., None]
            original = encode(vae, values, device, tiled=tiled)
            encoded.append((original, encode(vae, blanked, device, tiled=tiled)))
        return encoded

    def _base(
        self,
        embeddings: Embeddings,
        encoded: Sequence[tuple[torch.Tensor, torch.Tensor]],
        refines: bool,
        device: str,
        model: Denoiser,
        vae: Any,
    ) -> list[_Handover]:
        self._choose_attention(device, model)
        refiner_steps = (self.args.refiner_steps or self.args.steps) if refines else None
        schedule = plan(model.scheduler, self.args.steps, self.args.strength, refiner_steps)
        left = []
        for index, (crop, (original, masked)) in enumerate(zip(self.crops, encoded, strict=True)):
            seed = self._seed + index
            canvas = Canvas(
                original=original,
                masked=masked,
                mask=torch.from_numpy(np.asarray(crop.cells) > 0)[None, None],
                noise=draw_noise(original.shape, seed, model.unet.dtype),
            )
            latents = denoise(
                device,
                model,
                vae,
                scheduler=model.scheduler,
                canvas=canvas,
                embeddings=embeddings,
                steps=self.args.steps,
                strength=self.args.strength,
                guidance=self.args.guidance,
                seed=seed,
                on_step=self._reporter("painting", index * schedule.base_steps, schedule),
                handover=schedule.is_split,
            )
            left.append(
                _Handover(
                    latents=latents, canvas=canvas, scheduler=model.scheduler, schedule=schedule, seed=seed
                )
            )
        return left

    def _refine(
        self, embeddings: Embeddings, left: Sequence[_Handover], device: str, model: Denoiser, vae: Any
    ) -> list[torch.Tensor]:
        self._choose_attention(device, model)
        schedule = left[0].schedule
        before = len(left) * schedule.base_steps
        return [
            denoise(
                device,
                model,
                vae,
                scheduler=each.scheduler,
                canvas=each.canvas,
                embeddings=embeddings,
                steps=self.args.refiner_steps or self.args.steps,
                strength=self.args.strength,
                guidance=self.args.guidance,
                seed=each.seed,
                on_step=self._reporter("refining", before + index * schedule.refiner_steps, schedule),
                taken_over=each.latents,
            )
            for index, each in enumerate(left)
        ]

    def _decode(
        self, latents: Sequence[torch.Tensor], device: str, vae: Any, *, tiled: bool = False
    ) -> list[Image.Image]:
        return [decode(vae, each, device, tiled=tiled) for each in latents]

    def _choose_attention(self, device: str, model: Denoiser) -> None:
        if device == "cuda" and self.context.settings.section(SdxlSection).sdxl_xformers:
            use_xformers(model.unet)

    @property
    def _seed(self) -> int:
        return self.context.seed if self.args.seed is None else self.args.seed

    def _reporter(self, message: str, before: int, schedule: Schedule) -> Callable[[int], None]:
        total = len(self.crops) * (schedule.base_steps + schedule.refiner_steps)
        return lambda index: self.context.progress(before + index + 1, total, message)
