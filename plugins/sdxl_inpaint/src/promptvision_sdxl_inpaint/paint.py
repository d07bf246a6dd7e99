"""``inpaint_image`` with Stable Diffusion XL: base, then refiner."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image

from promptvision.plugin import (
    ArgumentsError,
    InpaintResult,
    SetupError,
    StopTurn,
    missing_weights,
    read_mask,
)
from promptvision_sdxl_inpaint.crop import WORK_PIXELS, Crop, make_crop, paste
from promptvision_sdxl_inpaint.denoise import (
    Canvas,
    Embeddings,
    Schedule,
    denoise,
    draw_noise,
    embed_prompts,
    plan,
)
from promptvision_sdxl_inpaint.plugin import (
    BASE,
    REFINER,
    SPECS,
    TEXT_ENCODER,
    TEXT_ENCODER_2,
    VAE,
    SdxlArgs,
)
from promptvision_sdxl_inpaint.staged import StagedRunner, first_placement
from promptvision_sdxl_inpaint.vae import decode, encode, values_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from promptvision.plugin import Placement, Settings, ToolContext
    from promptvision_sdxl_inpaint.load import Denoiser, TextEncoder

__all__ = ["NEGATIVE_PROMPT", "REMOVAL_PROMPT", "inpaint"]

NEGATIVE_PROMPT = "blurry, low quality, distortion, mutation, watermark, signature, text, words"
"""What must not appear unless the caller says otherwise."""

REMOVAL_PROMPT = "empty background, seamless continuation of the surroundings"
"""What is painted when the prompt is empty; what was there goes to the negative prompt."""

_SPECS = {spec.id: spec for spec in SPECS}
_FEWEST_PIXELS = 64 * 64


def inpaint(args: SdxlArgs, context: ToolContext) -> InpaintResult:
    """Paint inside the mask; the result has the image's size and mode, outside bit-identical.

    Raises:
        ArgumentsError: the mask is empty or of another aspect ratio, or there are too few steps.
        StopTurn: the content check refused what was painted.
        ToolFailed: the model gave values that are no numbers.
    """
    picture = context.open(args.image_url)
    selected = read_mask(context.open(args.mask_url), picture.size)
    mask = np.asarray(selected.image) > 0
    crop = make_crop(picture, mask, _work_pixels(context.settings))
    painting = _Painting(args, context, crop, [*selected.notes])
    painted = painting.run()
    result = paste(picture, mask, crop, painted)
    _check_content(result, args.prompt, context.settings)
    return InpaintResult(
        original_image_url=args.image_url,
        inpainted_image_url=context.save(result, parent=args.image_url),
        message=" ".join(painting.notes) or None,
    )


def prompts(args: SdxlArgs) -> tuple[str, str]:
    """What to paint and what must not appear. An empty prompt means removal."""
    negative = NEGATIVE_PROMPT if args.negative_prompt is None else args.negative_prompt
    if args.prompt.strip():
        return args.prompt, negative
    removed = [args.target] if args.target else ["object", "person", "animal"]
    return REMOVAL_PROMPT, ", ".join([part for part in (*removed, negative) if part])


@dataclass(frozen=True, kw_only=True)
class _HandOver:
    """What the base leaves behind."""

    latents: torch.Tensor
    canvas: Canvas
    scheduler: Any
    schedule: Schedule


@dataclass
class _Painting:
    """One call: its stages, and what each hands to the next. Tensors wait on the CPU between stages."""

    args: SdxlArgs
    context: ToolContext
    crop: Crop
    notes: list[str] = field(default_factory=list)

    def run(self) -> Image.Image:
        """All stages; the painted crop."""
        refines = self._has_refiner()
        ladder = StagedRunner(self.context, _placement(refines))
        self.context.progress(0, 1, "reading the prompt")
        for_base, for_refiner = ladder.run("reading the prompt", (TEXT_ENCODER, TEXT_ENCODER_2), self._embed)
        encoded = ladder.run("encoding the picture", (VAE,), self._encode)
        left = ladder.run("painting", (BASE, VAE), partial(self._base, for_base, encoded, refines))
        latents = left.latents
        if left.schedule.is_split:
            latents = ladder.run("refining", (REFINER, VAE), partial(self._refine, for_refiner, left))
        elif refines:
            self.notes.append("Painted without the refiner: there are too few steps for both stages.")
        self.context.check_cancelled()
        painted = ladder.run("decoding", (VAE,), lambda device, vae: decode(vae, latents, device))
        self.notes.extend(ladder.notes)
        return painted

    def _has_refiner(self) -> bool:
        lacking = missing_weights(_SPECS[REFINER], self.context.settings)
        if self.args.refiner and lacking is not None:
            self.notes.append(f"Painted without the refiner: {lacking.what}; {lacking.fix}.")
            return False
        return self.args.refiner

    def _embed(self, device: str, first: TextEncoder, second: TextEncoder) -> tuple[Embeddings, Embeddings]:
        prompt, negative = prompts(self.args)
        words: dict[str, Any] = {"prompt": prompt, "negative": negative, "guided": self.args.guidance > 1}
        return embed_prompts(device, first, second, **words), embed_prompts(device, None, second, **words)

    def _encode(self, device: str, vae: Any) -> tuple[torch.Tensor, torch.Tensor]:
        values = values_of(self.crop.picture)
        blanked = values * ~self.crop.mask[..., None]
        return encode(vae, values, device), encode(vae, blanked, device)

    def _base(
        self,
        embeddings: Embeddings,
        encoded: tuple[torch.Tensor, torch.Tensor],
        refines: bool,
        device: str,
        model: Denoiser,
        vae: Any,
    ) -> _HandOver:
        refiner_steps = (self.args.refiner_steps or self.args.steps) if refines else None
        schedule = plan(model.scheduler, self.args.steps, self.args.strength, refiner_steps)
        if schedule.base_steps == 0:
            raise ArgumentsError(
                f"steps: {self.args.steps} at strength {self.args.strength} leave no step to run; give more"
            )
        original, masked = encoded
        canvas = Canvas(
            original=original,
            masked=masked,
            mask=torch.from_numpy(self.crop.latents)[None, None],
            noise=draw_noise(original.shape, self._seed, model.unet.dtype),
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
            seed=self._seed,
            on_step=self._reporter("painting", 0, schedule),
            handover=schedule.is_split,
        )
        return _HandOver(latents=latents, canvas=canvas, scheduler=model.scheduler, schedule=schedule)

    def _refine(
        self, embeddings: Embeddings, left: _HandOver, device: str, model: Denoiser, vae: Any
    ) -> torch.Tensor:
        return denoise(
            device,
            model,
            vae,
            scheduler=left.scheduler,
            canvas=left.canvas,
            embeddings=embeddings,
            steps=self.args.refiner_steps or self.args.steps,
            strength=self.args.strength,
            guidance=self.args.guidance,
            seed=self._seed,
            on_step=self._reporter("refining", left.schedule.base_steps, left.schedule),
            taken_over=left.latents,
        )

    @property
    def _seed(self) -> int:
        return self.context.seed if self.args.seed is None else self.args.seed

    def _reporter(self, message: str, before: int, schedule: Schedule) -> Callable[[int], None]:
        total = schedule.base_steps + schedule.refiner_steps
        return lambda index: self.context.progress(before + index + 1, total, message)


def _placement(refines: bool) -> Placement:
    stages = [(TEXT_ENCODER, TEXT_ENCODER_2), (BASE, VAE), *([(REFINER, VAE)] if refines else [])]
    return first_placement([[_SPECS[name] for name in stage] for stage in stages])


def _work_pixels(settings: Settings) -> int:
    value = settings.value("PROMPTVISION_SDXL_PIXELS")
    if value is None:
        return WORK_PIXELS
    if not value.isdecimal() or int(value) < _FEWEST_PIXELS:
        raise SetupError(
            f"promptvision-sdxl-inpaint: PROMPTVISION_SDXL_PIXELS is {value!r}",
            hint=f"give a whole number from {_FEWEST_PIXELS}, such as {WORK_PIXELS}",
        )
    return int(value)


def _check_content(picture: Image.Image, prompt: str, settings: Settings) -> None:
    """Let the operator's function judge the result before anybody sees it."""
    name = settings.value("PROMPTVISION_SDXL_CONTENT_CHECK")
    if name is None:
        return
    module, _, attribute = name.partition(":")
    try:
        check = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as exc:
        raise SetupError(
            f"promptvision-sdxl-inpaint: PROMPTVISION_SDXL_CONTENT_CHECK is {name!r}: {exc}",
            hint="name a function as 'module:function'",
        ) from exc
    if reason := check(picture, prompt):
        raise StopTurn(f"promptvision-sdxl-inpaint: the content check refused the picture: {reason}")
