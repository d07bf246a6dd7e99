"""The tool ``erase``: ``inpaint_image`` with an empty prompt."""

from __future__ import annotations

from PIL import Image, ImageFilter

from promptvision.plugin import (
    InpaintArgs,
    InpaintResult,
    ToolContext,
    ToolFailed,
    choose_window,
    flat_rgb,
    paste_inside,
    read_mask,
    split_mask,
)
from promptvision_erase.fill import WORK_SIDE, Filler, fill
from promptvision_erase.plugin import ERASE, removes

__all__ = ["erase"]

_ROOM = 9
"""Width of the square by which the hole for the model is dilated: the edge of an object lies outside a
segmenter's mask, and the model would extend it."""


def erase(args: InpaintArgs, context: ToolContext) -> InpaintResult:
    """Fill the masked area; the result has the image's size and mode, and is bit-identical outside.

    Each part of the mask is filled in a separate window, so a small object in a large photograph is filled at
    full resolution.

    Raises:
        ArgumentsError: the mask is empty or has another aspect ratio than the image.
        ToolFailed: the prompt is not empty.
    """
    if not removes(args):
        raise ToolFailed(f"erase: cannot paint {args.prompt!r}: it only removes (empty prompt)")
    image = context.open(args.image_url)
    mask = read_mask(context.open(args.mask_url), image.size)
    parts = split_mask(mask.image, WORK_SIDE * WORK_SIDE)
    context.progress(0, len(parts) + 1, "loading the inpainting model")
    model = context.lease(*ERASE.requires.chosen_models(context.settings.value))
    result = image
    for number, part in enumerate(parts, 1):
        context.progress(number, len(parts) + 1, "removing")
        result = _without(result, part, mask.image, model)
    return InpaintResult(
        original_image_url=args.image_url,
        inpainted_image_url=context.save(result, parent=args.image_url),
        message=" ".join(mask.notes) or None,
    )


def _without(image: Image.Image, part: Image.Image, mask: Image.Image, model: Filler) -> Image.Image:
    """The image with one part of the mask filled. Other parts within the window are also holes."""
    window = choose_window(part)
    hole = mask.filter(ImageFilter.MaxFilter(_ROOM)).crop(window)
    filled = fill(model, flat_rgb(image.crop(window)), hole)
    return paste_inside(image, part, _as(image, filled, window), window)


def _as(image: Image.Image, filled: Image.Image, window: tuple[int, int, int, int]) -> Image.Image:
    """The filled image in the mode of the original, with its transparency."""
    made = (
        filled.convert("L").convert(image.mode) if image.mode in ("L", "LA") else filled.convert(image.mode)
    )
    if "A" in image.getbands():
        made.putalpha(image.crop(window).getchannel("A"))
    return made
