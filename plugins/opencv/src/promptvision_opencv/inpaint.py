"""The tool ``opencv_inpaint``: remove a masked thing, or paint it in another colour."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image

from promptvision.plugin import ArgumentsError, InpaintArgs, InpaintResult, ToolContext, ToolFailed
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
        ArgumentsError: the mask is empty or has another size than the image.
        ToolFailed: the prompt asks for something new.
    """
    image, mask = context.open(args.image_url), context.open(args.mask_url)
    inside = _checked(mask, image.size)
    context.progress(0, 1, "removing" if not args.prompt.strip() else "recolouring")
    message = None
    if not args.prompt.strip():
        edited = take_away(image, inside, context.check_cancelled)
        message = (
            "The place was filled from its surroundings; what was hidden behind it and its shadow elsewhere "
            "are not known to this tool. promptvision-sdxl-inpaint paints such places anew."
        )
    else:
        edited = paint_over(image, inside, _colour_of(args))
    return InpaintResult(
        original_image_url=args.image_url,
        inpainted_image_url=context.save(edited),
        message=message,
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


def _checked(mask: Image.Image, size: tuple[int, int]) -> Array:
    """The mask as 0 and 255."""
    if mask.size != size:
        raise ArgumentsError(
            f"mask_url: the mask has {mask.width} x {mask.height} pixels and the picture "
            f"{size[0]} x {size[1]}; give a mask that was made from this picture"
        )
    inside = np.where(np.array(mask.convert("L")) > 127, 255, 0).astype(np.uint8)
    if not inside.any():
        raise ArgumentsError(
            "mask_url: the mask is empty, so there is nothing to change; segment the thing first"
        )
    return inside


def _colour_of(args: InpaintArgs) -> tuple[int, int, int]:
    colour = read_paint(args.prompt, args.target)
    if colour is None:
        raise ToolFailed(
            f"opencv_inpaint: cannot paint {args.prompt!r}: it removes a thing (empty prompt) or gives it "
            "one named colour ('blue'); promptvision-sdxl-inpaint paints anything that can be described"
        )
    return colour
