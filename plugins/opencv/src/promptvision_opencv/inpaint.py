"""The tool ``opencv_inpaint``: remove a masked thing, or paint it in another colour."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image

from promptvision.plugin import InpaintArgs, InpaintResult, ToolContext, ToolFailed, read_mask
from promptvision_opencv.arrays import Array
from promptvision_opencv.paints import read_paint
from promptvision_opencv.recolour import recolour
from promptvision_opencv.remove import remove

__all__ = ["inpaint", "paint_over", "take_away"]

_GREY = {"L": "L", "LA": "L", "RGB": "RGB", "RGBA": "RGB"}
"""Mode to the mode of its colour bands."""


def inpaint(args: InpaintArgs, context: ToolContext) -> InpaintResult:
    """Remove what is masked if the prompt is empty, else paint it in the colour that the prompt names.

    Raises:
        ArgumentsError: the mask is empty or has another aspect ratio than the image.
        ToolFailed: the prompt asks for something new.
    """
    image = context.open(args.image_url)
    mask = read_mask(context.open(args.mask_url), image.size)
    inside = np.array(mask.image)
    notes = [*mask.notes]
    context.progress(0, 1, "removing" if not args.prompt.strip() else "recolouring")
    if not args.prompt.strip():
        edited = take_away(image, inside, context.check_cancelled)
        notes.append(
            "The area was filled from its surroundings; what was hidden behind it and its shadow elsewhere "
            "are not known to this tool. promptvision-sdxl-inpaint generates such areas."
        )
    else:
        edited = paint_over(image, inside, _colour_of(args))
        if notes:
            notes.insert(0, "The image is edited.")
    return InpaintResult(
        original_image_url=args.image_url,
        inpainted_image_url=context.save(edited),
        message=" ".join(notes) or None,
    )


def take_away(image: Image.Image, mask: Array, check: Callable[[], None]) -> Image.Image:
    """Fill what is masked (H x W uint8, 255 = fill) from around it; mode and transparency stay."""
    filled = Image.fromarray(remove(_rgb(image), mask, check))
    return _with_alpha_of(image, filled.convert(_GREY[image.mode]))


def paint_over(image: Image.Image, mask: Array, colour: tuple[int, int, int]) -> Image.Image:
    """Give what is masked (H x W uint8, 255 = paint) a colour; a grey image becomes RGB or RGBA."""
    return _with_alpha_of(image, Image.fromarray(recolour(_rgb(image), mask, colour)))


def _rgb(image: Image.Image) -> Array:
    return np.array(image.convert(_GREY[image.mode]).convert("RGB"))


def _with_alpha_of(image: Image.Image, edited: Image.Image) -> Image.Image:
    if "A" in image.getbands():
        edited.putalpha(image.getchannel("A"))
    return edited


def _colour_of(args: InpaintArgs) -> tuple[int, int, int]:
    colour = read_paint(args.prompt, args.target)
    if colour is None:
        raise ToolFailed(
            f"opencv_inpaint: cannot paint {args.prompt!r}: it removes a thing (empty prompt) or gives it "
            "one named colour ('blue'); promptvision-sdxl-inpaint paints anything that can be described"
        )
    return colour
