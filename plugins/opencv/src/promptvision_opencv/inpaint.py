"""The tool ``opencv_inpaint``: remove a masked object, or paint it in another colour."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image

from promptvision.plugin import (
    InpaintArgs,
    InpaintResult,
    NotSupported,
    ToolContext,
    ToolFailed,
    read_mask,
    read_targets,
)
from promptvision_opencv.arrays import Array, rgb_array
from promptvision_opencv.background import find_background
from promptvision_opencv.paints import is_desaturation, read_paint
from promptvision_opencv.prompts import Kind, read_request
from promptvision_opencv.recolour import recolour
from promptvision_opencv.remove import remove

__all__ = ["inpaint", "paint_over", "take_away", "without_colour"]

_MOST_REMOVED = 0.5
"""Maximum share of the image that can be filled from the rest."""
_GREY = {"L": "L", "LA": "L", "RGB": "RGB", "RGBA": "RGB"}
"""Mode to the mode of its colour bands."""


def inpaint(args: InpaintArgs, context: ToolContext) -> InpaintResult:
    """Remove the masked object if the prompt is empty, else apply the colour of the prompt or remove colour.

    Raises:
        ArgumentsError: the mask is empty or has another aspect ratio than the image.
        ToolFailed: the prompt asks for new content, or nothing would change or remain.
    """
    image = context.open(args.image_url)
    mask = read_mask(context.open(args.mask_url), image.size)
    inside = np.array(mask.image)
    notes = [] if _is_wide(args.target) else [*mask.notes]
    prompt = args.prompt.strip()
    context.progress(0, 1, "recolouring" if prompt else "removing")
    if not prompt:
        is_most = (inside > 0).mean() > _MOST_REMOVED
        edited = (_remove_objects if is_most else take_away)(image, inside, context.check_cancelled)
        notes += ["The background was kept."] if is_most else []
    elif is_desaturation(prompt):
        edited = without_colour(image, inside)
    else:
        edited = paint_over(image, inside, _colour_of(args))
    if edited.tobytes() == image.convert(edited.mode).tobytes():
        raise ToolFailed(f"opencv_inpaint: nothing changed: it already looks like {prompt!r}")
    if notes:
        notes.insert(0, "The image is edited.")
    return InpaintResult(
        original_image_url=args.image_url,
        inpainted_image_url=context.save(edited),
        message=" ".join(notes) or None,
    )


def take_away(image: Image.Image, mask: Array, check: Callable[[], None]) -> Image.Image:
    """Fill the masked area (H x W uint8, 255 = fill) from its surroundings, keeping mode and transparency."""
    filled = Image.fromarray(remove(_rgb(image), mask, check))
    return _with_alpha_of(image, filled.convert(_GREY[image.mode]))


def without_colour(image: Image.Image, mask: Array) -> Image.Image:
    """Make the masked area (H x W uint8, 255 = change) black and white, keeping mode and transparency."""
    grey = image.convert("L").convert(image.mode)
    if "A" in image.getbands():
        grey.putalpha(image.getchannel("A"))
    return Image.composite(grey, image, Image.fromarray(mask))


def paint_over(image: Image.Image, mask: Array, colour: tuple[int, int, int]) -> Image.Image:
    """Recolour the masked area (H x W uint8, 255 = paint); a grey image becomes RGB or RGBA."""
    return _with_alpha_of(image, Image.fromarray(recolour(_rgb(image), mask, colour)))


def _is_wide(target: str | None) -> bool:
    """Whether a target means most of the image, so that a mask of most of it is expected."""
    phrases = read_targets(target or "")
    requests = [read_request(phrase) for phrase in phrases]
    is_background = any(request is not None and request.kind is Kind.BACKGROUND for request in requests)
    return is_background or any(phrase.is_complement for phrase in phrases)


def _remove_objects(image: Image.Image, mask: Array, check: Callable[[], None]) -> Image.Image:
    """Remove the objects in a mask of most of the image, and keep the background.

    Kept objects are excluded from the filling, so that they are not copied.

    Raises:
        ToolFailed: the background cannot be determined, or the objects are too large.
    """
    background = find_background(rgb_array(image))
    if background is not None:
        front = cv2.dilate(np.where(background, 0, 255).astype(np.uint8), np.ones((5, 5), np.uint8))
        chosen = np.where((mask > 0) & (front > 0), 255, 0).astype(np.uint8)
        things = np.asarray(cv2.morphologyEx(chosen, cv2.MORPH_OPEN, np.ones((7, 7), np.uint8)), np.uint8)
        if things.any() and (front > 0).mean() <= _MOST_REMOVED:
            filled = take_away(image, np.asarray(front, np.uint8), check)
            return Image.composite(filled, image, Image.fromarray(things))
    raise ToolFailed(
        f"opencv_inpaint: cannot remove {(mask > 0).mean():.0%} of the image: too little remains to fill it "
        "from. A background can be recoloured instead, as in 'make the background white'"
    )


def _rgb(image: Image.Image) -> Array:
    return np.array(image.convert(_GREY[image.mode]).convert("RGB"))


def _with_alpha_of(image: Image.Image, edited: Image.Image) -> Image.Image:
    if "A" in image.getbands():
        edited.putalpha(image.getchannel("A"))
    return edited


def _colour_of(args: InpaintArgs) -> tuple[int, int, int]:
    colour = read_paint(args.prompt, args.target)
    if colour is None:
        raise NotSupported(
            f"opencv_inpaint: cannot paint {args.prompt!r}: it removes an object (empty prompt) or gives it "
            "one named colour ('blue')"
        )
    return colour
